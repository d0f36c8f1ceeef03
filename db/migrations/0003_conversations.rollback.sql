drop table conversations;
drop table contacts;
drop table channels;
