-- Answers that were given before and may be given again: to a question that needed nothing of its
-- contact, by the same words of the chatbot, from the same documents.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table chatbots add column caches_answers boolean not null default false;
comment on column chatbots.caches_answers is
  'Whether a common question is answered again as before, without a model.';

create table cached_answers (
  chatbot_id uuid not null,
  fingerprint text not null check (fingerprint ~ '^[0-9a-f]{64}$'),
  organization_id uuid not null,
  answer text not null check (length(answer) between 1 and 8000),
  citations jsonb not null default '[]',
  hits bigint not null default 0 check (hits >= 0),
  written_at timestamptz not null default now(),
  last_hit_at timestamptz,
  primary key (chatbot_id, fingerprint),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index cached_answers_chatbot_id_idx on cached_answers (chatbot_id, organization_id);
create index cached_answers_written_at_idx on cached_answers (written_at);
comment on table cached_answers is 'One row per question that a chatbot answered from documents alone.';
comment on column cached_answers.fingerprint is
  'Of the question''s words in their plain form, the chatbot''s words, our rules, and the state of the documents: a change of any is another row.';
comment on column cached_answers.hits is 'Turns that it answered; none of them paid a model.';

do $$ begin perform apply_access(); end $$;
