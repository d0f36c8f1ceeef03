drop function alert_stuck_turns;
drop function stuck_after;
drop trigger _500_raise_alert on webhook_deliveries;
drop function tg_webhook_deliveries__raise_alert;
drop trigger _500_raise_alert on outbound_messages;
drop function tg_outbound_messages__raise_alert;
drop trigger _500_raise_alert on turns;
drop function tg_turns__raise_alert;
