-- The web chat's own side, for which there is no vendor: sessions, what a page shows, files that
-- visitors send; and the events that organizations have posted to their own systems.
-- squawk-ignore-file require-concurrent-index-creation
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table web_sessions (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  token_hash text not null check (token_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  foreign key (channel_id, organization_id)
    references channels (id, organization_id) on delete cascade,
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade
);
create index web_sessions_channel_id_idx on web_sessions (channel_id, organization_id);
create index web_sessions_conversation_id_idx on web_sessions (conversation_id, organization_id);
comment on table web_sessions is
  'One row per time that a page was let in: who shows its token speaks for its contact.';
comment on column web_sessions.token_hash is 'SHA-256 of the token, in hexadecimal; only the page has the token.';
comment on column web_sessions.expires_at is 'Being active does not put it off.';

create table web_lines (
  conversation_id uuid not null,
  number bigint not null check (number > 0),
  organization_id uuid not null,
  inbound_message_id bigint,
  outbound_message_id uuid,
  message_id bigint,
  primary key (conversation_id, number),
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade
);
create index web_lines_conversation_id_idx on web_lines (conversation_id, organization_id);
comment on table web_lines is
  'One row per line that a page shows, in the order in which lines became final: the words are the message''s that it names.';
comment on column web_lines.number is
  'Counted in the conversation, committed in this order: a page that asks for what came after one misses nothing.';
comment on column web_lines.message_id is 'What a teammate wrote.';

create table web_uploads (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  conversation_id uuid not null,
  file_name text not null check (length(file_name) between 1 and 200),
  media_type text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  content bytea not null check (length(content) between 1 and 10485760),
  created_at timestamptz not null default now(),
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade
);
create index web_uploads_conversation_id_idx on web_uploads (conversation_id, organization_id);
create index web_uploads_created_at_idx on web_uploads (created_at);
comment on table web_uploads is
  'One row per file that a visitor sent; its id is the provider_media_id of a message.';
comment on column web_uploads.media_type is 'Told by the bytes, not by the visitor.';

create function read_web_chatbot(p_channel_id uuid) returns text as $$
  select chatbots.name
    from channels join chatbots on chatbots.id = channels.chatbot_id
   where channels.id = p_channel_id;
$$ language sql stable;
comment on function read_web_chatbot is 'The name under which the chatbot of a channel presents itself.';

create function start_web_session(
  p_channel_id uuid, p_token_hash text, p_person_key text, p_name text, p_language text
) returns table (session_id uuid, expires_at timestamptz) as $$
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
  v_session_id constant uuid := gen_random_uuid();
  v_contact_id uuid;
begin
  -- Without proof of who they are every session is somebody new: histories are never merged.
  v_contact_id := meet_contact(
    v_organization_id, p_channel_id, coalesce(p_person_key, 'session:' || v_session_id), null, p_name);
  perform note_about_contact(v_contact_id, p_language, null);
  return query
    insert into web_sessions (id, organization_id, channel_id, conversation_id, token_hash)
    values (v_session_id, v_organization_id, p_channel_id,
            open_conversation(v_organization_id, p_channel_id, v_contact_id), p_token_hash)
    returning web_sessions.id, web_sessions.expires_at;
end;
$$ language plpgsql volatile;
comment on function start_web_session is
  'Lets a page in, as the person that it proved to be or as somebody new.';

create function find_web_session(p_channel_id uuid, p_session_id uuid, p_token_hash text)
returns table (conversation_id uuid, contact_key text, is_expired boolean) as $$
  select web_sessions.conversation_id, contacts.contact_key, web_sessions.expires_at < now()
    from web_sessions
    join conversations on conversations.id = web_sessions.conversation_id
    join contacts on contacts.id = conversations.contact_id
   where web_sessions.id = p_session_id and web_sessions.token_hash = p_token_hash
     and web_sessions.channel_id = p_channel_id;
$$ language sql stable;
comment on function find_web_session is
  'The session that this token is of, on this channel; no row for a token of another.';

create function read_web_lines(
  p_session_id uuid, p_token_hash text, p_after bigint, p_limit integer
) returns table (
  number bigint, author text, body text, provider_message_id text, file_name text,
  written_at timestamptz
) as $$
  select web_lines.number,
         case when inbound.id is not null then 'contact'
              when outbound.id is not null then 'chatbot' else 'teammate' end,
         coalesce(inbound.body, outbound.body, messages.body),
         inbound.provider_message_id,
         inbound.media ->> 'file_name',
         coalesce(inbound.sent_at, outbound.sent_at, messages.written_at)
    from web_sessions
    join web_lines on web_lines.conversation_id = web_sessions.conversation_id
    left join inbound_messages as inbound on inbound.id = web_lines.inbound_message_id
    left join outbound_messages as outbound on outbound.id = web_lines.outbound_message_id
    left join messages on messages.id = web_lines.message_id
   where web_sessions.id = p_session_id and web_sessions.token_hash = p_token_hash
     and web_sessions.expires_at > now() and web_lines.number > p_after
   order by web_lines.number limit p_limit;
$$ language sql stable;
comment on function read_web_lines is 'What a page shows after a line, oldest first.';

create function read_web_states(p_conversation_ids uuid[])
returns table (conversation_id uuid, last_number bigint, mode text, is_typing boolean) as $$
  select conversations.id,
         coalesce((select max(number) from web_lines
                    where web_lines.conversation_id = conversations.id), 0),
         conversations.mode,
         conversations.mode = 'bot' and is_at_work(conversations.id)
    from conversations where conversations.id = any(p_conversation_ids);
$$ language sql stable;
comment on function read_web_states is
  'Whether there is something new for the pages that wait: one look for all of them.';

create function store_web_upload(
  p_session_id uuid, p_token_hash text, p_file_name text, p_media_type text, p_sha256 text,
  p_content bytea
) returns uuid as $$
  insert into web_uploads (
    organization_id, conversation_id, file_name, media_type, sha256, content
  )
  select organization_id, conversation_id, p_file_name, p_media_type, p_sha256, p_content
    from web_sessions
   where id = p_session_id and token_hash = p_token_hash and expires_at > now()
  returning id;
$$ language sql volatile;
comment on function store_web_upload is 'Keeps a file that a visitor sends, for the message that will name it.';

create function find_web_upload(p_session_id uuid, p_token_hash text, p_upload_id uuid)
returns table (file_name text, media_type text, sha256 text, size_bytes integer) as $$
  select web_uploads.file_name, web_uploads.media_type, web_uploads.sha256, length(content)
    from web_sessions
    join web_uploads on web_uploads.conversation_id = web_sessions.conversation_id
   where web_sessions.id = p_session_id and web_sessions.token_hash = p_token_hash
     and web_sessions.expires_at > now() and web_uploads.id = p_upload_id;
$$ language sql stable;
comment on function find_web_upload is 'A file of this session''s own conversation.';

create function read_web_upload(p_upload_id uuid) returns bytea as $$
  select content from web_uploads where id = p_upload_id;
$$ language sql stable;
comment on function read_web_upload is
  'The bytes of a file, by its id, a random uuid that only its message names; null when it is gone.';

create function take_web_tokens(
  p_channel_id uuid, p_subjects text[], p_per_second numeric[], p_bursts numeric[]
) returns numeric as $$
  select take_tokens(p_channel_id, p_subjects, p_per_second, p_bursts);
$$ language sql volatile;
comment on function take_web_tokens is
  'What take_tokens does, for who receives: rates of sessions, addresses and whole channels.';

create function write_as_teammate(
  p_channel_id uuid, p_conversation_id uuid, p_message_id uuid, p_body text
) returns boolean as $$
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
begin
  if not exists (
    select from conversations where id = p_conversation_id and channel_id = p_channel_id
  ) then
    return false;
  end if;
  insert into messages (
    organization_id, conversation_id, author, position, body, provider_message_id, written_at
  ) values (
    v_organization_id, p_conversation_id, 'teammate', 0, p_body, p_message_id::text, now()
  ) on conflict on constraint messages_of_teammates_are_told_once do nothing;
  if found then
    perform silence_for_teammate(p_conversation_id);
  end if;
  return true;
end;
$$ language plpgsql volatile;
comment on function write_as_teammate is
  'What a teammate writes in the web chat, as accept_echo has it where a vendor tells of them; false: no such conversation on this channel.';

create function set_web_mode(p_channel_id uuid, p_conversation_id uuid, p_mode text)
returns text as $$
declare
  v_mode text;
begin
  perform enter_channel(p_channel_id);
  if p_mode = 'human' then
    perform silence_for_teammate(id) from conversations
      where id = p_conversation_id and channel_id = p_channel_id;
  else
    update conversations set mode = case mode when 'muted' then 'muted' else 'bot' end,
           silent_until = null
     where id = p_conversation_id and channel_id = p_channel_id;
  end if;
  select mode into v_mode from conversations
   where id = p_conversation_id and channel_id = p_channel_id;
  return v_mode;
end;
$$ language plpgsql volatile;
comment on function set_web_mode is
  'A teammate takes a conversation of the web chat over, or gives it back: the mode that it has then, which stays muted where it is; null: no such conversation on this channel.';

create function forget_web_contact(p_session_id uuid, p_token_hash text) returns boolean as $$
declare
  v_contact_id uuid;
begin
  select conversations.contact_id into v_contact_id
    from web_sessions join conversations on conversations.id = web_sessions.conversation_id
   where web_sessions.id = p_session_id and web_sessions.token_hash = p_token_hash
     and web_sessions.expires_at > now();
  if not found then
    return false;
  end if;
  -- The bodies as they were received name the conversation, not the contact.
  delete from webhook_deliveries
   where reference in (select id from conversations where contact_id = v_contact_id);
  delete from contacts where id = v_contact_id;
  return true;
end;
$$ language plpgsql volatile;
comment on function forget_web_contact is
  'Deletes a visitor with everything they wrote and were told; what it cost stays counted.';

create function forget_web_leftovers() returns void as $$
  delete from web_sessions where expires_at < now() - interval '1 day';
  delete from web_uploads where created_at < now() - interval '7 days';
  -- A bucket is full again long before.
  delete from rate_buckets where refilled_at < now() - interval '1 day';
$$ language sql volatile;
comment on function forget_web_leftovers is
  'Forgets tokens that open nothing any more, old files, and addresses in rate buckets.';

create table webhook_endpoints (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  url text not null check (url ~ '^https://' and length(url) <= 2048),
  sealed_secret text not null,
  is_active boolean not null default true,
  failing_since timestamptz,
  created_at timestamptz not null default now(),
  constraint webhook_endpoints_in_organization unique (id, organization_id)
);
create index webhook_endpoints_organization_id_idx on webhook_endpoints (organization_id);
comment on table webhook_endpoints is
  'One row per address of an organization''s own that our events are posted to.';
comment on column webhook_endpoints.sealed_secret is
  'The whsec_ that signs what is posted there, AES-256-GCM, bound to this row''s id.';
comment on column webhook_endpoints.failing_since is
  'The first of the failures since something was taken; after five days of them it is switched off.';

create table outgoing_events (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  endpoint_id uuid not null,
  conversation_id uuid not null,
  kind text not null
    check (kind in ('message.created', 'conversation.handed_off', 'conversation.released')),
  data jsonb not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
  attempts integer not null default 0 check (attempts >= 0),
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  foreign key (endpoint_id, organization_id)
    references webhook_endpoints (id, organization_id) on delete cascade,
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade
);
create index outgoing_events_endpoint_id_idx on outgoing_events (endpoint_id, organization_id);
create index outgoing_events_conversation_id_idx
  on outgoing_events (conversation_id, organization_id);
create index outgoing_events_due_at_idx on outgoing_events (due_at) where state = 'waiting';
comment on table outgoing_events is
  'One row per event and endpoint, written in the transaction in which it happened.';
comment on column outgoing_events.state is
  'waiting -> sent (the endpoint took it) | failed (eight attempts, or the endpoint was switched off).';

create function publish_event(p_conversation_id uuid, p_kind text, p_details jsonb)
returns void as $$
  insert into outgoing_events (organization_id, endpoint_id, conversation_id, kind, data)
  select conversations.organization_id, webhook_endpoints.id, conversations.id, p_kind,
         p_details || jsonb_build_object(
           'conversation_id', conversations.id, 'contact_id', conversations.contact_id,
           'channel_id', channels.id, 'channel_kind', channels.kind)
    from conversations
    join channels on channels.id = conversations.channel_id
    join webhook_endpoints on webhook_endpoints.organization_id = conversations.organization_id
     and webhook_endpoints.is_active
   where conversations.id = p_conversation_id;
$$ language sql volatile;
comment on function publish_event is 'Has an event posted to every endpoint of the conversation''s organization.';

create function add_web_line(
  p_conversation_id uuid, p_inbound_message_id bigint, p_outbound_message_id uuid,
  p_message_id bigint
) returns void as $$
declare
  v_organization_id uuid;
begin
  select conversations.organization_id into v_organization_id
    from conversations join channels on channels.id = conversations.channel_id
   where conversations.id = p_conversation_id and channels.kind = 'web';
  if not found then
    return;
  end if;
  -- Held until the commit: whoever writes next counts from what this transaction wrote.
  perform pg_advisory_xact_lock(hashtextextended(p_conversation_id::text, 0));
  insert into web_lines (
    conversation_id, number, organization_id, inbound_message_id, outbound_message_id, message_id
  )
  select p_conversation_id, coalesce(max(number), 0) + 1, v_organization_id,
         p_inbound_message_id, p_outbound_message_id, p_message_id
    from web_lines where conversation_id = p_conversation_id;
end;
$$ language plpgsql volatile;
comment on function add_web_line is 'Gives a line of a web conversation its number; on other channels does nothing.';

create function tg_inbound_messages__publish() returns trigger as $$
begin
  perform add_web_line(new.conversation_id, new.id, null, null);
  perform publish_event(new.conversation_id, 'message.created', jsonb_build_object(
    'message_id', new.id::text, 'author', 'contact', 'text', new.body, 'written_at', new.sent_at));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_inbound_messages__publish is 'What a contact wrote is a line of their page, and an event.';
create trigger _700_publish after insert on inbound_messages
  for each row execute function tg_inbound_messages__publish();
comment on trigger _700_publish on inbound_messages is 'Once per message: deliveries that come again insert nothing.';

create function tg_outbound_messages__publish() returns trigger as $$
begin
  perform add_web_line(new.conversation_id, null, new.id, null);
  perform publish_event(new.conversation_id, 'message.created', jsonb_build_object(
    'message_id', new.id, 'author', 'chatbot', 'text', new.body, 'written_at', new.sent_at));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_outbound_messages__publish is 'A reply that was sent is a line of the page, and an event.';
create trigger _700_publish after update of state on outbound_messages
  for each row
  when (new.state in ('sent', 'delivered', 'read')
        and old.state not in ('sent', 'delivered', 'read'))
  execute function tg_outbound_messages__publish();
comment on trigger _700_publish on outbound_messages is 'When it became certain that it was sent.';

create function tg_messages__publish() returns trigger as $$
begin
  perform add_web_line(new.conversation_id, null, null, new.id);
  perform publish_event(new.conversation_id, 'message.created', jsonb_build_object(
    'message_id', new.id::text, 'author', 'teammate', 'text', new.body,
    'written_at', new.written_at));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_messages__publish is 'What a teammate wrote is a line of the page, and an event.';
create trigger _700_publish after insert on messages
  for each row when (new.author = 'teammate') execute function tg_messages__publish();
comment on trigger _700_publish on messages is 'Lines of a turn were published when they were received and sent.';

create function tg_conversations__publish() returns trigger as $$
begin
  perform publish_event(
    new.id,
    case new.mode when 'human' then 'conversation.handed_off' else 'conversation.released' end,
    jsonb_build_object('mode', new.mode));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_conversations__publish is 'Organizations learn who answers from now on.';
create trigger _700_publish after update of mode on conversations
  for each row when (old.mode <> new.mode and 'human' in (old.mode, new.mode))
  execute function tg_conversations__publish();
comment on trigger _700_publish on conversations is 'When a teammate takes over, and when they give it back.';

create function claim_outgoing_event()
returns table (
  id uuid, endpoint_id uuid, url text, sealed_secret text, kind text, data jsonb,
  created_at timestamptz
) as $$
  -- Not due again before the attempt can have ended: a crash in it repeats the event, same id.
  update outgoing_events set attempts = attempts + 1, due_at = now() + interval '1 minute'
    from webhook_endpoints
   where webhook_endpoints.id = outgoing_events.endpoint_id
     and outgoing_events.id = (
       select due.id
         from outgoing_events as due
         join webhook_endpoints as endpoint on endpoint.id = due.endpoint_id
        where due.state = 'waiting' and due.due_at <= now()
        -- One that does not answer must not keep the others waiting.
        order by endpoint.failing_since nulls first, due.due_at
        limit 1 for update of due skip locked
     )
  returning outgoing_events.id, endpoint_id, url, sealed_secret, kind, data,
            outgoing_events.created_at;
$$ language sql volatile;
comment on function claim_outgoing_event is 'One event that is due, with where it goes.';

create function settle_outgoing_event(p_id uuid, p_is_taken boolean, p_is_gone boolean)
returns void as $$
declare
  -- https://www.standardwebhooks.com: five seconds, five minutes, half an hour, two hours ...
  v_pauses constant interval[] :=
    array['5 s', '5 min', '30 min', '2 h', '5 h', '10 h', '10 h']::interval[];
  v_endpoint webhook_endpoints;
begin
  update outgoing_events
     set state = case
           when p_is_taken then 'sent' when attempts > cardinality(v_pauses) then 'failed'
           else 'waiting'
         end,
         due_at = now() + coalesce(v_pauses[attempts], '0 s') * (1 + random() / 10)
   where id = p_id and state = 'waiting';
  update webhook_endpoints
     set failing_since = case when not p_is_taken then coalesce(failing_since, now()) end
   where id = (select endpoint_id from outgoing_events where id = p_id)
  returning * into v_endpoint;
  if v_endpoint.is_active
     and (p_is_gone or v_endpoint.failing_since < now() - interval '5 days') then
    perform disable_webhook_endpoint(v_endpoint);
  end if;
end;
$$ language plpgsql volatile;
comment on function settle_outgoing_event is
  'What became of an attempt: taken, or to be tried again after 5 s, 5 min, 30 min, 2, 5, 10 and 10 hours; an endpoint that says it is gone, or fails for five days, is asked no more.';

create function disable_webhook_endpoint(p_endpoint webhook_endpoints) returns void as $$
begin
  update webhook_endpoints set is_active = false where id = p_endpoint.id;
  update outgoing_events set state = 'failed'
   where endpoint_id = p_endpoint.id and state = 'waiting';
  perform raise_alert(
    p_endpoint.organization_id, 'error', 'webhook_endpoint_disabled', p_endpoint.id::text,
    format('endpoint %s took nothing and gets no events any more', p_endpoint.id));
end;
$$ language plpgsql volatile;
comment on function disable_webhook_endpoint is 'Events that happen from now on are not kept for it.';

create function forget_outgoing_events() returns void as $$
  delete from outgoing_events where state <> 'waiting' and created_at < now() - interval '7 days';
$$ language sql volatile;
comment on function forget_outgoing_events is 'What was posted, or given up, holds texts of contacts.';

do $$ begin perform apply_access(); end $$;
