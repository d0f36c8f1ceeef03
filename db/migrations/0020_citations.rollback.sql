drop table turn_citations;
