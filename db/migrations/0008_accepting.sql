-- Accepting: from a delivery's items to rows of the inbox and receipts. All can be done again:
-- the provider's id is the key. The organization comes from the channel's row, never from a body.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function accept_message(
  p_channel_id uuid, p_contact_key text, p_address text, p_name text,
  p_provider_message_id text, p_kind text, p_body text, p_media jsonb, p_reply_to text,
  p_sent_at timestamptz
) returns table (outcome text, conversation_id uuid, wait_seconds numeric) as $$
#variable_conflict use_column
declare
  v_organization_id uuid;
  v_debounce_seconds numeric;
  v_contact_id uuid;
  v_conversation_id uuid;
  v_work conversation_work;
begin
  select channels.organization_id, chatbots.debounce_seconds
    into strict v_organization_id, v_debounce_seconds
    from channels join chatbots on chatbots.id = channels.chatbot_id
   where channels.id = p_channel_id;

  v_contact_id := meet_contact(v_organization_id, p_channel_id, p_contact_key, p_address, p_name);
  v_conversation_id := open_conversation(v_organization_id, p_channel_id, v_contact_id);

  insert into inbound_messages (
    organization_id, channel_id, conversation_id, provider_message_id,
    kind, body, media, reply_to, sent_at
  ) values (
    v_organization_id, p_channel_id, v_conversation_id, p_provider_message_id,
    p_kind, p_body, p_media, p_reply_to, coalesce(p_sent_at, now())
  ) on conflict on constraint inbound_messages_are_stored_once do nothing;
  if not found then
    return query select 'duplicate', v_conversation_id, null::numeric;
    return;
  end if;

  -- The row lock makes arrivals and releases of one conversation follow each other.
  insert into conversation_work as work (conversation_id, organization_id, due_at, arrivals)
  values (v_conversation_id, v_organization_id,
          now() + make_interval(secs => v_debounce_seconds::double precision), 1)
  on conflict (conversation_id) do update
    -- Not earlier than it is: after a failure the later time is the back-off.
    set due_at = coalesce(work.due_at, excluded.due_at),
        arrivals = work.arrivals + 1
  returning work.* into v_work;

  return query select 'new', v_conversation_id, nudge_conversation(v_work);
end;
$$ language plpgsql volatile;
comment on function accept_message is
  'Stores one message once and makes its conversation due. wait_seconds: start a flow after so long; null: one is on its way, or whoever holds the conversation will look again.';

create function meet_contact(
  p_organization_id uuid, p_channel_id uuid, p_contact_key text, p_address text, p_name text
) returns uuid as $$
declare
  v_contact contacts;
begin
  select * into v_contact from contacts
   where channel_id = p_channel_id and contact_key in (p_contact_key, p_address)
   order by contact_key = p_contact_key desc limit 1;
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
comment on function meet_contact is 'The contact''s id, with the newest name and address that the vendor told us; one first known by number stays the same contact when a lasting id comes.';

create function open_conversation(p_organization_id uuid, p_channel_id uuid, p_contact_id uuid)
returns uuid as $$
declare
  v_conversation_id uuid;
begin
  select id into v_conversation_id from conversations
   where channel_id = p_channel_id and contact_id = p_contact_id;
  if found then
    return v_conversation_id;
  end if;
  insert into conversations (organization_id, channel_id, contact_id)
  values (p_organization_id, p_channel_id, p_contact_id)
  on conflict on constraint conversations_are_one_per_contact do update
    set contact_id = excluded.contact_id  -- a no-op write: the row that won comes back
  returning id into v_conversation_id;
  return v_conversation_id;
end;
$$ language plpgsql volatile;
comment on function open_conversation is 'The one conversation of a contact on a channel.';

create function nudge_conversation(p_work conversation_work) returns numeric as $$
  update conversation_work
     set nudged_until = greatest(due_at, now()) + interval '30 seconds'
   where conversation_id = p_work.conversation_id
     and due_at is not null
     and (lease_until is null or lease_until < now())
     and (nudged_until is null or nudged_until < now())
  returning greatest(0, extract(epoch from due_at - now()));
$$ language sql volatile;
comment on function nudge_conversation is
  'Says after how many seconds to start a flow, and notes that one comes; null when none is needed.';

create function accept_receipt(
  p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text,
  p_error_code text, p_occurred_at timestamptz
) returns void as $$
declare
  v_states constant text[] :=
    array['ready', 'sending', 'unknown', 'sent', 'delivered', 'read', 'failed'];
  v_reference constant uuid := case
    when p_client_reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    then p_client_reference::uuid
  end;
  v_message outbound_messages;
begin
  insert into delivery_receipts (
    channel_id, organization_id, provider_message_id, status, client_reference, error_code, occurred_at
  )
  select p_channel_id, channels.organization_id, p_provider_message_id, p_status,
         p_client_reference, p_error_code, p_occurred_at
    from channels where channels.id = p_channel_id
  on conflict on constraint delivery_receipts_pkey do nothing;
  -- Receipts come doubled and out of order: a state only moves forward, failed is final.
  update outbound_messages
     set state = p_status,
         error_code = coalesce(p_error_code, error_code),
         sent_at = coalesce(sent_at, p_occurred_at, now()),
         provider_message_id = coalesce(provider_message_id, p_provider_message_id)
   where (provider_message_id = p_provider_message_id or id = v_reference)
     and conversation_id in (select id from conversations where channel_id = p_channel_id)
     and p_status in ('sent', 'delivered', 'read', 'failed')
     and array_position(v_states, state) < array_position(v_states, p_status)
  returning * into v_message;
  if v_message.state = 'failed' then
    perform raise_alert(v_message.organization_id, 'error', 'delivery_refused',
      v_message.conversation_id::text,
      format('the vendor could not deliver message %s: %s', v_message.id, p_error_code));
  end if;
end;
$$ language plpgsql volatile;
comment on function accept_receipt is 'Stores a vendor''s status once and moves our message forward by it.';
