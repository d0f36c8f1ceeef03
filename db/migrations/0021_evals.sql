-- Versions of a chatbot, and what golden questions said of them.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table chatbot_versions (
  chatbot_id uuid not null,
  version integer not null check (version > 0),
  organization_id uuid not null,
  settings jsonb not null check (jsonb_typeof(settings) = 'object'),
  state text not null default 'draft' check (state in ('draft', 'published', 'retired')),
  created_at timestamptz not null default now(),
  published_at timestamptz,
  published_by text check (length(published_by) between 1 and 100),
  override_reason text check (length(override_reason) between 5 and 1000),
  primary key (chatbot_id, version),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index chatbot_versions_chatbot_id_idx on chatbot_versions (chatbot_id, organization_id);
create unique index chatbot_versions_one_published on chatbot_versions (chatbot_id)
  where state = 'published';
comment on table chatbot_versions is 'One row per set of a chatbot''s words and thresholds.';
comment on column chatbot_versions.settings is
  'By names of columns of chatbots; publishing copies them there.';
comment on column chatbot_versions.state is
  'draft -> published (in use) -> retired (another one is); retired -> published again.';
comment on column chatbot_versions.override_reason is
  'Why it was published although golden questions said that it is worse.';

create table eval_runs (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  chatbot_id uuid not null,
  version integer,
  questions_sha256 text not null check (questions_sha256 ~ '^[0-9a-f]{64}$'),
  cases integer not null check (cases > 0),
  times integer not null check (times > 0),
  passed_every_time integer not null check (passed_every_time between 0 and cases),
  passed_once integer not null check (passed_once between 0 and cases),
  input_tokens bigint not null check (input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  cost_microcents bigint check (cost_microcents >= 0),
  p50_ms integer not null check (p50_ms >= 0),
  p95_ms integer not null check (p95_ms >= 0),
  failed jsonb not null,
  run_at timestamptz not null default now(),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index eval_runs_chatbot_id_idx on eval_runs (chatbot_id, organization_id);
comment on table eval_runs is 'One row per run of golden questions against a chatbot.';
comment on column eval_runs.version is 'Null: the words in use, which no version was made of yet.';
comment on column eval_runs.passed_every_time is 'pass^k: cases that passed all of `times` tries.';
comment on column eval_runs.failed is 'Questions that did not pass every time, each with why.';

do $$ begin perform apply_access(); end $$;
