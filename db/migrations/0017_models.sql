-- Which models answer for a chatbot, and which of them are not asked just now.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table model_slots (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  chatbot_id uuid not null,
  purpose text not null default 'usual' check (purpose in ('usual', 'economy', 'transcription')),
  tier integer not null default 0 check (tier between 0 and 9),
  weight integer not null default 1 check (weight between 1 and 100),
  kind text not null check (kind ~ '^[a-z_]{2,30}$'),
  model text not null check (length(model) between 1 and 200),
  base_url text check (base_url ~ '^https?://' and length(base_url) <= 500),
  sealed_key text,
  sees_pictures boolean,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index model_slots_chatbot_id_idx on model_slots (organization_id, chatbot_id);
comment on table model_slots is
  'One row per model that may answer for a chatbot; without any, the installation''s own does.';
comment on column model_slots.purpose is
  'economy: from 95 % of the plan on; transcription: hears voice messages.';
comment on column model_slots.sees_pictures is 'Null: told by the model''s name.';
comment on column model_slots.tier is
  'A turn begins in the lowest tier, at a slot drawn by weight, and goes on to the others and then to the next tier when one fails.';
comment on column model_slots.base_url is 'Null: the vendor''s own.';
comment on column model_slots.sealed_key is
  'The vendor''s key, AES-256-GCM, bound to this row''s id (f/shared/crypto.py).';

create table model_breakers (
  organization_id uuid not null references organizations on delete cascade,
  provider_key text not null check (length(provider_key) = 16),
  failures integer not null check (failures > 0),
  open_until timestamptz,
  primary key (organization_id, provider_key)
);
comment on table model_breakers is
  'One row per organization, address and key of a model''s vendor that failed the last time it was asked.';
comment on column model_breakers.provider_key is 'A hash of the address and the key.';
comment on column model_breakers.open_until is
  'Until then nobody asks; after it one asks, and the others wait for what becomes of that.';

do $$ begin perform apply_access(); end $$;
