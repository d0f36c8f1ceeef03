drop table conversation_summaries;
drop table turn_prompts;
