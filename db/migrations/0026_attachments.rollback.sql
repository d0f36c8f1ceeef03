drop function forget_attachments;
drop trigger _500_forget_attachment on inbound_messages;
drop function tg_inbound_messages__forget_attachment;
drop function begin_attachment;
drop function has_unread_files;
drop table attachments;
alter table inbound_messages drop constraint inbound_messages_in_organization;
