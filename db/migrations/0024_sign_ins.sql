-- Contacts sign in at an MCP server themselves, so that its tools are called with their own rights.
-- A link is sent, used once and forgotten; tokens are sealed per organization, contact and server.
-- OAuth 2.1 with PKCE; the addresses that are kept were checked by f/agent/oauth.py.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table chatbots
  add column sign_in_request text not null check (sign_in_request like '%{link}%')
    default E'For that I need you to sign in at {server}:\n\n{link}\n\nThen write me the code that you see there.',
  add column signed_in_notice text not null check (signed_in_notice like '%{code}%')
    default E'You are signed in. Write this code in the chat that sent you here: {code}\n\nIf you did not ask for this, close this page.';
comment on column chatbots.sign_in_request is
  'What a contact reads before a tool may be called for them; {server} becomes the server''s name, {link} where they sign in.';
comment on column chatbots.signed_in_notice is
  'What the contact''s browser shows after it; {code} is to be written in the chat, so that nobody can have another person sign in for them.';

alter table tool_servers
  add column callback_url text check (callback_url ~ '^https://' and length(callback_url) <= 500);
comment on column tool_servers.callback_url is
  'Where contacts come back to after they signed in: its tools are called for the contact who asks. Null: for the organization, with its token.';

create table tool_clients (
  tool_server_id uuid primary key,
  organization_id uuid not null,
  issuer text not null check (length(issuer) <= 500),
  client_id text not null check (length(client_id) between 1 and 500),
  sealed_secret text,
  known_since timestamptz not null default now(),
  foreign key (organization_id, tool_server_id)
    references tool_servers (organization_id, id) on delete cascade
);
create index tool_clients_tool_server_id_idx on tool_clients (tool_server_id, organization_id);
comment on table tool_clients is
  'One row per MCP server whose authorization server knows us: entered by hand, or registered when the first contact is asked to sign in.';
comment on column tool_clients.issuer is
  'A server that names another authorization server than this one is refused until a person has looked at it.';
comment on column tool_clients.sealed_secret is
  'AES-256-GCM, bound to the server''s id; null: the client has none.';

create table sign_ins (
  state_sha256 text primary key check (state_sha256 ~ '^[0-9a-f]{64}$'),
  organization_id uuid not null,
  contact_id uuid not null,
  turn_id uuid not null,
  tool_server_id uuid not null,
  terms jsonb not null check (jsonb_typeof(terms) = 'object'),
  sealed_verifier text not null,
  state text not null default 'asked'
    check (state in ('asked', 'returned', 'signed_in', 'confirmed')),
  sealed_tokens text,
  code_sha256 text check (code_sha256 ~ '^[0-9a-f]{64}$'),
  confirmed_turn_id uuid,
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '15 minutes',
  foreign key (organization_id, contact_id)
    references contacts (organization_id, id) on delete cascade,
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade,
  foreign key (organization_id, tool_server_id)
    references tool_servers (organization_id, id) on delete cascade
);
create index sign_ins_contact_id_idx on sign_ins (contact_id, organization_id);
create index sign_ins_turn_id_idx on sign_ins (turn_id, organization_id);
create index sign_ins_tool_server_id_idx on sign_ins (tool_server_id, organization_id);
create index sign_ins_expires_at_idx on sign_ins (expires_at);
comment on table sign_ins is
  'One row per link with which a contact was asked to sign in at an MCP server.';
comment on column sign_ins.terms is
  'What the servers told of themselves when the link was made; nothing of it is asked again before the code is spent.';
comment on column sign_ins.state is
  'asked -> returned (the browser came back; whoever comes second is refused) -> signed_in (tokens are there) -> confirmed (the contact wrote the code).';
comment on column sign_ins.sealed_tokens is 'Until the contact confirms; then they are contact_tokens.';
comment on column sign_ins.turn_id is 'The turn that asked; its question is answered after it.';

create table contact_tokens (
  contact_id uuid not null,
  tool_server_id uuid not null,
  organization_id uuid not null,
  terms jsonb not null check (jsonb_typeof(terms) = 'object'),
  sealed_tokens text not null,
  confirmed_at timestamptz not null default now(),
  primary key (contact_id, tool_server_id),
  foreign key (organization_id, contact_id)
    references contacts (organization_id, id) on delete cascade,
  foreign key (organization_id, tool_server_id)
    references tool_servers (organization_id, id) on delete cascade
);
create index contact_tokens_contact_id_idx on contact_tokens (contact_id, organization_id);
create index contact_tokens_tool_server_id_idx on contact_tokens (tool_server_id, organization_id);
comment on table contact_tokens is
  'One row per contact and MCP server whose tools may be called with the contact''s rights.';
comment on column contact_tokens.sealed_tokens is
  'AES-256-GCM, bound to the organization, the contact and the server.';

create function enter_sign_in(p_state_sha256 text) returns uuid as $$
declare
  v_organization_id uuid;
begin
  select organization_id into v_organization_id from sign_ins where state_sha256 = p_state_sha256;
  if found then
    perform prove_organization(v_organization_id);
  end if;
  return v_organization_id;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function enter_sign_in is
  'Opens the transaction to the organization of a sign-in, by the hash of its state, 256 random bits; null when there is none.';

create function keep_renewed_tokens(
  p_contact_id uuid, p_tool_server_id uuid, p_spent text, p_renewed text
) returns void as $$
  update contact_tokens set sealed_tokens = p_renewed
   where contact_id = p_contact_id and tool_server_id = p_tool_server_id
     and sealed_tokens = p_spent;
$$ language sql volatile security definer set search_path = public, pg_temp;
comment on function keep_renewed_tokens is
  'Puts renewed tokens in the place of those that were spent for them, and of no newer ones. Who knows these was let in to read them, so no turn is asked for: it may be lost since, and they are the contact''s all the same.';

create function forget_sign_ins() returns bigint as $$
  with forgotten as (
    -- A code that was written is read again when its turn is; a browser that came back at the last
    -- moment is still served.
    delete from sign_ins
     where expires_at < now() - interval '10 minutes'
       and (state <> 'confirmed' or expires_at < now() - interval '1 day')
    returning state_sha256
  )
  select count(*) from forgotten;
$$ language sql volatile;
comment on function forget_sign_ins is
  'Links that nobody came back by and tokens that no code was written for are not kept; returns how many went.';

do $$ begin perform apply_access(); end $$;
