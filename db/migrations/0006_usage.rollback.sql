drop table usage_events;
drop table prices;
drop table usage_periods;
drop function tg_usage_periods__raise_alerts;
drop function price_of;
drop function release_usage;
drop function reserve_usage;
drop function open_usage_period;
