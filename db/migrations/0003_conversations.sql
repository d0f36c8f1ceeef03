-- Where people write from and who they are: channels, contacts, conversations.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table channels (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  chatbot_id uuid not null,
  kind text not null check (kind ~ '^[a-z][a-z0-9_]{1,40}$'),
  name text not null check (length(name) between 1 and 200),
  url_key text not null check (url_key ~ '^[A-Za-z0-9_-]{8,64}$'),
  account_id text not null check (length(account_id) between 1 and 200),
  api_url text check (api_url ~ '^https?://'),
  webhook_url text check (webhook_url ~ '^https?://'),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  sealed_credentials text,
  late_after_seconds integer not null default 3600 check (late_after_seconds >= 60),
  teammate_hours integer not null default 24 check (teammate_hours between 1 and 8760),
  receipt_grace_seconds integer not null default 120
    check (receipt_grace_seconds between 1 and 3600),
  after_silence text not null default 'resend_once'
    check (after_silence in ('resend_once', 'unknown')),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint channels_in_organization unique (organization_id, id),
  constraint channels_have_their_own_url unique (url_key),
  constraint channels_are_connected_once unique (kind, account_id),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index channels_chatbot_id_idx on channels (organization_id, chatbot_id);
comment on table channels is
  'One row per connected account: a WhatsApp number, a Page, a Telegram bot, a web widget.';
comment on column channels.kind is 'Names its library in f/channels/registry.py.';
comment on column channels.url_key is 'Last part of the webhook''s address.';
comment on column channels.account_id is 'The vendor''s id: phone_number_id on WhatsApp, digits of the number on Twilio, Page id, bot id; the url_key on the web.';
comment on column channels.api_url is 'Base of the vendor''s API where it is not the public one (tests, proxies).';
comment on column channels.webhook_url is
  'The webhook''s address as the vendor was given it: Twilio signs it.';
comment on column channels.settings is
  'What the organization chose: names that the bot is called by in groups, words and replies of commands and their languages, language, template, apps of the Page that are automatic, origins of the web widget. Never a secret.';
comment on column channels.late_after_seconds is
  'A message that is older when it comes is kept for a teammate: an automatic answer would be out of place.';
comment on column channels.teammate_hours is
  'How long the chatbot stays silent after a teammate wrote from the phone or the Page.';
comment on column channels.sealed_credentials is
  'JSON of the vendor''s secrets, AES-256-GCM, bound to this row''s id (f/shared/crypto.py).';
comment on column channels.receipt_grace_seconds is
  'How long a receipt may take to tell what became of a send that was cut off.';
comment on column channels.after_silence is
  'When no receipt came in that time: send once more where the vendor sends receipts (none came, so nothing was accepted), or say that nobody knows.';

create table contacts (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  channel_id uuid not null,
  contact_key text not null check (length(contact_key) between 1 and 512),
  address text check (length(address) between 1 and 512),
  name text check (length(name) <= 200),
  language text check (length(language) between 2 and 16),
  opted_out_at timestamptz,
  created_at timestamptz not null default now(),
  constraint contacts_in_organization unique (id, organization_id),
  constraint contacts_are_known_once unique (channel_id, contact_key),
  foreign key (organization_id, channel_id)
    references channels (organization_id, id) on delete cascade
);
create index contacts_channel_id_idx on contacts (channel_id, organization_id);
create index contacts_address_idx on contacts (channel_id, address);
comment on table contacts is 'One row per person on a channel.';
comment on column contacts.contact_key is
  'The vendor''s most stable id of the person: BSUID or wa_id on WhatsApp, PSID, Telegram''s user id, a hash of the visitor id on the web.';
comment on column contacts.address is 'Where replies go when it is not the contact_key itself.';
comment on column contacts.language is 'What the vendor says the contact''s device speaks.';
comment on column contacts.opted_out_at is
  'Blocked us or said stop; until they say start, only their commands are answered.';

create table conversations (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  channel_id uuid not null,
  contact_id uuid not null,
  group_key text not null default '' check (length(group_key) <= 512),
  mode text not null default 'bot' check (mode in ('bot', 'human', 'muted')),
  silent_until timestamptz,
  history_after bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint conversations_in_organization unique (id, organization_id),
  constraint conversations_are_one_per_contact unique (channel_id, contact_id, group_key),
  foreign key (organization_id, channel_id)
    references channels (organization_id, id) on delete cascade,
  foreign key (organization_id, contact_id)
    references contacts (organization_id, id) on delete cascade
);
create index conversations_channel_id_idx on conversations (channel_id, organization_id);
create index conversations_contact_id_idx on conversations (contact_id, organization_id);
comment on table conversations is
  'One row per contact on a channel, for ever; and per contact inside a group.';
comment on column conversations.group_key is
  'The group (and topic) that replies go to; empty: the contact alone.';
comment on column conversations.silent_until is
  'When the chatbot takes over again from a teammate; null: when somebody gives it back.';
comment on column conversations.history_after is
  'messages.id up to which the contact had the history forgotten.';
comment on column conversations.mode is
  'bot: the chatbot answers; human: a teammate does, messages are held; muted: nobody answers.';
