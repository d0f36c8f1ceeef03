drop function isolate_table;
drop function proved_organization;
drop function prove_organization;
drop function ticket_for;
drop function draw_ticket_key;
drop function ticket_key_block;
drop table ticket_key;
