drop function accept_receipt;
drop function nudge_conversation;
drop function burst_wait_seconds;
drop function wake_conversation;
drop function open_conversation;
drop function meet_contact;
drop function accept_message;
drop function enter_channel;
