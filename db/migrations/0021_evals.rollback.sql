drop table eval_runs;
drop table chatbot_versions;
