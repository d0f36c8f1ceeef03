drop function raise_alert;
drop table alerts;
