-- Tools of organizations: approved once, by a person, with the hash of what was approved. What
-- changes a system outside asks first: the contact for a yes to the exact arguments, or, where
-- money moves, a teammate.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table chatbots
  add column confirm_question text not null check (confirm_question like '%{action}%')
    default E'Shall I do this?\n\n{action}\n\nAnswer "yes" to go ahead.';
comment on column chatbots.confirm_question is
  'What a contact is asked before something is changed; {action} becomes the tool''s title and its arguments.';

create table tool_servers (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  name text not null check (name ~ '^[a-z][a-z0-9]{0,19}$'),
  url text not null check (url ~ '^https?://' and length(url) <= 2000),
  sealed_token text,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint tool_servers_in_organization unique (organization_id, id),
  constraint tool_servers_are_named_once unique (organization_id, name)
);
comment on table tool_servers is 'One row per MCP server of an organization, over streamable HTTP.';
comment on column tool_servers.name is 'Goes before the names of its tools, so that two servers may have one of the same name.';
comment on column tool_servers.sealed_token is
  'Bearer token, AES-256-GCM, bound to this row''s id; sent to this address alone.';

create table tools (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  chatbot_id uuid not null,
  tool_server_id uuid,
  kind text not null check (kind ~ '^[a-z]{2,20}$'),
  name text not null check (name ~ '^[a-z][a-z0-9_]{1,60}$'),
  title text not null check (length(title) between 1 and 100),
  target text not null check (length(target) between 1 and 300),
  pinned_hash text check (length(pinned_hash) between 8 and 100),
  definition jsonb not null check (jsonb_typeof(definition) = 'object'),
  definition_sha256 text not null check (definition_sha256 ~ '^[0-9a-f]{64}$'),
  class text not null check (class in ('read', 'write', 'money')),
  bindings jsonb not null default '{}' check (jsonb_typeof(bindings) = 'object'),
  honours_key boolean not null default false,
  state text not null default 'approved' check (state in ('approved', 'changed', 'off')),
  approved_by text not null check (length(approved_by) between 1 and 100),
  approved_at timestamptz not null default now(),
  constraint tools_in_organization unique (organization_id, id),
  constraint tools_are_named_once unique (chatbot_id, name),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade,
  foreign key (organization_id, tool_server_id)
    references tool_servers (organization_id, id) on delete cascade
);
create index tools_chatbot_id_idx on tools (organization_id, chatbot_id);
create index tools_tool_server_id_idx on tools (organization_id, tool_server_id);
comment on table tools is 'One row per tool that a person approved for a chatbot.';
comment on column tools.title is 'What a contact reads when asked for a yes.';
comment on column tools.target is 'Path of a script, or the tool''s name on its server.';
comment on column tools.pinned_hash is 'Version of the script that was approved.';
comment on column tools.definition is
  'What was approved: name, description, inputSchema, outputSchema, annotations.';
comment on column tools.class is
  'read: changes nothing; write: needs the contact''s fresh yes; money: needs a teammate''s.';
comment on column tools.bindings is
  'Arguments that we fill in and no model sees: {"customer": "contact_key"}.';
comment on column tools.honours_key is 'Called twice with one key, it does its work once.';
comment on column tools.state is
  'approved -> changed (its server tells another definition than was approved) -> approved again; off: by hand.';

create table tool_confirmations (
  turn_id uuid primary key,
  organization_id uuid not null,
  conversation_id uuid not null,
  tool_id uuid not null,
  needs text not null check (needs in ('contact', 'teammate')),
  arguments jsonb not null,
  arguments_sha256 text not null check (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  state text not null default 'asked' check (state in ('asked', 'confirmed', 'used')),
  confirmed_by text check (length(confirmed_by) between 1 and 100),
  asked_at timestamptz not null default now(),
  confirmed_at timestamptz,
  used_turn_id uuid,
  used_position integer,
  foreign key (organization_id, conversation_id, turn_id)
    references turns (organization_id, conversation_id, id) on delete cascade,
  foreign key (organization_id, tool_id) references tools (organization_id, id) on delete cascade
);
create index tool_confirmations_conversation_id_idx
  on tool_confirmations (conversation_id, organization_id, turn_id);
create index tool_confirmations_tool_id_idx on tool_confirmations (tool_id, organization_id);
comment on table tool_confirmations is
  'One row per turn that asked whether a tool may be called with exactly these arguments.';
comment on column tool_confirmations.state is
  'asked -> confirmed (a teammate) -> used; asked -> used (the contact''s next message was a yes).';

create function tg_tool_confirmations__raise_alert() returns trigger as $$
begin
  perform raise_alert(
    new.organization_id, 'warning', 'approval_asked', new.turn_id::text,
    format('turn %s asks a teammate to approve a call: ./chatmill tools confirm %s', new.turn_id, new.turn_id));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_tool_confirmations__raise_alert is 'Money waits for a person, who has to know.';

create trigger _500_raise_alert
  after insert on tool_confirmations for each row when (new.needs = 'teammate')
  execute function tg_tool_confirmations__raise_alert();
comment on trigger _500_raise_alert on tool_confirmations is 'No approval goes unseen.';

do $$ begin perform apply_access(); end $$;
