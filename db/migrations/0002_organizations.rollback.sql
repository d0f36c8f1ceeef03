drop table chatbots;
drop table organizations;
drop table plans;
