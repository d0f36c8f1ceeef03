drop table tool_confirmations;
drop function tg_tool_confirmations__raise_alert;
drop table tools;
drop table tool_servers;
alter table chatbots drop column confirm_question;
