-- What a turn was told, as it was told: the prompt, sealed, and the summary of what the window of
-- history leaves out.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table turn_prompts (
  turn_id uuid primary key,
  organization_id uuid not null,
  version text not null check (length(version) between 1 and 100),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  sealed_prompt text not null,
  written_at timestamptz not null default now(),
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index turn_prompts_turn_id_idx on turn_prompts (turn_id, organization_id);
comment on table turn_prompts is 'One row per turn that a model answered: everything that it was given at first.';
comment on column turn_prompts.version is 'Of our own rules in it: changes with their words.';
comment on column turn_prompts.sha256 is 'Of the prompt before it was sealed.';
comment on column turn_prompts.sealed_prompt is
  'JSON of messages and tools, AES-256-GCM, bound to the turn (f/shared/crypto.py).';

create table conversation_summaries (
  conversation_id uuid primary key,
  organization_id uuid not null,
  last_message_id bigint not null,
  summary text not null check (length(summary) between 1 and 3000),
  written_at timestamptz not null default now(),
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade
);
create index conversation_summaries_conversation_id_idx
  on conversation_summaries (conversation_id, organization_id);
comment on table conversation_summaries is
  'One row per conversation that is longer than a model is told word for word.';
comment on column conversation_summaries.last_message_id is 'Up to this line of messages.';

do $$ begin perform apply_access(); end $$;
