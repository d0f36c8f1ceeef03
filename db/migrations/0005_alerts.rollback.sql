drop function forget_alerts;
drop function alerts_waiting;
drop function put_off_alerts;
drop function settle_alert;
drop function claim_alert;
drop function raise_alert;
drop table alert_outlet;
drop table alerts;
