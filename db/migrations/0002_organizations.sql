-- Who uses this installation: plans, organizations and their chatbots.
-- Every later table hangs on organizations, by a composite foreign key where it has a parent,
-- so that a row can never point into another organization.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table plans (
  id text primary key,
  name text not null,
  message_limit bigint not null check (message_limit >= 0),
  token_limit bigint not null check (token_limit >= 0)
);
comment on table plans is 'One row per plan: what an organization on it may use in a month.';
comment on column plans.message_limit is 'Answered turns in a usage period.';
comment on column plans.token_limit is 'Tokens of all model calls in a usage period.';

create table organizations (
  id uuid primary key default gen_random_uuid(),
  plan_id text not null references plans on delete restrict,
  name text not null check (length(name) between 1 and 200),
  time_zone text not null default 'UTC'
    check ((timestamptz '2000-01-01 00:00Z' at time zone time_zone) is not null),
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);
create index organizations_plan_id_idx on organizations (plan_id);
comment on table organizations is 'One row per customer of this installation.';
comment on column organizations.time_zone is 'IANA name; months, days and hours are counted in it.';
comment on column organizations.is_active is 'The operator''s own off-switch; nothing else changes it.';

create table chatbots (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  name text not null check (length(name) between 1 and 200),
  instructions text not null,
  unknown_reply text not null check (length(unknown_reply) between 1 and 1000),
  debounce_seconds numeric not null default 1.5 check (debounce_seconds between 0 and 30),
  max_reply_tokens integer not null default 500 check (max_reply_tokens between 16 and 4000),
  created_at timestamptz not null default now(),
  constraint chatbots_in_organization unique (organization_id, id)
);
comment on table chatbots is 'One row per assistant of an organization.';
comment on column chatbots.instructions is 'What the organization tells its assistant: tone, facts, limits.';
comment on column chatbots.unknown_reply is 'What a contact reads when the documents hold no answer.';
comment on column chatbots.debounce_seconds is
  'How long to wait for a contact''s next message before answering; 0 answers at once.';
