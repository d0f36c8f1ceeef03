-- Who uses this installation: plans, organizations and their chatbots.
-- Every later table hangs on organizations, by a composite foreign key where it has a parent,
-- so that a row can never point into another organization.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table plans (
  id text primary key,
  name text not null,
  message_limit bigint not null check (message_limit >= 0),
  token_limit bigint not null check (token_limit >= 0),
  cost_limit_microcents bigint check (cost_limit_microcents >= 0)
);
comment on table plans is 'One row per plan: what an organization on it may use in a month.';
comment on column plans.message_limit is 'Answered turns in a usage period.';
comment on column plans.token_limit is 'Tokens of all model calls in a usage period.';
comment on column plans.cost_limit_microcents is 'Cost of all model calls in a usage period; null: no limit.';

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
  debounce_cap_seconds numeric not null default 12 check (debounce_cap_seconds between 0 and 120),
  max_reply_tokens integer not null default 500 check (max_reply_tokens between 16 and 4000),
  economy_model text check (length(economy_model) between 1 and 200),
  daily_message_limit integer check (daily_message_limit >= 0),
  contact_daily_message_limit integer check (contact_daily_message_limit >= 0),
  limit_notice text not null check (length(limit_notice) between 1 and 1000)
    default 'We can''t answer automatically right now. Your message is kept, and a person will read it.',
  failure_notice text not null check (length(failure_notice) between 1 and 1000)
    default 'Sorry, something went wrong on our side. A person will look at your message.',
  loop_limit integer default 20 check (loop_limit > 0),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint chatbots_in_organization unique (organization_id, id)
);
comment on table chatbots is 'One row per assistant of an organization.';
comment on column chatbots.instructions is 'What the organization tells its assistant: tone, facts, limits.';
comment on column chatbots.unknown_reply is 'What a contact reads when the documents hold no answer.';
comment on column chatbots.debounce_seconds is
  'How long to wait for a contact''s next message after a usual one: shorter after a finished question, longer after a fragment, a photo or a greeting; 0 answers at once.';
comment on column chatbots.debounce_cap_seconds is
  'A contact who keeps writing is answered at the latest so long after the first message.';
comment on column chatbots.economy_model is
  'The model that answers from 95 % of the plan on; null: the usual one.';
comment on column chatbots.daily_message_limit is 'Turns a day in the organization''s time zone; null: no limit.';
comment on column chatbots.contact_daily_message_limit is 'Turns a day for one contact; null: no limit.';
comment on column chatbots.limit_notice is
  'What a contact reads, once a day, when a limit keeps the chatbot from answering.';
comment on column chatbots.failure_notice is
  'What a contact reads when five attempts at an answer failed.';
comment on column chatbots.loop_limit is
  'After so many turns in a row that were asked faster than a person can read, messages are held: the other side is a machine too; null: no limit.';
comment on column chatbots.is_active is
  'The organization''s own off-switch; nothing else changes it. Messages are held for a teammate.';
