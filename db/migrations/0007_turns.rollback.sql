drop table messages;
drop table tool_calls;
drop table delivery_receipts;
drop table outbound_messages;
drop table conversation_work;
drop table inbound_messages;
drop table turns;
drop table webhook_deliveries;
