-- Files that contacts send: fetched once, read once, and kept only as long as a conversation may
-- still be about them.
-- No installation has rows in these tables before the first release.
-- squawk-ignore-file constraint-missing-not-valid, require-concurrent-index-creation, disallowed-unique-constraint
set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table inbound_messages
  add constraint inbound_messages_in_organization unique (organization_id, id);

create table attachments (
  inbound_message_id bigint not null,
  organization_id uuid not null,
  conversation_id uuid not null,
  state text not null default 'fetching'
    check (state in ('fetching', 'fetched', 'read', 'refused')),
  attempts integer not null default 1 check (attempts > 0),
  media_type text,
  file_name text check (length(file_name) <= 256),
  content bytea,
  text text,
  refusal text check (refusal ~ '^[a-z_]{2,40}$'),
  notice text check (length(notice) between 1 and 1000),
  created_at timestamptz not null default now(),
  constraint attachments_say_why_they_were_refused 
    check ((state = 'refused') = (refusal is not null) and (state = 'refused') = (notice is not null)),
  constraint attachments_have_bytes_once_fetched check (state <> 'fetched' or content is not null),
  primary key (conversation_id, inbound_message_id),
  foreign key (organization_id, inbound_message_id)
    references inbound_messages (organization_id, id) on delete cascade,
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade
);
create index attachments_inbound_message_id_idx
  on attachments (inbound_message_id, organization_id);
create index attachments_conversation_id_idx
  on attachments (conversation_id, organization_id, created_at);
create index attachments_created_at_idx on attachments (created_at);
comment on table attachments is
  'One row per file of an inbound message that a turn began to read; forgotten after a week.';
comment on column attachments.state is
  'fetching -> fetched (its bytes are here) -> read (text or a picture''s bytes are here) | refused (the contact is told why).';
comment on column attachments.attempts is
  'Counted before each attempt, so that a file that kills its reader is given up as well.';
comment on column attachments.media_type is 'Told by its bytes, whatever the vendor or the contact says.';
comment on column attachments.content is
  'Of a picture; of other files only between fetching and reading.';
comment on column attachments.notice is 'What the contact is told of a file that was refused.';
comment on column attachments.text is 'What a voice message says, or a document.';

create function has_unread_files(p_turn_id uuid) returns boolean as $$
  select exists (
    select from inbound_messages
      left join attachments on attachments.inbound_message_id = inbound_messages.id
     where inbound_messages.turn_id = p_turn_id and inbound_messages.state = 'taken'
       and media ->> 'type' <> 'sticker'
       and coalesce(attachments.state, 'fetching') in ('fetching', 'fetched'));
$$ language sql stable;
comment on function has_unread_files is
  'Whether a turn has files to read before it can be answered; a sticker says all with its emoji.';

create function begin_attachment(p_inbound_message_id bigint) returns attachments as $$
  insert into attachments as begun (
    inbound_message_id, organization_id, conversation_id, file_name
  )
  select id, organization_id, conversation_id, left(media ->> 'file_name', 256)
    from inbound_messages where id = p_inbound_message_id and state = 'taken'
     for share -- a revocation on its way would find no row to delete
  on conflict on constraint attachments_pkey do update set attempts = begun.attempts + 1
  returning *;
$$ language sql volatile;
comment on function begin_attachment is
  'Counts an attempt to read a file; no row when the contact took it back meanwhile.';

create function tg_inbound_messages__forget_attachment() returns trigger as $$
begin
  delete from attachments where inbound_message_id = new.id;
  -- The raw deliveries that brought it: the first was accepted in the transaction that stored it,
  -- others say that they repeated or edited something.
  update webhook_deliveries set body = ''
   where organization_id = new.organization_id and accepted_at >= new.received_at
     and (accepted_at = new.received_at or outcome ?| array['duplicate', 'edited'])
     and position(new.provider_message_id in replace(body, '\/', '/')) > 0;
  return new;
end;
$$ language plpgsql security definer set search_path = public, pg_temp;
comment on function tg_inbound_messages__forget_attachment is
  'Deletes what a contact took back from where a revocation would not look: the file, and the webhook as received.';
create trigger _500_forget_attachment
  after update of state on inbound_messages for each row
  when (new.state = 'revoked' and old.state <> 'revoked')
  execute function tg_inbound_messages__forget_attachment();
comment on trigger _500_forget_attachment on inbound_messages is
  'What was taken back is nowhere any more.';

create function forget_attachments() returns bigint as $$
  with forgotten as (
    delete from attachments where created_at < now() - interval '7 days'
    returning inbound_message_id
  )
  select count(*) from forgotten;
$$ language sql volatile;
comment on function forget_attachments is
  'Files and what was read in them are not kept for longer than a week; words of voice messages are in the history.';

do $$ begin perform apply_access(); end $$;
