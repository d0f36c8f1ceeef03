drop table cached_answers;
alter table chatbots drop column caches_answers;
