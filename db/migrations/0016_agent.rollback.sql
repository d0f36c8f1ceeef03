drop trigger _500_end_handoff on conversations;
drop trigger _600_open_handoff on turns;
drop table contact_facts;
drop table handoffs;
drop table tool_effects;
drop function tg_handoffs__raise_alert;
drop function tg_conversations__end_handoff;
drop function tg_turns__open_handoff;
alter table turns drop constraint turns_in_conversation;
alter table chatbots
  drop column handoff_reply,
  drop column business_hours,
  drop column allowed_link_hosts,
  drop column forbidden_words,
  drop column languages,
  drop column policy,
  drop column least_confidence,
  drop column spam_confidence;
