-- Accepting: from a delivery's items to rows of the inbox and receipts. All can be done again:
-- the provider's id is the key. The organization comes from the channel's row, never from a body.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function enter_channel(p_channel_id uuid) returns uuid as $$
declare
  v_organization_id uuid;
begin
  select organization_id into v_organization_id from channels where id = p_channel_id;
  if not found then
    raise exception 'channel % is unknown', p_channel_id using errcode = 'no_data_found';
  end if;
  perform prove_organization(v_organization_id);
  return v_organization_id;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function enter_channel is
  'Opens the transaction to the channel''s organization: who knows the id of a channel, a random uuid, has verified its webhook''s signature.';

create function accept_message(
  p_channel_id uuid, p_contact_key text, p_address text, p_name text,
  p_provider_message_id text, p_kind text, p_body text, p_media jsonb, p_reply_to text,
  p_sent_at timestamptz, p_group_key text default '', p_is_addressed boolean default true,
  p_referral text default null, p_album_id text default null, p_language text default null,
  p_command text default null
) returns table (outcome text, conversation_id uuid, wait_seconds numeric) as $$
#variable_conflict use_column
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
  v_contact_id uuid;
  v_conversation_id uuid;
  v_state text;
begin
  if p_group_key <> '' and p_album_id is not null then
    -- Webhooks of one album overlap: of two that do not see each other one is taken for chatter.
    perform lock_vendor_id(p_channel_id, p_album_id);
  end if;
  if not (p_is_addressed or is_reply_to_us(p_channel_id, p_reply_to)
          or is_of_album(p_channel_id, p_contact_key, p_group_key, p_album_id)) then
    return query select 'group_chatter', null::uuid, null::numeric;
    return;
  end if;
  v_contact_id := meet_contact(v_organization_id, p_channel_id, p_contact_key, p_address, p_name);
  v_conversation_id :=
    open_conversation(v_organization_id, p_channel_id, v_contact_id, p_group_key);
  v_state := case when is_late(p_channel_id, p_sent_at) then 'held' else 'waiting' end;

  insert into inbound_messages (
    organization_id, channel_id, conversation_id, provider_message_id,
    kind, body, media, reply_to, sent_at, referral, album_id, command, state
  ) values (
    v_organization_id, p_channel_id, v_conversation_id, p_provider_message_id,
    p_kind, p_body, p_media, p_reply_to, coalesce(p_sent_at, now()), p_referral, p_album_id,
    p_command, v_state
  ) on conflict on constraint inbound_messages_are_stored_once do nothing;
  if not found then
    return query select 'duplicate', v_conversation_id, null::numeric;
    return;
  end if;
  -- Only once: a STOP that is brought again must not undo a START that came since.
  perform note_about_contact(v_contact_id, p_language, p_command);
  if v_state = 'held' then
    perform raise_alert(
      v_organization_id, 'warning', 'message_late', p_channel_id::text,
      format('a message of conversation %s came late and waits for a person', v_conversation_id));
    return query select 'late', v_conversation_id, null::numeric;
  else
    return query select 'new', v_conversation_id,
      wake_conversation(
        v_conversation_id, p_channel_id,
        case when p_album_id is null then p_kind else 'album' end, p_body);
  end if;
end;
$$ language plpgsql volatile;
comment on function accept_message is
  'Stores one message once and makes its conversation due; what is not for us in a group (group_chatter) is not stored, what comes late is kept and wakes nobody. wait_seconds: start a flow after so long; null: one is on its way, or whoever holds the conversation will look again.';

create function is_late(p_channel_id uuid, p_sent_at timestamptz) returns boolean as $$
  select coalesce(p_sent_at < now() - make_interval(secs => late_after_seconds), false)
    from channels where id = p_channel_id;
$$ language sql stable;
comment on function is_late is 'Whether the vendor brings a message so late that an automatic answer would be odd.';

create function is_reply_to_us(p_channel_id uuid, p_reply_to text) returns boolean as $$
  select exists (
    select from outbound_messages
      join conversations on conversations.id = outbound_messages.conversation_id
     where outbound_messages.provider_message_id = p_reply_to
       and conversations.channel_id = p_channel_id
  );
$$ language sql stable;
comment on function is_reply_to_us is 'Whether a quoted message is one that we sent on this channel.';

create function lock_vendor_id(p_channel_id uuid, p_vendor_id text) returns void as $$
  select pg_advisory_xact_lock(hashtextextended(p_channel_id || ':' || p_vendor_id, 0));
$$ language sql volatile strict;
comment on function lock_vendor_id is
  'Who works on the same thing of a vendor''s, of which there may be no row to lock yet, one after the other until the transaction ends.';

create function is_of_album(
  p_channel_id uuid, p_contact_key text, p_group_key text, p_album_id text
) returns boolean as $$
  select p_album_id is not null and exists (
    select from inbound_messages
      join conversations on conversations.id = inbound_messages.conversation_id
      join contacts on contacts.id = conversations.contact_id
     where conversations.channel_id = p_channel_id and conversations.group_key = p_group_key
       and contacts.contact_key = p_contact_key and inbound_messages.album_id = p_album_id
  );
$$ language sql stable;
comment on function is_of_album is
  'Whether a message was sent together with one that is here already: in a group, only one of them names us.';

create function note_about_contact(p_contact_id uuid, p_language text, p_command text)
returns void as $$
  update contacts
     set language = coalesce(p_language, language),
         opted_out_at = case p_command
           when 'stop' then coalesce(opted_out_at, now())
           when 'start' then null
           else opted_out_at
         end
   where id = p_contact_id
     and (language is distinct from coalesce(p_language, language) or p_command in ('stop', 'start'));
$$ language sql volatile;
comment on function note_about_contact is
  'Language and opt-out hold from the moment a message is accepted, whoever answers it and when.';

create function wake_conversation(
  p_conversation_id uuid, p_channel_id uuid, p_kind text, p_body text
) returns numeric as $$
declare
  v_chatbot chatbots;
  v_work conversation_work;
begin
  select chatbots.* into strict v_chatbot
    from channels join chatbots on chatbots.id = channels.chatbot_id
   where channels.id = p_channel_id;
  -- The row lock makes arrivals and releases of one conversation follow each other.
  insert into conversation_work as work (
    conversation_id, organization_id, arrivals, waiting_since, due_at
  ) values (
    p_conversation_id, v_chatbot.organization_id, 1, now(),
    now() + make_interval(secs => least(
      burst_wait_seconds(p_kind, p_body, v_chatbot.debounce_seconds),
      v_chatbot.debounce_cap_seconds
    )::double precision)
  )
  on conflict (conversation_id) do update
    set arrivals = work.arrivals + 1,
        waiting_since = coalesce(work.waiting_since, excluded.waiting_since),
        due_at = greatest(work.not_before, least(
          excluded.due_at,
          work.waiting_since
            + make_interval(secs => v_chatbot.debounce_cap_seconds::double precision)
        ))
  returning * into v_work;
  return nudge_conversation(v_work);
end;
$$ language plpgsql volatile;
comment on function wake_conversation is
  'Counts an arrival and says when to answer: a pause after the newest message, capped from the first one on, never before a back-off ends.';

create function burst_wait_seconds(p_kind text, p_body text, p_usual_seconds numeric)
returns numeric as $$
  select case when p_kind = 'album' then greatest(2 * p_usual_seconds, 1.5) else p_usual_seconds * case
    -- A photo is seldom sent without a word about it, a greeting never is the question.
    when p_kind <> 'text' then 2
    when p_body ~* '^\W*(hi|hello|hey|hola|ol[aá]|hallo|moin|bonjour|salut|ciao|oi|buen[oa]s( d[ií]as| tardes| noches)?|bom dia|boa (tarde|noite)|guten (morgen|tag|abend)|good (morning|afternoon|evening))\W*$' then 2
    when p_body ~ '[?？؟]\s*$' then 0.4
    when p_body ~ '([,;:…-]|\.\.)\s*$' then 2
    when p_body ~ '[.!。！]\s*$' then 0.7
    when array_length(regexp_split_to_array(trim(p_body), '\s+'), 1) < 4 then 2
    else 1
  end end;
$$ language sql immutable;
comment on function burst_wait_seconds is
  'How long to wait for the contact''s next message: short after a finished question, long after a fragment, a photo or a greeting; 0 stays 0. Pictures of an album come one by one: they are waited for always.';

create function meet_contact(
  p_organization_id uuid, p_channel_id uuid, p_contact_key text, p_address text, p_name text
) returns uuid as $$
declare
  v_contact contacts;
begin
  select * into v_contact from contacts
   where channel_id = p_channel_id and contact_key in (p_contact_key, p_address)
   order by contact_key = p_contact_key desc limit 1;
  if not found then
    -- Echoes and handovers may name a number alone, where messages brought a lasting id with it.
    select * into v_contact from contacts
     where channel_id = p_channel_id and address = p_contact_key
     order by created_at desc limit 1;
    if found then
      return v_contact.id;
    end if;
  end if;
  if v_contact.contact_key = p_contact_key
     and v_contact.name is not distinct from coalesce(p_name, v_contact.name)
     and v_contact.address is not distinct from coalesce(p_address, v_contact.address) then
    return v_contact.id;  -- the usual case writes nothing
  end if;
  if v_contact.contact_key <> p_contact_key then
    -- Known by number until now: the vendor gave them a lasting id.
    update contacts set contact_key = p_contact_key where id = v_contact.id;
  end if;
  insert into contacts (organization_id, channel_id, contact_key, address, name)
  values (p_organization_id, p_channel_id, p_contact_key, p_address, p_name)
  on conflict on constraint contacts_are_known_once do update
    set name = coalesce(excluded.name, contacts.name),
        address = coalesce(excluded.address, contacts.address)
  returning * into v_contact;
  return v_contact.id;
end;
$$ language plpgsql volatile;
comment on function meet_contact is 'The contact''s id, with the newest name and address that the vendor told us; one first known by number stays the same contact when a lasting id comes, and one known by that id when the number comes alone.';

create function open_conversation(
  p_organization_id uuid, p_channel_id uuid, p_contact_id uuid, p_group_key text default ''
) returns uuid as $$
declare
  v_conversation_id uuid;
begin
  select id into v_conversation_id from conversations
   where channel_id = p_channel_id and contact_id = p_contact_id and group_key = p_group_key;
  if found then
    return v_conversation_id;
  end if;
  insert into conversations (organization_id, channel_id, contact_id, group_key)
  values (p_organization_id, p_channel_id, p_contact_id, p_group_key)
  on conflict on constraint conversations_are_one_per_contact do update
    set contact_id = excluded.contact_id  -- a no-op write: the row that won comes back
  returning id into v_conversation_id;
  return v_conversation_id;
end;
$$ language plpgsql volatile;
comment on function open_conversation is 'The one conversation of a contact on a channel, or in one of its groups.';

create function nudge_conversation(p_work conversation_work) returns numeric as $$
  -- A flow that is lost before it claims is replaced by the sweep; where flows are late because
  -- the workers are, each one that is started is trusted twice as long as the one before.
  update conversation_work
     set nudged_for = greatest(due_at, now()),
         nudged_until = greatest(due_at, now())
           + make_interval(secs => least(5 * 2 ^ least(nudges, 4), 60)),
         nudges = nudges + 1
   where conversation_id = p_work.conversation_id
     and due_at is not null
     and (lease_until is null or lease_until < now())
     and (nudged_until is null or nudged_until < now() or due_at < nudged_for)
  returning greatest(0, extract(epoch from due_at - now()));
$$ language sql volatile;
comment on function nudge_conversation is
  'Says after how many seconds to start a flow, and notes that one comes; null when none is needed.';

create function accept_receipt(
  p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text,
  p_error_code text, p_occurred_at timestamptz, p_participant text default ''
) returns void as $$
declare
  v_states constant text[] :=
    array['ready', 'sending', 'unknown', 'sent', 'delivered', 'read', 'failed'];
  -- Words of single vendors; any other is kept and moves nothing.
  v_status constant text := case
    -- What one of a group did not get says nothing of the others.
    when p_participant <> '' and p_status in ('undelivered', 'failed') then null
    when p_status = 'played' then 'read'
    when p_status = 'undelivered' then 'failed'
    when p_status in ('sent', 'delivered', 'read', 'failed') then p_status
  end;
  v_reference constant uuid := case
    when p_client_reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    then p_client_reference::uuid
  end;
  v_message outbound_messages;
begin
  -- Without our reference it is known by the vendor's id alone, which may just be noted
  -- (tg_outbound_messages__catch_up); in a group no watermark catches up on it.
  if p_participant <> '' and v_reference is null then
    perform lock_vendor_id(p_channel_id, p_provider_message_id);
  end if;
  insert into delivery_receipts (
    channel_id, organization_id, provider_message_id, status, participant, client_reference,
    error_code, occurred_at
  ) values (
    p_channel_id, enter_channel(p_channel_id), p_provider_message_id, p_status, p_participant,
    p_client_reference, p_error_code, p_occurred_at
  ) on conflict on constraint delivery_receipts_pkey do nothing;
  -- Receipts come doubled and out of order: a state only moves forward, failed is final.
  update outbound_messages
     set state = v_status,
         error_code = coalesce(p_error_code, error_code),
         sent_at = coalesce(sent_at, p_occurred_at, now()),
         provider_message_id = coalesce(provider_message_id, p_provider_message_id)
   where (provider_message_id = p_provider_message_id or id = v_reference)
     and conversation_id in (select id from conversations where channel_id = p_channel_id)
     and array_position(v_states, state) < array_position(v_states, v_status)
  returning * into v_message;
  if not found then
    return;
  end if;
  -- Who waited to learn what became of the send need not wait for the grace to end.
  -- Skip locked: whoever has the row is at work there, and waiting for it could deadlock.
  update conversation_work set due_at = now()
   where conversation_id = (
     select conversation_id from conversation_work
      where conversation_id = v_message.conversation_id
        and due_at > now() and not_before is null and lease_until is null
      for update skip locked
   );
end;
$$ language plpgsql volatile;
comment on function accept_receipt is 'Stores a vendor''s status once and moves our message forward by it.';
