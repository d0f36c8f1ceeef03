-- What a vendor tells besides messages to answer, and what it allows when we send.
-- Accepting functions can be run again: each says what is, not what to add. None of them waits for
-- a row that a turn holds for longer than a statement.
-- No installation has rows in these tables before the first release.
-- squawk-ignore-file require-concurrent-index-creation
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function accept_edit(p_channel_id uuid, p_provider_message_id text, p_body text)
returns text as $$
declare
  v_message inbound_messages;
begin
  perform enter_channel(p_channel_id);
  update inbound_messages set body = p_body, edited_at = now()
   where channel_id = p_channel_id and provider_message_id = p_provider_message_id
     and state <> 'revoked' and body <> p_body
  returning * into v_message;
  if not found then
    return 'nothing_to_edit';
  end if;
  perform correct_history(v_message, p_body);
  return 'edited';
end;
$$ language plpgsql volatile;
comment on function accept_edit is
  'Our copy of a message follows what the contact made of it; an answer that was given stays.';

create function accept_revocation(p_channel_id uuid, p_provider_message_id text)
returns text as $$
declare
  v_message inbound_messages;
begin
  perform enter_channel(p_channel_id);
  update inbound_messages
     set body = '', media = null, referral = null, state = 'revoked', edited_at = now()
   where channel_id = p_channel_id and provider_message_id = p_provider_message_id
     and state <> 'revoked'
  returning * into v_message;
  if not found then
    return 'nothing_to_revoke';
  end if;
  perform correct_history(v_message, '');
  return 'revoked';
end;
$$ language plpgsql volatile;
comment on function accept_revocation is
  'The words of a message that the contact took back are deleted; what waits of it is not answered.';

create function correct_history(p_message inbound_messages, p_body text) returns void as $$
  update messages set body = p_body
    from (
      select id, row_number() over (order by sent_at, id) as position
        from inbound_messages where turn_id = p_message.turn_id
    ) as lines
   where messages.turn_id = p_message.turn_id and author = 'contact'
     and lines.id = p_message.id and messages.position = lines.position;
$$ language sql volatile;
comment on function correct_history is 'Changes the line of the history that a message became.';

create function accept_reaction(p_channel_id uuid, p_provider_message_id text, p_emoji text)
returns text as $$
begin
  perform enter_channel(p_channel_id);
  update outbound_messages set reaction = p_emoji
   where provider_message_id = p_provider_message_id
     and conversation_id in (select id from conversations where channel_id = p_channel_id);
  return case when found then 'reaction' else 'reaction_to_another' end;
end;
$$ language plpgsql volatile;
comment on function accept_reaction is 'Keeps the emoji that a contact put on a message of ours, or took away.';

alter table contacts
  add column delivered_until timestamptz,
  add column read_until timestamptz;
comment on column contacts.delivered_until is
  'What was sent to them until then was delivered, where the vendor tells no more of it (Messenger).';
comment on column contacts.read_until is 'What was sent to them until then was read.';

create function accept_watermark(
  p_channel_id uuid, p_contact_key text, p_status text, p_up_to timestamptz
) returns text as $$
begin
  perform enter_channel(p_channel_id);
  -- Who notes at this moment that a message was sent waits for us, or we for them: else neither
  -- would see the other.
  perform from outbound_messages
    join conversations on conversations.id = outbound_messages.conversation_id
    join contacts on contacts.id = conversations.contact_id
   where conversations.channel_id = p_channel_id and contacts.contact_key = p_contact_key
     and outbound_messages.state in ('sending', 'unknown')
   order by outbound_messages.id for update of outbound_messages;
  -- Kept for what we are just sending: the mark may come before the answer to our call.
  update contacts
     set delivered_until = greatest(delivered_until, p_up_to),
         read_until = case p_status when 'read' then greatest(read_until, p_up_to) else read_until end
   where channel_id = p_channel_id and contact_key = p_contact_key;
  update outbound_messages set state = p_status
   -- By the time before our call: what we note after it is later than the vendor's own time of the
   -- message, which is the watermark.
   where sending_at <= p_up_to
     and state in ('sent', case when p_status = 'read' then 'delivered' else 'sent' end)
     and conversation_id in (
       select conversations.id
         from conversations join contacts on contacts.id = conversations.contact_id
        where conversations.channel_id = p_channel_id and contacts.contact_key = p_contact_key
     );
  return 'receipt';
end;
$$ language plpgsql volatile;
comment on function accept_watermark is
  'Everything that was sent to the contact until then was delivered, or read.';

create function tg_outbound_messages__catch_up() returns trigger as $$
begin
  perform lock_vendor_id(channel_id, new.provider_message_id)
     from conversations where id = new.conversation_id;
  select case
           when new.sending_at <= contacts.read_until or told.is_read then 'read'
           when new.sending_at <= contacts.delivered_until or told.is_delivered then 'delivered'
           else 'sent'
         end
    into new.state
    from conversations
    join contacts on contacts.id = conversations.contact_id
   cross join lateral (
     select bool_or(status in ('read', 'played')) as is_read,
            bool_or(status = 'delivered') as is_delivered
       from delivery_receipts
      where delivery_receipts.channel_id = conversations.channel_id
        and delivery_receipts.provider_message_id = new.provider_message_id
   ) as told
   where conversations.id = new.conversation_id;
  return new;
end;
$$ language plpgsql volatile;
comment on function tg_outbound_messages__catch_up is
  'A mark, or a receipt by the vendor''s id alone, that came before we knew that the message was sent counts for it, too.';
create trigger _100_catch_up before update of state on outbound_messages
  for each row when (new.state = 'sent' and old.state in ('sending', 'unknown'))
  execute function tg_outbound_messages__catch_up();
comment on trigger _100_catch_up on outbound_messages is 'States move forward only.';

create function accept_echo(
  p_channel_id uuid, p_contact_key text, p_address text, p_provider_message_id text,
  p_body text, p_sent_at timestamptz, p_reference text
) returns text as $$
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
  v_conversation_id uuid;
begin
  if is_reply_to_us(p_channel_id, p_provider_message_id) or exists (
    select from outbound_messages
      join conversations on conversations.id = outbound_messages.conversation_id
     where outbound_messages.id::text = p_reference and conversations.channel_id = p_channel_id
  ) then
    perform accept_receipt(
      p_channel_id, p_provider_message_id, 'sent', p_reference, null, p_sent_at);
    return 'receipt';
  end if;
  v_conversation_id := open_conversation(
    v_organization_id, p_channel_id,
    meet_contact(v_organization_id, p_channel_id, p_contact_key, p_address, null));
  insert into messages (
    organization_id, conversation_id, author, position, body, provider_message_id, written_at
  ) values (
    v_organization_id, v_conversation_id, 'teammate', 0, p_body, p_provider_message_id,
    coalesce(p_sent_at, now())
  ) on conflict on constraint messages_of_teammates_are_told_once do nothing;
  if found then
    perform silence_for_teammate(v_conversation_id);
  end if;
  return 'teammate';
end;
$$ language plpgsql volatile;
comment on function accept_echo is
  'What was written in the business''s name: by us, then it is a receipt; by a teammate, then the chatbot is silent.';

create function silence_for_teammate(p_conversation_id uuid) returns void as $$
  update conversations
     set mode = case mode when 'muted' then 'muted' else 'human' end,
         silent_until = now() + make_interval(hours => channels.teammate_hours)
    from channels
   where conversations.id = p_conversation_id and channels.id = conversations.channel_id;
$$ language sql volatile;
comment on function silence_for_teammate is 'A teammate is at the conversation: the chatbot waits for some hours.';

create function give_back_conversations() returns bigint as $$
  with given_back as (
    update conversations set mode = 'bot', silent_until = null
     where mode = 'human' and silent_until < now()
    returning id
  )
  select count(*) from given_back;
$$ language sql volatile;
comment on function give_back_conversations is
  'The chatbot takes over again where no teammate wrote for as long as the channel says.';
create index conversations_silent_until_idx on conversations (silent_until)
  where silent_until is not null;

create function accept_handover(p_channel_id uuid, p_contact_key text, p_is_ours boolean)
returns text as $$
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
  v_conversation_id constant uuid := open_conversation(
    v_organization_id, p_channel_id,
    meet_contact(v_organization_id, p_channel_id, p_contact_key, null, null));
begin
  update conversations
     set mode = case when mode = 'muted' then 'muted' when p_is_ours then 'bot' else 'human' end,
         silent_until = null
   where id = v_conversation_id;
  return case when p_is_ours then 'handed_to_us' else 'handed_away' end;
end;
$$ language plpgsql volatile;
comment on function accept_handover is
  'Another app answers from now on, until the thread is handed to us; no clock gives it back.';

create function accept_opt_out(p_channel_id uuid, p_contact_key text, p_is_out boolean)
returns text as $$
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
begin
  perform note_about_contact(
    meet_contact(v_organization_id, p_channel_id, p_contact_key, null, null),
    null, case when p_is_out then 'stop' else 'start' end);
  return case when p_is_out then 'opted_out' else 'opted_in' end;
end;
$$ language plpgsql volatile;
comment on function accept_opt_out is 'The vendor says that the contact blocked us, or does not any more.';

create function accept_notice(p_channel_id uuid, p_code text, p_subject text) returns text as $$
begin
  perform raise_alert(
    enter_channel(p_channel_id), 'warning', 'channel_notice',
    concat_ws(':', p_channel_id, p_code, p_subject),
    format('the vendor of channel %s says: %s', p_channel_id, concat_ws(' ', p_code, p_subject)));
  return 'notice';
end;
$$ language plpgsql volatile;
comment on function accept_notice is 'What a vendor tells about the account reaches a person.';

create function accept_identity(
  p_channel_id uuid, p_old_key text, p_new_key text, p_new_address text
) returns text as $$
declare
  v_old contacts;
  v_new contacts;
begin
  perform enter_channel(p_channel_id);
  select * into v_old from contacts
   where channel_id = p_channel_id and p_old_key in (contact_key, address)
   order by contact_key = p_old_key desc limit 1 for update;
  if not found then
    return 'nobody_known';
  end if;
  select * into v_new from contacts
   where channel_id = p_channel_id and p_new_key in (contact_key, address) and id <> v_old.id
   order by contact_key = p_new_key desc limit 1 for update;
  if found then
    return merge_contacts(v_old, v_new);
  end if;
  -- A business-scoped id outlives the number; a number that was the key gives way to the new one.
  update contacts
     set contact_key = case when contact_key = p_old_key then p_new_key else contact_key end,
         address = case
           when p_new_address is not null then p_new_address
           when address = p_old_key then p_new_key
           else address
         end
   where id = v_old.id;
  return 'renamed';
end;
$$ language plpgsql volatile;
comment on function accept_identity is
  'A contact has another number or id: their history follows them, into the contact that is known by the new one where there is one.';

create function merge_contacts(p_old contacts, p_new contacts) returns text as $$
declare
  v_row record;
begin
  for v_row in
    select old.id as old_id, new.id as new_id
      from conversations as old left join conversations as new
        on new.channel_id = old.channel_id and new.contact_id = p_new.id
       and new.group_key = old.group_key
     where old.contact_id = p_old.id
  loop
    if v_row.new_id is null then
      update conversations set contact_id = p_new.id where id = v_row.old_id;
    elsif not is_at_work(v_row.old_id) then
      update messages set conversation_id = v_row.new_id where conversation_id = v_row.old_id;
      update inbound_messages set conversation_id = v_row.new_id
       where conversation_id = v_row.old_id;
      update outbound_messages set conversation_id = v_row.new_id
       where conversation_id = v_row.old_id;
    end if;
  end loop;
  update contacts set opted_out_at = coalesce(opted_out_at, p_old.opted_out_at)
   where id = p_new.id;
  return 'merged';
end;
$$ language plpgsql volatile;
comment on function merge_contacts is
  'Moves the words of a contact to who they are now; turns stay where they were answered. A conversation that is being answered at this moment keeps its own: the reply must find its way.';

create function is_at_work(p_conversation_id uuid) returns boolean as $$
  select exists (
      select from turns
       where conversation_id = p_conversation_id and state in ('thinking', 'answered'))
    or exists (
      select from inbound_messages
       where conversation_id = p_conversation_id and state in ('waiting', 'taken'));
$$ language sql stable;
comment on function is_at_work is 'Whether something in the conversation waits or is being answered.';

create function last_reply(p_channel_id uuid, p_contact_key text, p_group_key text)
returns text as $$
declare
  v_body text;
begin
  perform enter_channel(p_channel_id);
  select outbound_messages.body into v_body
    from outbound_messages
    join conversations on conversations.id = outbound_messages.conversation_id
    join contacts on contacts.id = conversations.contact_id
   where conversations.channel_id = p_channel_id and conversations.group_key = p_group_key
     and contacts.contact_key = p_contact_key
     and outbound_messages.state in ('sent', 'delivered', 'read')
   order by outbound_messages.created_at desc, outbound_messages.position desc limit 1;
  return v_body;
end;
$$ language plpgsql stable;
comment on function last_reply is
  'What a contact read of us last: a bare number may stand for one of its options.';

create function earlier_of_album(
  p_channel_id uuid, p_album_id text, p_is_addressed boolean, p_reply_to text
) returns setof text as $$
begin
  perform enter_channel(p_channel_id);
  -- And volatile: what was committed meanwhile has to be seen.
  perform lock_vendor_id(p_channel_id, p_album_id);
  if not (p_is_addressed or is_reply_to_us(p_channel_id, p_reply_to)) then
    return;
  end if;
  return query
    select body from webhook_deliveries
     where channel_id = p_channel_id and accepted_at > now() - interval '1 minute'
       and outcome ? 'group_chatter' and position(p_album_id in body) > 0
     order by received_at;
end;
$$ language plpgsql volatile;
comment on function earlier_of_album is
  'Deliveries of the last minute, taken for the chatter of a group, that may hold the first pictures of an album of which a later one names or quotes us.';

create table feedback (
  turn_id uuid primary key,
  organization_id uuid not null,
  conversation_id uuid not null,
  body text not null check (length(body) between 1 and 4000),
  given_at timestamptz not null default now(),
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade,
  foreign key (turn_id, organization_id) references turns (id, organization_id) on delete cascade
);
create index feedback_conversation_id_idx on feedback (conversation_id, organization_id);
create index feedback_turn_id_idx on feedback (turn_id, organization_id);
comment on table feedback is 'One row per feedback that a contact gave by command.';

create table rate_buckets (
  channel_id uuid not null,
  subject text not null check (length(subject) <= 600),
  organization_id uuid not null,
  tokens numeric not null,
  refilled_at timestamptz not null,
  primary key (channel_id, subject),
  foreign key (channel_id, organization_id)
    references channels (id, organization_id) on delete cascade
);
create index rate_buckets_channel_id_idx on rate_buckets (channel_id, organization_id);
comment on table rate_buckets is
  'One row per rate that a vendor holds us to: of the account, of a contact, of a group.';
comment on column rate_buckets.subject is 'account, or the address that is written to.';

create function take_tokens(
  p_channel_id uuid, p_subjects text[], p_per_second numeric[], p_bursts numeric[]
) returns numeric as $$
declare
  v_now timestamptz;
  v_wait_seconds numeric;
begin
  -- Looked at before anything is locked: who is refused holds up nobody. A look that is too old can
  -- refuse for a moment too long, never let in too early.
  select max((1 - filled.tokens) / filled.per_second) into v_wait_seconds
    from (
      select wanted.per_second, least(wanted.burst, tokens + wanted.per_second
               * extract(epoch from clock_timestamp() - refilled_at)) as tokens
        from unnest(p_subjects, p_per_second, p_bursts) as wanted (subject, per_second, burst)
        join rate_buckets
          on channel_id = p_channel_id and rate_buckets.subject = wanted.subject
    ) as filled
   where filled.tokens < 1;
  if v_wait_seconds is not null then
    return v_wait_seconds;
  end if;
  -- In one order, whatever order they are named in: two who want the same never wait for each other.
  insert into rate_buckets (channel_id, subject, organization_id, tokens, refilled_at)
  select channels.id, wanted.subject, channels.organization_id, wanted.burst, clock_timestamp()
    from channels cross join unnest(p_subjects, p_bursts) as wanted (subject, burst)
   where channels.id = p_channel_id
   order by wanted.subject
  on conflict on constraint rate_buckets_pkey do nothing;
  perform from rate_buckets
    where channel_id = p_channel_id and subject = any(p_subjects) order by subject for update;
  v_now := clock_timestamp();
  update rate_buckets
     set tokens = least(wanted.burst, tokens + wanted.per_second
           * extract(epoch from v_now - refilled_at)),
         refilled_at = v_now
    from unnest(p_subjects, p_per_second, p_bursts) as wanted (subject, per_second, burst)
   where channel_id = p_channel_id and rate_buckets.subject = wanted.subject;
  select max((1 - tokens) / wanted.per_second) into v_wait_seconds
    from unnest(p_subjects, p_per_second) as wanted (subject, per_second)
    join rate_buckets
      on channel_id = p_channel_id and rate_buckets.subject = wanted.subject and tokens < 1;
  if v_wait_seconds is null then
    update rate_buckets set tokens = tokens - 1
     where channel_id = p_channel_id and subject = any(p_subjects);
  end if;
  return coalesce(v_wait_seconds, 0);
end;
$$ language plpgsql volatile;
comment on function take_tokens is
  'Takes one message''s worth of each rate, or of none: seconds to wait where one of them has none left.';

create function window_is_open(p_conversation_id uuid, p_hours integer) returns boolean as $$
  select coalesce(max(inbound_messages.sent_at) > now() - make_interval(hours => p_hours), false)
    from conversations
    -- In a group one member's message opens it for all.
    join conversations as same on same.id = conversations.id
      or (conversations.group_key <> '' and same.channel_id = conversations.channel_id
          and same.group_key = conversations.group_key)
    join inbound_messages on inbound_messages.conversation_id = same.id
   where conversations.id = p_conversation_id;
$$ language sql stable;
comment on function window_is_open is
  'Whether the contact wrote lately enough for free words, by the vendor''s clock.';

create function hold_outbound_message(p_outbound_message_id uuid) returns void as $$
  update outbound_messages
     set state = 'held', error_code = 'window_closed', attempts = greatest(attempts - 1, 0)
   where id = p_outbound_message_id and state in ('sending', 'unknown', 'sent');
  select raise_alert(
    conversations.organization_id, 'error', 'window_closed', conversations.channel_id::text,
    format('reply %s of conversation %s came after the vendor''s window and waits for a person',
           outbound_messages.id, conversations.id))
    from outbound_messages
    join conversations on conversations.id = outbound_messages.conversation_id
   where outbound_messages.id = p_outbound_message_id and outbound_messages.state = 'held';
$$ language sql volatile;
comment on function hold_outbound_message is
  'Keeps a reply that the vendor would refuse, and tells a person.';

create table template_sends (
  turn_id uuid primary key,
  organization_id uuid not null,
  conversation_id uuid not null,
  outbound_message_id uuid not null,
  state text not null default 'ready'
    check (state in ('ready', 'sending', 'sent', 'failed', 'unknown')),
  provider_message_id text,
  error_code text,
  asked_at timestamptz not null default now(),
  foreign key (conversation_id, organization_id)
    references conversations (id, organization_id) on delete cascade,
  foreign key (turn_id, organization_id) references turns (id, organization_id) on delete cascade
);
create index template_sends_conversation_id_idx
  on template_sends (conversation_id, organization_id);
create index template_sends_turn_id_idx on template_sends (turn_id, organization_id);
create index template_sends_outbound_message_id_idx on template_sends (outbound_message_id);
comment on table template_sends is
  'One row per turn whose reply was held, on a channel with a template: it asks the contact to write again, once a turn.';
comment on column template_sends.outbound_message_id is
  'The reply that was held; its id goes to the vendor as our reference.';
comment on column template_sends.state is
  'ready -> sending (committed before the call) -> sent | failed (refused; alerted) | unknown (nobody can say; alerted); sending -> ready (surely not accepted). Ends are never tried again.';

create function ask_for_template(p_outbound_message_id uuid) returns void as $$
  insert into template_sends (turn_id, organization_id, conversation_id, outbound_message_id)
  select turn_id, organization_id, conversation_id, id
    from outbound_messages where id = p_outbound_message_id
  on conflict on constraint template_sends_pkey do nothing;
$$ language sql volatile;
comment on function ask_for_template is
  'Has the channel''s template sent for a reply that is held, where that was not done for its turn.';

create function claim_template(p_turn_id uuid, p_fence bigint) returns uuid as $$
declare
  v_outbound_message_id uuid;
begin
  perform enter_turn(p_turn_id, p_fence);
  -- Of a worker that was lost in the middle of the call nobody knows what became of it.
  update template_sends set state = 'unknown' where turn_id = p_turn_id and state = 'sending';
  -- While the vendor could not be reached, a teammate may have taken over, or the contact may have
  -- written or opted out. A takeover in this moment waits, or is waited for.
  perform from conversations
    where id = (select conversation_id from turns where turns.id = p_turn_id) for share;
  update template_sends set state = 'failed', error_code = 'not_wanted'
    from conversations join contacts on contacts.id = conversations.contact_id
   where template_sends.turn_id = p_turn_id and template_sends.state = 'ready'
     and conversations.id = template_sends.conversation_id
     and (
       conversations.mode <> 'bot' or contacts.opted_out_at is not null
       or exists (
         select from inbound_messages
          where inbound_messages.conversation_id = conversations.id
            and received_at > template_sends.asked_at
       )
     );
  update template_sends set state = 'sending' where turn_id = p_turn_id and state = 'ready'
  returning outbound_message_id into v_outbound_message_id;
  return v_outbound_message_id;
end;
$$ language plpgsql volatile;
comment on function claim_template is
  'The reference for the template of a turn, marked as being sent before it is; null where there is none to send.';

create function settle_template(
  p_outbound_message_id uuid, p_state text, p_provider_message_id text, p_error_code text
) returns void as $$
  update template_sends
     set state = p_state, provider_message_id = p_provider_message_id, error_code = p_error_code
   where outbound_message_id = p_outbound_message_id
     and (state = 'sending' or state = 'unknown' and p_state = 'sent');
$$ language sql volatile;
comment on function settle_template is
  'What became of a template: also noted by who lost the turn meanwhile, if it surely went out.';

create function tg_template_sends__raise_alert() returns trigger as $$
begin
  perform raise_alert(
    new.organization_id, 'error', 'template_not_sent',
    concat_ws(':', conversations.channel_id, coalesce(new.error_code, new.state)),
    format('the template for conversation %s: %s', new.conversation_id,
           case new.state when 'unknown' then 'nobody can say whether it reached the contact'
           else 'refused with code ' || coalesce(left(new.error_code, 60), 'none') end))
    from conversations where conversations.id = new.conversation_id;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_template_sends__raise_alert is
  'Tells us that a contact was not asked to write again: the held reply waits for a person alone.';
create trigger _500_raise_alert after update of state on template_sends
  for each row
  when (new.state in ('failed', 'unknown') and old.state <> new.state
        and coalesce(new.error_code, '') not in ('contact_gone', 'not_wanted'))
  execute function tg_template_sends__raise_alert();
comment on trigger _500_raise_alert on template_sends is 'One occurrence per template and end.';

create function tg_turns__give_up_template() returns trigger as $$
begin
  update template_sends
     set state = case state when 'sending' then 'unknown' else 'failed' end,
         error_code = 'turn_buried'
   where turn_id = new.id and state in ('ready', 'sending');
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_turns__give_up_template is 'What five attempts did not bring out is over.';
create trigger _650_give_up_template after update of state on turns
  for each row when (new.state = 'buried' and old.state <> 'buried')
  execute function tg_turns__give_up_template();
comment on trigger _650_give_up_template on turns is 'No template is left without an end.';

create function tg_delivery_receipts__refuse_template() returns trigger as $$
begin
  update template_sends
     set state = 'failed',
         error_code = case when new.status like '%:gone' then 'contact_gone' else new.error_code end
   where outbound_message_id = new.client_reference::uuid
     and state in ('sending', 'sent', 'unknown');
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_delivery_receipts__refuse_template is
  'A template that the vendor took first and refused then did not reach the contact either.';
create trigger _500_refuse_template after insert on delivery_receipts
  for each row
  when (new.error_code is not null
        and new.client_reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
  execute function tg_delivery_receipts__refuse_template();
comment on trigger _500_refuse_template on delivery_receipts is 'Refusals alone are looked at.';

create function note_contact_gone(p_outbound_message_id uuid) returns void as $$
  update contacts set opted_out_at = coalesce(opted_out_at, now())
   where id = (
     select contact_id
       from conversations
       join outbound_messages on outbound_messages.conversation_id = conversations.id
      where outbound_messages.id = p_outbound_message_id and group_key = '');
$$ language sql volatile;
comment on function note_contact_gone is
  'The contact of a message, or of the template for it, blocked us or left: nobody writes to them again. Of a group nobody of its members is meant.';

create function accept_failure(
  p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text,
  p_error_code text, p_occurred_at timestamptz, p_meaning text
) returns void as $$
declare
  v_message outbound_messages;
begin
  perform enter_channel(p_channel_id);
  select outbound_messages.* into v_message
    from outbound_messages
    join conversations on conversations.id = outbound_messages.conversation_id
   where conversations.channel_id = p_channel_id
     and (provider_message_id = p_provider_message_id
          or outbound_messages.id::text = p_client_reference);
  -- A word that moves nothing by itself.
  perform accept_receipt(
    p_channel_id, p_provider_message_id, p_status || ':' || p_meaning, p_client_reference,
    p_error_code, p_occurred_at);
  if p_meaning = 'gone' and v_message.state in ('sending', 'unknown', 'sent', 'held') then
    update outbound_messages set state = 'failed', error_code = 'contact_gone'
     where id = v_message.id and state <> 'held';  -- what was refused then is the template for it
    perform note_contact_gone(v_message.id);
  elsif p_meaning = 'window_closed' and v_message.state in ('sending', 'unknown', 'sent') then
    perform hold_outbound_message(v_message.id);
  end if;
end;
$$ language plpgsql volatile;
comment on function accept_failure is
  'What a vendor refused after it had taken it: outside the window it is held like one that was refused at once; a contact who is gone is not written to again.';

create function fail_unreached_replies() returns bigint as $$
  with failed as (
    update outbound_messages set state = 'failed', error_code = refused.error_code
      from (
        select distinct on (channel_id, provider_message_id)
               channel_id, provider_message_id, error_code
          from delivery_receipts
         where participant <> '' and status in ('failed', 'undelivered')
           and received_at > now() - interval '1 day'
         order by channel_id, provider_message_id, received_at desc
      ) as refused
     where outbound_messages.provider_message_id = refused.provider_message_id
       and outbound_messages.state = 'sent'
       and exists (
         select from conversations
          where conversations.id = outbound_messages.conversation_id
            and conversations.channel_id = refused.channel_id
       )
       -- Nobody tells how many participants there are: each had the time for a first word.
       and grace_left_seconds(outbound_messages) <= 0
       and not exists (
         select from delivery_receipts as told
          where told.channel_id = refused.channel_id
            and told.provider_message_id = refused.provider_message_id
            and told.participant <> ''
          group by told.participant
         having not bool_or(told.status in ('failed', 'undelivered'))
       )
    returning outbound_messages.id
  )
  select count(*) from failed;
$$ language sql volatile;
comment on function fail_unreached_replies is
  'A reply to a group of which every participant that the vendor told of was refused did not arrive: it ends and is alerted as one to a single contact.';

create function tg_outbound_messages__end_reply() returns trigger as $$
begin
  update outbound_messages
     set state = new.state,
         error_code = case
           when new.error_code in ('contact_gone', 'window_closed') then new.error_code
           else 'reply_ended'
         end
   where turn_id = new.turn_id and state = 'ready';
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_outbound_messages__end_reply is
  'Where one piece of a reply is refused or held, those behind it are not offered to the vendor any more: an answer without its beginning is none. One alert tells of them all.';
create trigger _600_end_reply after update of state on outbound_messages
  for each row when (new.state in ('failed', 'held') and old.state <> new.state)
  execute function tg_outbound_messages__end_reply();
comment on trigger _600_end_reply on outbound_messages is 'A reply ends with the piece that was refused.';

create function accept_group_move(p_channel_id uuid, p_old_key text, p_new_key text)
returns text as $$
begin
  perform enter_channel(p_channel_id);
  -- Behind a slash is a topic of the group.
  update conversations
     set group_key = p_new_key || substr(group_key, length(p_old_key) + 1)
   where channel_id = p_channel_id and split_part(group_key, '/', 1) = p_old_key
     and not exists (
       select from conversations as moved
        where moved.channel_id = p_channel_id and moved.contact_id = conversations.contact_id
          and moved.group_key = p_new_key || substr(conversations.group_key, length(p_old_key) + 1));
  return 'group_moved';
end;
$$ language plpgsql volatile;
comment on function accept_group_move is
  'A group goes on under another id, with everybody''s history; who wrote under the new one already keeps both.';

create function channels_to_check() returns setof channels as $$
  select channels.*
    from channels join organizations on organizations.id = channels.organization_id
   where channels.is_active and organizations.is_active
     and channels.sealed_credentials is not null;
$$ language sql stable;
comment on function channels_to_check is 'Every channel in use that has credentials.';

create function report_channel_problem(p_channel_id uuid, p_code text, p_details text)
returns void as $$
  select raise_alert(
    organization_id, 'error', 'channel_broken', concat_ws(':', id, p_code),
    format('channel %s: %s', id, concat_ws(' ', p_code, p_details)))
    from channels where id = p_channel_id;
$$ language sql volatile;
comment on function report_channel_problem is 'What a look at the vendor found wrong reaches a person.';

create function silent_channels()
returns table (channel_id uuid, organization_id uuid, hours integer, usual_messages numeric) as $$
  select channels.id, channels.organization_id, spans.hours, usual.messages
    from channels
    join organizations on organizations.id = channels.organization_id
   cross join unnest(array[1, 3, 12]) as spans (hours)
   cross join lateral (
     -- The same hours of the seven days before.
     select count(*) / 7.0 as messages
       from generate_series(1, 7) as day
       join inbound_messages on inbound_messages.channel_id = channels.id
        and received_at > now() - make_interval(days => day, hours => spans.hours)
        and received_at <= now() - make_interval(days => day)
   ) as usual
   where channels.is_active and organizations.is_active and usual.messages >= 10
     and not exists (
       select from inbound_messages
        where inbound_messages.channel_id = channels.id
          and received_at > now() - make_interval(hours => spans.hours))
   order by channels.id, spans.hours;
$$ language sql stable;
comment on function silent_channels is
  'Channels that brought nothing for 1, 3 or 12 hours. Where at least 10 messages come at this time of day on average, none at all is no chance.';

create function report_silent_channels() returns bigint as $$
  with reported as (
    select raise_alert(
             organization_id, 'error', 'channel_silent', channel_id::text,
             format('channel %s brought nothing for %s hours; usually it brings %s messages then',
                    channel_id, hours, round(usual_messages)))
      from silent_channels()
  )
  select count(*) from reported;
$$ language sql volatile;
comment on function report_silent_channels is 'A dead man''s switch.';
create index inbound_messages_received_at_idx on inbound_messages (channel_id, received_at);

do $$ begin perform apply_access(); end $$;
