CREATE SCHEMA public;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE FUNCTION public.accept_echo(p_channel_id uuid, p_contact_key text, p_address text, p_provider_message_id text, p_body text, p_sent_at timestamp with time zone, p_reference text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_echo(p_channel_id uuid, p_contact_key text, p_address text, p_provider_message_id text, p_body text, p_sent_at timestamp with time zone, p_reference text) IS 'What was written in the business''s name: by us, then it is a receipt; by a teammate, then the chatbot is silent.';

CREATE FUNCTION public.accept_edit(p_channel_id uuid, p_provider_message_id text, p_body text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_edit(p_channel_id uuid, p_provider_message_id text, p_body text) IS 'Our copy of a message follows what the contact made of it; an answer that was given stays.';

CREATE FUNCTION public.accept_failure(p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text, p_error_code text, p_occurred_at timestamp with time zone, p_meaning text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_failure(p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text, p_error_code text, p_occurred_at timestamp with time zone, p_meaning text) IS 'What a vendor refused after it had taken it: outside the window it is held like one that was refused at once; a contact who is gone is not written to again.';

CREATE FUNCTION public.accept_group_move(p_channel_id uuid, p_old_key text, p_new_key text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_group_move(p_channel_id uuid, p_old_key text, p_new_key text) IS 'A group goes on under another id, with everybody''s history; who wrote under the new one already keeps both.';

CREATE FUNCTION public.accept_handover(p_channel_id uuid, p_contact_key text, p_is_ours boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_handover(p_channel_id uuid, p_contact_key text, p_is_ours boolean) IS 'Another app answers from now on, until the thread is handed to us; no clock gives it back.';

CREATE FUNCTION public.accept_identity(p_channel_id uuid, p_old_key text, p_new_key text, p_new_address text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_identity(p_channel_id uuid, p_old_key text, p_new_key text, p_new_address text) IS 'A contact has another number or id: their history follows them, into the contact that is known by the new one where there is one.';

CREATE FUNCTION public.accept_message(p_channel_id uuid, p_contact_key text, p_address text, p_name text, p_provider_message_id text, p_kind text, p_body text, p_media jsonb, p_reply_to text, p_sent_at timestamp with time zone, p_group_key text DEFAULT ''::text, p_is_addressed boolean DEFAULT true, p_referral text DEFAULT NULL::text, p_album_id text DEFAULT NULL::text, p_language text DEFAULT NULL::text, p_command text DEFAULT NULL::text) RETURNS TABLE(outcome text, conversation_id uuid, wait_seconds numeric)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_message(p_channel_id uuid, p_contact_key text, p_address text, p_name text, p_provider_message_id text, p_kind text, p_body text, p_media jsonb, p_reply_to text, p_sent_at timestamp with time zone, p_group_key text, p_is_addressed boolean, p_referral text, p_album_id text, p_language text, p_command text) IS 'Stores one message once and makes its conversation due; what is not for us in a group (group_chatter) is not stored, what comes late is kept and wakes nobody. wait_seconds: start a flow after so long; null: one is on its way, or whoever holds the conversation will look again.';

CREATE FUNCTION public.accept_notice(p_channel_id uuid, p_code text, p_subject text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform raise_alert(
    enter_channel(p_channel_id), 'warning', 'channel_notice',
    concat_ws(':', p_channel_id, p_code, p_subject),
    format('the vendor of channel %s says: %s', p_channel_id, concat_ws(' ', p_code, p_subject)));
  return 'notice';
end;
$$;

COMMENT ON FUNCTION public.accept_notice(p_channel_id uuid, p_code text, p_subject text) IS 'What a vendor tells about the account reaches a person.';

CREATE FUNCTION public.accept_opt_out(p_channel_id uuid, p_contact_key text, p_is_out boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_organization_id constant uuid := enter_channel(p_channel_id);
begin
  perform note_about_contact(
    meet_contact(v_organization_id, p_channel_id, p_contact_key, null, null),
    null, case when p_is_out then 'stop' else 'start' end);
  return case when p_is_out then 'opted_out' else 'opted_in' end;
end;
$$;

COMMENT ON FUNCTION public.accept_opt_out(p_channel_id uuid, p_contact_key text, p_is_out boolean) IS 'The vendor says that the contact blocked us, or does not any more.';

CREATE FUNCTION public.accept_reaction(p_channel_id uuid, p_provider_message_id text, p_emoji text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform enter_channel(p_channel_id);
  update outbound_messages set reaction = p_emoji
   where provider_message_id = p_provider_message_id
     and conversation_id in (select id from conversations where channel_id = p_channel_id);
  return case when found then 'reaction' else 'reaction_to_another' end;
end;
$$;

COMMENT ON FUNCTION public.accept_reaction(p_channel_id uuid, p_provider_message_id text, p_emoji text) IS 'Keeps the emoji that a contact put on a message of ours, or took away.';

CREATE FUNCTION public.accept_receipt(p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text, p_error_code text, p_occurred_at timestamp with time zone, p_participant text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
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
$_$;

COMMENT ON FUNCTION public.accept_receipt(p_channel_id uuid, p_provider_message_id text, p_status text, p_client_reference text, p_error_code text, p_occurred_at timestamp with time zone, p_participant text) IS 'Stores a vendor''s status once and moves our message forward by it.';

CREATE FUNCTION public.accept_revocation(p_channel_id uuid, p_provider_message_id text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_revocation(p_channel_id uuid, p_provider_message_id text) IS 'The words of a message that the contact took back are deleted; what waits of it is not answered.';

CREATE FUNCTION public.accept_watermark(p_channel_id uuid, p_contact_key text, p_status text, p_up_to timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.accept_watermark(p_channel_id uuid, p_contact_key text, p_status text, p_up_to timestamp with time zone) IS 'Everything that was sent to the contact until then was delivered, or read.';

CREATE TABLE public.model_calls (
    turn_id uuid NOT NULL,
    draft integer NOT NULL,
    "position" integer NOT NULL,
    organization_id uuid NOT NULL,
    call_id uuid DEFAULT gen_random_uuid() NOT NULL,
    request_sha256 text,
    is_lost boolean DEFAULT false NOT NULL,
    model text NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    is_estimated boolean DEFAULT false NOT NULL,
    response jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT model_calls_draft_check CHECK ((draft >= 0)),
    CONSTRAINT model_calls_input_tokens_check CHECK ((input_tokens >= 0)),
    CONSTRAINT model_calls_output_tokens_check CHECK ((output_tokens >= 0)),
    CONSTRAINT model_calls_position_check CHECK (("position" >= 0)),
    CONSTRAINT model_calls_request_sha256_check CHECK ((request_sha256 ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE ONLY public.model_calls FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.model_calls IS 'One row per paid call of a model, stored as soon as its answer came: a turn that is taken up again does not pay for the same request again.';

COMMENT ON COLUMN public.model_calls.draft IS 'turns.drafts_dropped when it was made; 9: before all drafts, a voice message was written down.';

COMMENT ON COLUMN public.model_calls."position" IS 'In the order in which the answers of a draft were stored.';

COMMENT ON COLUMN public.model_calls.call_id IS 'Drawn by who paid, so that a call is kept once though nobody knows whether a first try to keep it came through.';

COMMENT ON COLUMN public.model_calls.request_sha256 IS 'Of the messages and tools that it answers: it is served again to these alone. Null: it is never served (a voice message that was heard).';

COMMENT ON COLUMN public.model_calls.is_lost IS 'Paid by a worker that had lost the turn meanwhile: charged, and never served.';

COMMENT ON COLUMN public.model_calls.input_tokens IS 'A model that is paid by time is given a token a second.';

COMMENT ON COLUMN public.model_calls.is_estimated IS 'The provider told no usage; the tokens are our estimate.';

CREATE FUNCTION public.add_model_call(p_call public.model_calls) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
  -- Twins of a turn wait for each other here, so that each of their calls has a position.
  perform from turns where id = p_call.turn_id for no key update;
  p_call.position := (
    select coalesce(max(position) + 1, 0) from model_calls
     where turn_id = p_call.turn_id and draft = p_call.draft);
  insert into model_calls select p_call.*
  on conflict on constraint model_calls_are_booked_once do nothing;
  return found;
end;
$$;

COMMENT ON FUNCTION public.add_model_call(p_call public.model_calls) IS 'Keeps a paid call behind the others of its draft, once; false when it is kept already.';

CREATE FUNCTION public.add_web_line(p_conversation_id uuid, p_inbound_message_id bigint, p_outbound_message_id uuid, p_message_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.add_web_line(p_conversation_id uuid, p_inbound_message_id bigint, p_outbound_message_id uuid, p_message_id bigint) IS 'Gives a line of a web conversation its number; on other channels does nothing.';

CREATE FUNCTION public.add_words(p_organization_id uuid, p_document_ids uuid[]) RETURNS void
    LANGUAGE sql
    AS $$
  insert into words (organization_id, word, chunk_count, chunk_ids)
  select p_organization_id, word, count(*),
         case when count(*) <= rare_word_chunks() then array_agg(id) end
    from chunks cross join unnest(chunks.words) as word
   where organization_id = p_organization_id and document_id = any (p_document_ids)
   group by word
   order by word
  on conflict (organization_id, word) do update
    set chunk_count = words.chunk_count + excluded.chunk_count,
        chunk_ids = case when words.chunk_count + excluded.chunk_count <= rare_word_chunks()
                         then words.chunk_ids || excluded.chunk_ids end;
$$;

COMMENT ON FUNCTION public.add_words(p_organization_id uuid, p_document_ids uuid[]) IS 'Counts the words of documents that are searched from now on.';

CREATE FUNCTION public.alert_fingerprint(p_code text, p_organization_id uuid, p_subject text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
  select left(
    concat_ws(':', p_code, coalesce(p_organization_id::text, 'installation'), p_subject), 300);
$$;

COMMENT ON FUNCTION public.alert_fingerprint(p_code text, p_organization_id uuid, p_subject text) IS 'What makes two alerts the same trouble.';

CREATE TABLE public.usage_events (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    period_starts_on date NOT NULL,
    chatbot_id uuid NOT NULL,
    is_answered boolean NOT NULL,
    decision text NOT NULL,
    model text NOT NULL,
    model_calls integer NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    is_estimated boolean NOT NULL,
    cost_microcents bigint,
    held_on date NOT NULL,
    tokens_held bigint NOT NULL,
    cost_held_microcents bigint NOT NULL,
    microcents_per_token bigint,
    charged_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT usage_events_cost_held_microcents_check CHECK ((cost_held_microcents >= 0)),
    CONSTRAINT usage_events_cost_microcents_check CHECK ((cost_microcents >= 0)),
    CONSTRAINT usage_events_input_tokens_check CHECK ((input_tokens >= 0)),
    CONSTRAINT usage_events_microcents_per_token_check CHECK ((microcents_per_token >= 0)),
    CONSTRAINT usage_events_model_calls_check CHECK ((model_calls >= 0)),
    CONSTRAINT usage_events_output_tokens_check CHECK ((output_tokens >= 0)),
    CONSTRAINT usage_events_tokens_held_check CHECK ((tokens_held >= 0))
);

ALTER TABLE ONLY public.usage_events FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.usage_events IS 'One row per turn that ended after a reservation: what its model calls used, whether it was answered or not.';

COMMENT ON COLUMN public.usage_events.model IS 'The models that were called, in words; without a call the one that was meant.';

COMMENT ON COLUMN public.usage_events.is_estimated IS 'A model reported no usage, or one that can''t be true.';

COMMENT ON COLUMN public.usage_events.cost_microcents IS 'Null when no price of a model is known.';

COMMENT ON COLUMN public.usage_events.tokens_held IS 'What its hold was, with the three columns beside it: a call that comes late is charged by the same rules.';

CREATE FUNCTION public.alert_odd_charge(p_event public.usage_events) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if p_event.input_tokens + p_event.output_tokens > p_event.tokens_held
     or p_event.cost_microcents > p_event.cost_held_microcents
        and p_event.microcents_per_token is not null then
    perform raise_alert(p_event.organization_id, 'warning', 'usage_overrun',
      p_event.period_starts_on::text,
      format('turn %s used %s tokens and had reserved %s', p_event.turn_id,
        p_event.input_tokens + p_event.output_tokens, p_event.tokens_held));
  end if;
  if p_event.is_estimated then
    perform raise_alert(p_event.organization_id, 'warning', 'usage_estimated',
      p_event.period_starts_on || ':' || left(p_event.model, 100),
      format('%s reported no usage, or an impossible one: turn %s is charged an estimate',
        p_event.model, p_event.turn_id));
  end if;
end;
$$;

COMMENT ON FUNCTION public.alert_odd_charge(p_event public.usage_events) IS 'Tells of a turn that used more than it had reserved, or nobody knows how much.';

CREATE FUNCTION public.alert_stuck_turns() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  -- Each conversation at the first sweep after it crossed the line, and at none later: when the
  -- alert was raised last, all who had crossed it were counted.
  with stuck as (
    select conversations.*, conversation_work.due_at
      from conversation_work
      join conversations on conversations.id = conversation_work.conversation_id
      left join alerts
        on alerts.organization_id = conversations.organization_id
       and fingerprint
         = alert_fingerprint('turn_stuck', conversations.organization_id, channel_id::text)
     where conversation_work.due_at <= now() - stuck_after()
       and conversation_work.due_at > coalesce(last_raised_at, '-infinity') - stuck_after()
  ), raised as (
    select raise_alert(organization_id, 'error', 'turn_stuck', channel_id::text,
             format('conversation %s has been due since %s UTC: it is started again and again, and nothing is heard of it',
                    id, to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')))
      from stuck
  )
  select count(*) from raised;
$$;

COMMENT ON FUNCTION public.alert_stuck_turns() IS 'Tells of work that no failure was reported of and that does not end: the engine''s own errors run no failure module. Returns how many conversations came to it.';

CREATE FUNCTION public.alerts_waiting() RETURNS TABLE(waiting jsonb, overdue_seconds integer, problem text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select coalesce(
           (select jsonb_object_agg(severity, number)
              from (select severity, count(*) as number from alerts
                     where due_at <= now() group by severity) as counts), '{}'),
         (select extract(epoch from now() - greatest(
                   min(due_at), (select max(posted_at) from alerts)))::integer
            from alerts where due_at <= now()),
         alert_outlet.problem
    from alert_outlet;
$$;

COMMENT ON FUNCTION public.alerts_waiting() IS 'How many alerts of each severity are due, for how long none was posted though one was due, and what Slack said last.';

CREATE TABLE public.turns (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    state text DEFAULT 'thinking'::text NOT NULL,
    outcome text,
    attempts integer DEFAULT 0 NOT NULL,
    attempt_fence bigint DEFAULT 0 NOT NULL,
    drafts_dropped integer DEFAULT 0 NOT NULL,
    arrivals_seen bigint NOT NULL,
    told_at timestamp with time zone DEFAULT now() NOT NULL,
    think_until timestamp with time zone,
    usage_decision text,
    receipt jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    answered_at timestamp with time zone,
    sent_at timestamp with time zone,
    saved_at timestamp with time zone,
    charged_at timestamp with time zone,
    CONSTRAINT turns_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT turns_drafts_dropped_check CHECK (((drafts_dropped >= 0) AND (drafts_dropped <= 2))),
    CONSTRAINT turns_finish_complete CHECK (((state <> 'finished'::text) OR ((sent_at IS NOT NULL) AND (saved_at IS NOT NULL) AND (charged_at IS NOT NULL)))),
    CONSTRAINT turns_outcome_check CHECK ((outcome = ANY (ARRAY['reply'::text, 'limit_notice'::text, 'failure_notice'::text]))),
    CONSTRAINT turns_state_check CHECK ((state = ANY (ARRAY['thinking'::text, 'answered'::text, 'finished'::text, 'held'::text, 'refused'::text, 'buried'::text])))
);

ALTER TABLE ONLY public.turns FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.turns IS 'One row per answer: the messages it answers and how far it got.';

COMMENT ON COLUMN public.turns.state IS 'thinking -> answered (something to send is committed: outcome says what) -> finished (sent, saved and charged); thinking -> held (a teammate is in charge) | refused (a limit; the notice was sent earlier that day); thinking, answered -> buried (5 attempts, nothing more can be sent).';

COMMENT ON COLUMN public.turns.outcome IS 'reply: of the agent; limit_notice: a limit kept it from answering; failure_notice: five attempts failed.';

COMMENT ON COLUMN public.turns.attempts IS 'How often thinking began, and after the reply was committed how often sending began.';

COMMENT ON COLUMN public.turns.attempt_fence IS 'The claim that began the newest attempt: steps that are run again by the same flow are not counted again.';

COMMENT ON COLUMN public.turns.drafts_dropped IS 'Answers thrown away because the contact wrote on before they were committed.';

COMMENT ON COLUMN public.turns.arrivals_seen IS 'conversation_work.arrivals when its messages were gathered.';

COMMENT ON COLUMN public.turns.told_at IS 'The date and time that the model is told: of the newest attempt before which nothing of this draft was paid, so that what was paid stays an answer to the same words.';

COMMENT ON COLUMN public.turns.think_until IS 'When its attempts have to end together, since the models failed in one: the contact is told something then. Null: each attempt has its own time, as after a crash.';

COMMENT ON COLUMN public.turns.usage_decision IS 'What reserve_usage said: normal, economy, or which limit was reached.';

COMMENT ON COLUMN public.turns.receipt IS 'What was retrieved and decided, with ids and scores.';

CREATE FUNCTION public.answer_turn(p_turn public.turns, p_outcome text, p_replies text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  insert into outbound_messages (organization_id, conversation_id, turn_id, position, body)
  select p_turn.organization_id, p_turn.conversation_id, p_turn.id, reply.number - 1, reply.body
    from unnest(p_replies) with ordinality as reply (body, number);
  update turns
     set state = 'answered', outcome = p_outcome, answered_at = now(),
         attempts = 0, attempt_fence = 0
   where id = p_turn.id;
end;
$$;

COMMENT ON FUNCTION public.answer_turn(p_turn public.turns, p_outcome text, p_replies text[]) IS 'Commits what the contact will read; from here on the turn is only sent, saved and charged.';

CREATE FUNCTION public.apply_access() RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_runtime_roles constant text :=
    'chatmill_ingress, chatmill_worker, chatmill_operations, chatmill_knowledge';
  -- Of the installation alone: they draw keys, change rights, make tickets.
  v_internal constant text[] := array['ticket_key_block', 'draw_ticket_key', 'ticket_for',
    'is_ticket', 'isolate_table', 'open_function', 'runtime_settings', 'apply_access'];
  v_row record;
begin
  for v_row in
    select pg_class.oid::regclass as name
      from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'organization_id'
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
  loop
    perform isolate_table(v_row.name);
  end loop;

  -- Rights on tables; under row-level security a role sees the organization that it proved.
  execute format('revoke all on all tables in schema public from public, %s', v_runtime_roles);
  for v_row in
    select rights.role, rights.privileges, name
      from (values
        ('chatmill_worker', 'select', 'plans prices organizations chatbots channels contacts
          conversations documents chunks chunk_sets cells embeddings words turns model_calls
          inbound_messages conversation_work outbound_messages tool_calls messages alerts
          installation_pulse'),
        ('chatmill_worker', 'insert', 'turns model_calls outbound_messages tool_calls'),
        -- Not their running numbers: whoever takes those in advance keeps others from writing.
        ('chatmill_worker', 'insert (organization_id, conversation_id, turn_id, author, position,
          body, written_at)', 'messages'),
        ('chatmill_worker', 'insert (organization_id, fingerprint, severity, code, summary),
          update (occurrences, last_raised_at, severity, summary, due_at)', 'alerts'),
        ('chatmill_worker', 'update', 'turns conversation_work outbound_messages'),
        -- The body: of a voice message, once it was heard.
        ('chatmill_worker', 'update (state, turn_id, body)', 'inbound_messages'),
        ('chatmill_worker', 'select, insert, update', 'attachments'),
        ('chatmill_worker', 'select, insert, update', 'tool_effects handoffs contact_facts'),
        ('chatmill_worker', 'select', 'model_slots tool_servers tools'),
        ('chatmill_worker', 'update (state)', 'tools'),
        ('chatmill_worker', 'select, insert, update, delete', 'sign_ins contact_tokens'),
        ('chatmill_worker', 'select, insert', 'tool_clients'),
        ('chatmill_worker', 'select, insert, update',
          'tool_confirmations turn_prompts conversation_summaries turn_citations'),
        ('chatmill_worker', 'select, insert, update, delete', 'model_breakers cached_answers'),
        -- A share lock needs the right to write; teammates take over by this column.
        ('chatmill_worker', 'update (mode, silent_until, history_after)', 'conversations'),
        ('chatmill_worker', 'update (opted_out_at)', 'contacts'),
        ('chatmill_worker', 'select, insert, update', 'rate_buckets'),
        ('chatmill_worker', 'select, insert', 'feedback'),
        ('chatmill_worker', 'select, insert, update', 'template_sends'),
        ('chatmill_worker', 'select (organization_id, channel_id, received_at, accepted_at, attempts)',
          'webhook_deliveries'),
        ('chatmill_worker', 'select (organization_id, channel_id, provider_message_id, status)',
          'delivery_receipts'),
        ('chatmill_knowledge', 'select, insert, update', 'sources documents chunks'),
        ('chatmill_knowledge', 'delete', 'sources documents'),
        ('chatmill_knowledge', 'select, insert, update, delete', 'embeddings cells words
          ingestions ingestion_sections ingestion_chunks robots'),
        ('chatmill_knowledge', 'select, delete, update (state, first_cell,
          divided_chunks), insert (organization_id,
          embedding_model, embedding_dimensions, state)', 'chunk_sets'),
        ('chatmill_knowledge', 'select', 'organizations plans'),
        ('chatmill_worker', 'insert (turn_id, organization_id, chatbot_id)',
          'unanswered_questions'),
        ('chatmill_knowledge', 'select, insert, update',
          'question_groups unanswered_questions answer_drafts')
      ) as rights (role, privileges, tables)
     cross join regexp_split_to_table(rights.tables, '\s+') as name
     where to_regclass(name) is not null
  loop
    execute format('grant %s on %I to %s', v_row.privileges, v_row.name, v_row.role);
  end loop;

  -- A plain function can do what its caller may do; only these look across organizations, and
  -- their arguments are what the caller has to know.
  for v_row in
    select * from (values
      ('prove_organization', '{}'),
      ('proved_organization', '{chatmill_worker,chatmill_knowledge,chatmill_ingress,chatmill_operations}'),
      ('find_channel', '{chatmill_ingress}'),
      ('find_sibling_channel', '{chatmill_ingress,chatmill_operations}'),
      ('store_delivery', '{chatmill_ingress}'),
      ('enter_channel', '{}'),
      ('accept_message', '{chatmill_ingress,chatmill_operations}'),
      ('accept_receipt', '{chatmill_ingress,chatmill_operations}'),
      ('accept_failure', '{chatmill_ingress,chatmill_operations}'),
      ('accept_group_move', '{chatmill_ingress,chatmill_operations}'),
      ('accept_edit', '{chatmill_ingress,chatmill_operations}'),
      ('accept_revocation', '{chatmill_ingress,chatmill_operations}'),
      ('accept_reaction', '{chatmill_ingress,chatmill_operations}'),
      ('accept_watermark', '{chatmill_ingress,chatmill_operations}'),
      ('accept_echo', '{chatmill_ingress,chatmill_operations}'),
      ('accept_handover', '{chatmill_ingress,chatmill_operations}'),
      ('accept_identity', '{chatmill_ingress,chatmill_operations}'),
      ('accept_opt_out', '{chatmill_ingress,chatmill_operations}'),
      ('accept_notice', '{chatmill_ingress,chatmill_operations}'),
      ('last_reply', '{chatmill_ingress,chatmill_operations}'),
      ('earlier_of_album', '{chatmill_ingress,chatmill_operations}'),
      ('channels_to_check', '{chatmill_operations}'),
      ('report_channel_problem', '{chatmill_ingress,chatmill_operations}'),
      ('report_silent_channels', '{chatmill_operations}'),
      ('give_back_conversations', '{chatmill_operations}'),
      ('fail_unreached_replies', '{chatmill_operations}'),
      ('read_web_chatbot', '{chatmill_ingress}'),
      ('start_web_session', '{chatmill_ingress}'),
      ('find_web_session', '{chatmill_ingress}'),
      ('read_web_lines', '{chatmill_ingress}'),
      ('read_web_states', '{chatmill_ingress}'),
      ('store_web_upload', '{chatmill_ingress}'),
      ('find_web_upload', '{chatmill_ingress}'),
      ('read_web_upload', '{chatmill_worker}'),
      ('take_web_tokens', '{chatmill_ingress}'),
      ('write_as_teammate', '{chatmill_ingress}'),
      ('set_web_mode', '{chatmill_ingress}'),
      ('forget_web_contact', '{chatmill_ingress}'),
      ('forget_web_leftovers', '{chatmill_operations}'),
      ('claim_outgoing_event', '{chatmill_operations}'),
      ('settle_outgoing_event', '{chatmill_operations}'),
      ('forget_outgoing_events', '{chatmill_operations}'),
      ('tg_inbound_messages__publish', '{}'),
      ('tg_outbound_messages__publish', '{}'),
      ('tg_messages__publish', '{}'),
      ('tg_conversations__publish', '{}'),
      ('finish_delivery', '{chatmill_ingress,chatmill_operations}'),
      ('claim_conversation', '{chatmill_worker}'),
      ('enter_conversation', '{chatmill_worker}'),
      ('enter_turn', '{chatmill_worker}'),
      ('enter_sign_in', '{chatmill_worker}'),
      ('keep_renewed_tokens', '{chatmill_worker}'),
      ('give_back_turn', '{chatmill_worker}'),
      ('enter_outbound_message', '{chatmill_worker}'),
      ('raise_conversation_alert', '{chatmill_worker}'),
      ('reserve_usage', '{chatmill_worker}'),
      ('settle_usage', '{chatmill_worker}'),
      ('release_usage', '{chatmill_worker}'),
      ('book_lost_call', '{chatmill_worker}'),
      ('claim_limit_notice', '{chatmill_worker}'),
      ('set_period_limits', '{}'),
      ('tg_turns__release_usage', '{}'),
      ('enter_source', '{chatmill_knowledge}'),
      ('enter_ingestion', '{chatmill_knowledge}'),
      ('take_due_sources', '{chatmill_knowledge}'),
      ('reading_seconds', '{chatmill_knowledge}'),
      ('has_chunk_room', '{chatmill_knowledge}'),
      ('raise_source_alert', '{chatmill_knowledge}'),
      ('tg_sources__keep_limits', '{}'),
      ('tg_documents__alert_held', '{}'),
      ('enter_organization', '{chatmill_knowledge}'),
      ('organizations_with_new_questions', '{chatmill_knowledge}'),
      ('chunk_sets_to_divide', '{chatmill_knowledge}'),
      ('questions_to_group', '{chatmill_knowledge}'),
      ('draft_answers', '{chatmill_knowledge}'),
      ('forget_old_knowledge', '{chatmill_knowledge}'),
      ('beat', '{chatmill_operations}'),
      ('begin_sweep', '{chatmill_operations}'),
      ('end_sweep', '{chatmill_operations}'),
      ('conversations_left_behind', '{chatmill_operations}'),
      ('conversations_in_doubt', '{chatmill_operations}'),
      ('alert_stuck_turns', '{chatmill_operations}'),
      ('expect_flows', '{chatmill_operations}'),
      ('take_left_behind_delivery', '{chatmill_operations}'),
      ('find_channel_of_delivery', '{chatmill_operations}'),
      ('forget_accepted_deliveries', '{chatmill_operations}'),
      ('forget_attachments', '{chatmill_operations}'),
      ('forget_sign_ins', '{chatmill_operations}'),
      ('tg_inbound_messages__forget_attachment', '{}'),
      ('release_expired_holds', '{chatmill_operations}'),
      ('open_coming_usage_periods', '{chatmill_operations}'),
      ('report_ended_usage_periods', '{chatmill_operations}'),
      ('forget_usage_days', '{chatmill_operations}'),
      ('claim_alert', '{chatmill_operations}'),
      ('settle_alert', '{chatmill_operations}'),
      ('put_off_alerts', '{chatmill_operations}'),
      ('alerts_waiting', '{chatmill_operations}'),
      ('forget_alerts', '{chatmill_operations}')
    ) as opened (name, roles)
  loop
    perform open_function(v_row.name, v_row.roles::text[]);
  end loop;

  for v_row in
    select pg_proc.oid::regprocedure as name, proname = any(v_internal) as is_internal, prosecdef,
           array_to_string(proacl, ',') ~ '(^|,)=X' or proacl is null as is_public
      from pg_proc
     where pronamespace = 'public'::regnamespace
       and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
  loop
    if v_row.is_public then
      execute format('revoke all on function %s from public', v_row.name);
    end if;
    if not v_row.prosecdef and not v_row.is_internal then
      execute format(
        'grant execute on function %s to chatmill_worker, chatmill_knowledge', v_row.name);
    end if;
    execute format('grant execute on function %s to chatmill_scheduler', v_row.name);
  end loop;

  for v_row in
    select oid::regclass as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname !~ 'yoyo'
  loop
    execute format('grant select, insert, update, delete on %s to chatmill_scheduler', v_row.name);
  end loop;
end;
$$;

COMMENT ON FUNCTION public.apply_access() IS 'Isolates new tables and brings every right of the runtime roles to what its two tables say; a table or function that is not made yet is left out.';

CREATE FUNCTION public.ask_for_template(p_outbound_message_id uuid) RETURNS void
    LANGUAGE sql
    AS $$
  insert into template_sends (turn_id, organization_id, conversation_id, outbound_message_id)
  select turn_id, organization_id, conversation_id, id
    from outbound_messages where id = p_outbound_message_id
  on conflict on constraint template_sends_pkey do nothing;
$$;

COMMENT ON FUNCTION public.ask_for_template(p_outbound_message_id uuid) IS 'Has the channel''s template sent for a reply that is held, where that was not done for its turn.';

CREATE TABLE public.usage_holds (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    period_starts_on date NOT NULL,
    chatbot_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    held_on date NOT NULL,
    decision text NOT NULL,
    model text NOT NULL,
    tokens bigint NOT NULL,
    microcents_per_token bigint,
    cost_microcents bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT usage_holds_cost_microcents_check CHECK ((cost_microcents >= 0)),
    CONSTRAINT usage_holds_decision_check CHECK ((decision = ANY (ARRAY['normal'::text, 'economy'::text]))),
    CONSTRAINT usage_holds_microcents_per_token_check CHECK ((microcents_per_token >= 0)),
    CONSTRAINT usage_holds_tokens_check CHECK (((tokens >= 0) AND (tokens <= 1000000000)))
);

ALTER TABLE ONLY public.usage_holds FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.usage_holds IS 'One row per turn that is being answered: what it took from its period and gives back or uses.';

COMMENT ON COLUMN public.usage_holds.held_on IS 'The day, in the organization''s time zone, on which it counts.';

COMMENT ON COLUMN public.usage_holds.microcents_per_token IS 'The dearer of the model''s two prices; null when it has none and the plan has no cost limit.';

CREATE FUNCTION public.at_price_of(p_hold public.usage_holds, p_decision text, p_model text) RETURNS public.usage_holds
    LANGUAGE plpgsql STABLE
    AS $$
begin
  p_hold.decision := p_decision;
  p_hold.model := p_model;
  p_hold.microcents_per_token := dearer_price(p_model, p_hold.held_on);
  p_hold.cost_microcents := p_hold.tokens * p_hold.microcents_per_token;
  return p_hold;
end;
$$;

COMMENT ON FUNCTION public.at_price_of(p_hold public.usage_holds, p_decision text, p_model text) IS 'The hold of a turn that is answered by this model.';

CREATE FUNCTION public.beat() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  insert into installation_pulse (last_beat_at, up_since) values (now(), now())
  on conflict (is_only) do update
    set up_since = case
          when now() - installation_pulse.last_beat_at > interval '20 seconds' then now()
          else installation_pulse.up_since
        end,
        last_beat_at = now();
$$;

COMMENT ON FUNCTION public.beat() IS 'The sweep''s sign of life, every few seconds.';

CREATE TABLE public.attachments (
    inbound_message_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    state text DEFAULT 'fetching'::text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    media_type text,
    file_name text,
    content bytea,
    text text,
    refusal text,
    notice text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT attachments_attempts_check CHECK ((attempts > 0)),
    CONSTRAINT attachments_file_name_check CHECK ((length(file_name) <= 256)),
    CONSTRAINT attachments_have_bytes_once_fetched CHECK (((state <> 'fetched'::text) OR (content IS NOT NULL))),
    CONSTRAINT attachments_notice_check CHECK (((length(notice) >= 1) AND (length(notice) <= 1000))),
    CONSTRAINT attachments_refusal_check CHECK ((refusal ~ '^[a-z_]{2,40}$'::text)),
    CONSTRAINT attachments_say_why_they_were_refused CHECK ((((state = 'refused'::text) = (refusal IS NOT NULL)) AND ((state = 'refused'::text) = (notice IS NOT NULL)))),
    CONSTRAINT attachments_state_check CHECK ((state = ANY (ARRAY['fetching'::text, 'fetched'::text, 'read'::text, 'refused'::text])))
);

ALTER TABLE ONLY public.attachments FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.attachments IS 'One row per file of an inbound message that a turn began to read; forgotten after a week.';

COMMENT ON COLUMN public.attachments.state IS 'fetching -> fetched (its bytes are here) -> read (text or a picture''s bytes are here) | refused (the contact is told why).';

COMMENT ON COLUMN public.attachments.attempts IS 'Counted before each attempt, so that a file that kills its reader is given up as well.';

COMMENT ON COLUMN public.attachments.media_type IS 'Told by its bytes, whatever the vendor or the contact says.';

COMMENT ON COLUMN public.attachments.content IS 'Of a picture; of other files only between fetching and reading.';

COMMENT ON COLUMN public.attachments.text IS 'What a voice message says, or a document.';

COMMENT ON COLUMN public.attachments.notice IS 'What the contact is told of a file that was refused.';

CREATE FUNCTION public.begin_attachment(p_inbound_message_id bigint) RETURNS public.attachments
    LANGUAGE sql
    AS $$
  insert into attachments as begun (
    inbound_message_id, organization_id, conversation_id, file_name
  )
  select id, organization_id, conversation_id, left(media ->> 'file_name', 256)
    from inbound_messages where id = p_inbound_message_id and state = 'taken'
     for share -- a revocation on its way would find no row to delete
  on conflict on constraint attachments_pkey do update set attempts = begun.attempts + 1
  returning *;
$$;

COMMENT ON FUNCTION public.begin_attachment(p_inbound_message_id bigint) IS 'Counts an attempt to read a file; no row when the contact took it back meanwhile.';

CREATE FUNCTION public.begin_attempt(p_turn_id uuid, p_fence bigint) RETURNS public.turns
    LANGUAGE plpgsql
    AS $$
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
begin
  if v_turn.attempt_fence <> p_fence then
    update turns
       set attempts = attempts + 1, attempt_fence = p_fence,
           told_at = case when has_paid_answer(v_turn) then told_at else now() end
     where id = p_turn_id returning * into v_turn;
  end if;
  return v_turn;
end;
$$;

COMMENT ON FUNCTION public.begin_attempt(p_turn_id uuid, p_fence bigint) IS 'Counts the attempt where the work begins: a flow that was overtaken while it queued has tried nothing.';

CREATE FUNCTION public.begin_sweep() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform beat();
  update installation_pulse set sweeping_until = now() + interval '3 seconds'
   where coalesce(sweeping_until, '-infinity') < now();
  return found;
end;
$$;

COMMENT ON FUNCTION public.begin_sweep() IS 'False while another sweep is at work. One that was lost or frozen holds up the others for less than their interval; Windmill''s no_flow_overlap would for a minute.';

CREATE FUNCTION public.book_lost_call(p_turn_id uuid, p_fence bigint, p_draft integer, p_call_id uuid, p_model text, p_input_tokens bigint, p_output_tokens bigint, p_is_estimated boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_call model_calls;
begin
  select p_turn_id, p_draft, 0, turns.organization_id, p_call_id, null::text, true,
         p_model, p_input_tokens, p_output_tokens, p_is_estimated, '{}'::jsonb, now()
    into v_call
    from turns
    join conversation_work on conversation_work.conversation_id = turns.conversation_id
   where turns.id = p_turn_id and p_fence between 1 and conversation_work.fence - 1
     -- As every write of a turn begins: in another order two would wait for each other.
     for no key update of conversation_work;
  if not found then
    return false;
  elsif not add_model_call(v_call) then
    return false;
  end if;
  -- Whoever ends the hold at this moment is waited for; while it is there, the call is charged
  -- with the turn's others when it ends.
  perform from usage_holds where turn_id = p_turn_id for update;
  if not found then
    perform charge_late(v_call);
  end if;
  return true;
end;
$$;

COMMENT ON FUNCTION public.book_lost_call(p_turn_id uuid, p_fence bigint, p_draft integer, p_call_id uuid, p_model text, p_input_tokens bigint, p_output_tokens bigint, p_is_estimated boolean) IS 'Charges a call that was paid by a worker that had lost the turn, once; nothing of the turn changes by it. False: it is booked already, the turn is erased, or the fence is the newest, and the call to be stored.';

CREATE FUNCTION public.burst_wait_seconds(p_kind text, p_body text, p_usual_seconds numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $_$
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
$_$;

COMMENT ON FUNCTION public.burst_wait_seconds(p_kind text, p_body text, p_usual_seconds numeric) IS 'How long to wait for the contact''s next message: short after a finished question, long after a fragment, a photo or a greeting; 0 stays 0. Pictures of an album come one by one: they are waited for always.';

CREATE FUNCTION public.bury_turn(p_turn public.turns, p_silence text) RETURNS TABLE(decision text, reason text, turn_id uuid, wait_seconds numeric)
    LANGUAGE plpgsql
    AS $$
begin
  if p_turn.state = 'thinking' and p_silence is null then
    update inbound_messages set state = 'buried'
     where inbound_messages.turn_id = p_turn.id and state = 'taken';
    perform release_usage(p_turn.id);
    perform answer_turn(p_turn, 'failure_notice', array[chatbots.failure_notice])
       from conversations
       join channels on channels.id = conversations.channel_id
       join chatbots on chatbots.id = channels.chatbot_id
      where conversations.id = p_turn.conversation_id;
    return query select 'answer', 'buried', p_turn.id, null::numeric;
    return;
  end if;
  if p_turn.state = 'answered' then
    -- Its reply may have reached the contact, and the model was paid.
    perform save_turn_messages(p_turn.id);
    perform settle_usage(p_turn.id);
  end if;
  perform end_turn(p_turn, 'buried');
  -- What arrived after its messages were gathered still waits: the older count makes it due.
  return query select 'ignore', 'buried', p_turn.id,
    release_conversation(p_turn.conversation_id, p_turn.arrivals_seen);
end;
$$;

COMMENT ON FUNCTION public.bury_turn(p_turn public.turns, p_silence text) IS 'Gives a turn up after too many attempts: the contact reads the failure notice; where it was that which could not be sent, nothing more is tried.';

CREATE FUNCTION public.calls_of(p_hold public.usage_holds) RETURNS TABLE(model text, input_tokens bigint, output_tokens bigint, is_estimated boolean, cost bigint)
    LANGUAGE plpgsql STABLE
    AS $$
begin
  return query
    with judged as (
      select calls.*, is_plausible(calls)
        from model_calls as calls where calls.turn_id = p_hold.turn_id
    ), counted as (
      select judged.model, judged.is_estimated or not is_plausible as estimated,
             case when is_plausible then judged.input_tokens
                  when row_number() over (partition by is_plausible) = 1 then p_hold.tokens
                  else 0 end as input,
             case when is_plausible then judged.output_tokens else 0 end as output
        from judged
    )
    select counted.model, input, output, estimated,
           cost_of(counted.model, input, output, p_hold.held_on, p_hold.microcents_per_token)
      from counted;
end;
$$;

COMMENT ON FUNCTION public.calls_of(p_hold public.usage_holds) IS 'The turn''s stored model calls, of all drafts and attempts, with what they are charged.';

CREATE FUNCTION public.cell_of(p_organization_id uuid, p_chunk_set_id bigint, p_embedding public.halfvec) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
  select coalesce((select number from cells
                    where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id
                    order by center <#> p_embedding limit 1), 0);
$$;

COMMENT ON FUNCTION public.cell_of(p_organization_id uuid, p_chunk_set_id bigint, p_embedding public.halfvec) IS 'The cell an embedding belongs to; 0 in a set that is not divided.';

CREATE TABLE public.channels (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    chatbot_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    url_key text NOT NULL,
    account_id text NOT NULL,
    api_url text,
    webhook_url text,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    sealed_credentials text,
    late_after_seconds integer DEFAULT 3600 NOT NULL,
    teammate_hours integer DEFAULT 24 NOT NULL,
    receipt_grace_seconds integer DEFAULT 120 NOT NULL,
    after_silence text DEFAULT 'resend_once'::text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channels_account_id_check CHECK (((length(account_id) >= 1) AND (length(account_id) <= 200))),
    CONSTRAINT channels_after_silence_check CHECK ((after_silence = ANY (ARRAY['resend_once'::text, 'unknown'::text]))),
    CONSTRAINT channels_api_url_check CHECK ((api_url ~ '^https?://'::text)),
    CONSTRAINT channels_kind_check CHECK ((kind ~ '^[a-z][a-z0-9_]{1,40}$'::text)),
    CONSTRAINT channels_late_after_seconds_check CHECK ((late_after_seconds >= 60)),
    CONSTRAINT channels_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT channels_receipt_grace_seconds_check CHECK (((receipt_grace_seconds >= 1) AND (receipt_grace_seconds <= 3600))),
    CONSTRAINT channels_settings_check CHECK ((jsonb_typeof(settings) = 'object'::text)),
    CONSTRAINT channels_teammate_hours_check CHECK (((teammate_hours >= 1) AND (teammate_hours <= 8760))),
    CONSTRAINT channels_url_key_check CHECK ((url_key ~ '^[A-Za-z0-9_-]{8,64}$'::text)),
    CONSTRAINT channels_webhook_url_check CHECK ((webhook_url ~ '^https?://'::text))
);

ALTER TABLE ONLY public.channels FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.channels IS 'One row per connected account: a WhatsApp number, a Page, a Telegram bot, a web widget.';

COMMENT ON COLUMN public.channels.kind IS 'Names its library in f/channels/registry.py.';

COMMENT ON COLUMN public.channels.url_key IS 'Last part of the webhook''s address.';

COMMENT ON COLUMN public.channels.account_id IS 'The vendor''s id: phone_number_id on WhatsApp, digits of the number on Twilio, Page id, bot id; the url_key on the web.';

COMMENT ON COLUMN public.channels.api_url IS 'Base of the vendor''s API where it is not the public one (tests, proxies).';

COMMENT ON COLUMN public.channels.webhook_url IS 'The webhook''s address as the vendor was given it: Twilio signs it.';

COMMENT ON COLUMN public.channels.settings IS 'What the organization chose: names that the bot is called by in groups, words and replies of commands and their languages, language, template, apps of the Page that are automatic, origins of the web widget. Never a secret.';

COMMENT ON COLUMN public.channels.sealed_credentials IS 'JSON of the vendor''s secrets, AES-256-GCM, bound to this row''s id (f/shared/crypto.py).';

COMMENT ON COLUMN public.channels.late_after_seconds IS 'A message that is older when it comes is kept for a teammate: an automatic answer would be out of place.';

COMMENT ON COLUMN public.channels.teammate_hours IS 'How long the chatbot stays silent after a teammate wrote from the phone or the Page.';

COMMENT ON COLUMN public.channels.receipt_grace_seconds IS 'How long a receipt may take to tell what became of a send that was cut off.';

COMMENT ON COLUMN public.channels.after_silence IS 'When no receipt came in that time: send once more where the vendor sends receipts (none came, so nothing was accepted), or say that nobody knows.';

CREATE FUNCTION public.channels_to_check() RETURNS SETOF public.channels
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select channels.*
    from channels join organizations on organizations.id = channels.organization_id
   where channels.is_active and organizations.is_active
     and channels.sealed_credentials is not null;
$$;

COMMENT ON FUNCTION public.channels_to_check() IS 'Every channel in use that has credentials.';

CREATE FUNCTION public.charge_late(p_call public.model_calls) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_event usage_events;
  v_cost bigint;
begin
  select * into v_event from usage_events where turn_id = p_call.turn_id for no key update;
  if not is_plausible(p_call) then
    p_call.is_estimated := true;
    p_call.output_tokens := 0;
    p_call.input_tokens := case when exists (
      select from model_calls as other
       where turn_id = p_call.turn_id and call_id <> p_call.call_id and not is_plausible(other)
    ) then 0 else v_event.tokens_held end;
  end if;
  v_cost := cost_of(p_call.model, p_call.input_tokens, p_call.output_tokens,
                    v_event.held_on, v_event.microcents_per_token);
  update usage_events
     set model = (
           select string_agg(distinct calls.model, ', ') from model_calls as calls
            where calls.turn_id = p_call.turn_id),
         model_calls = model_calls + 1,
         input_tokens = input_tokens + p_call.input_tokens,
         output_tokens = output_tokens + p_call.output_tokens,
         is_estimated = is_estimated or p_call.is_estimated,
         cost_microcents = cost_microcents + v_cost
   where turn_id = p_call.turn_id
  returning * into v_event;
  update usage_periods
     set tokens_overrun = tokens_overrun + p_call.input_tokens + p_call.output_tokens,
         cost_overrun_microcents = cost_overrun_microcents + coalesce(v_cost, 0)
   where organization_id = v_event.organization_id and starts_on = v_event.period_starts_on;
  perform alert_odd_charge(v_event);
end;
$$;

COMMENT ON FUNCTION public.charge_late(p_call public.model_calls) IS 'Charges a call to a turn that was charged before it, as the turn''s others were; in the period beyond what was reserved, which was given back.';

CREATE FUNCTION public.percent_of(p_use bigint, p_limit bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
  select case when p_limit is null then 0
              when p_limit = 0 then 100
              else least(floor(p_use::numeric * 100 / p_limit), 1000000)::integer
         end;
$$;

COMMENT ON FUNCTION public.percent_of(p_use bigint, p_limit bigint) IS 'Rounded down, so that 100 means spent; 0 where there is no limit, 100 where nothing is allowed.';

CREATE TABLE public.usage_periods (
    organization_id uuid NOT NULL,
    starts_on date NOT NULL,
    message_limit bigint NOT NULL,
    token_limit bigint NOT NULL,
    cost_limit_microcents bigint,
    messages_used bigint DEFAULT 0 NOT NULL,
    messages_reserved bigint DEFAULT 0 NOT NULL,
    tokens_used bigint DEFAULT 0 NOT NULL,
    tokens_reserved bigint DEFAULT 0 NOT NULL,
    tokens_overrun bigint DEFAULT 0 NOT NULL,
    cost_microcents bigint DEFAULT 0 NOT NULL,
    cost_reserved_microcents bigint DEFAULT 0 NOT NULL,
    cost_overrun_microcents bigint DEFAULT 0 NOT NULL,
    messages_percent integer GENERATED ALWAYS AS (public.percent_of((messages_used + messages_reserved), message_limit)) STORED NOT NULL,
    tokens_percent integer GENERATED ALWAYS AS (public.percent_of(((tokens_used + tokens_reserved) + tokens_overrun), token_limit)) STORED NOT NULL,
    cost_percent integer GENERATED ALWAYS AS (public.percent_of(((cost_microcents + cost_reserved_microcents) + cost_overrun_microcents), cost_limit_microcents)) STORED NOT NULL,
    reported_at timestamp with time zone,
    CONSTRAINT usage_periods_cost_limit_microcents_check CHECK ((cost_limit_microcents >= 0)),
    CONSTRAINT usage_periods_cost_microcents_check CHECK ((cost_microcents >= 0)),
    CONSTRAINT usage_periods_cost_overrun_microcents_check CHECK ((cost_overrun_microcents >= 0)),
    CONSTRAINT usage_periods_cost_reserved_microcents_check CHECK ((cost_reserved_microcents >= 0)),
    CONSTRAINT usage_periods_message_limit_check CHECK ((message_limit >= 0)),
    CONSTRAINT usage_periods_messages_reserved_check CHECK ((messages_reserved >= 0)),
    CONSTRAINT usage_periods_messages_used_check CHECK ((messages_used >= 0)),
    CONSTRAINT usage_periods_starts_on_check CHECK ((EXTRACT(day FROM starts_on) = (1)::numeric)),
    CONSTRAINT usage_periods_token_limit_check CHECK ((token_limit >= 0)),
    CONSTRAINT usage_periods_tokens_overrun_check CHECK ((tokens_overrun >= 0)),
    CONSTRAINT usage_periods_tokens_reserved_check CHECK ((tokens_reserved >= 0)),
    CONSTRAINT usage_periods_tokens_used_check CHECK ((tokens_used >= 0))
);

ALTER TABLE ONLY public.usage_periods FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.usage_periods IS 'One row per organization and month, counted in the organization''s time zone.';

COMMENT ON COLUMN public.usage_periods.message_limit IS 'From the plan, and again whenever the plan changes; an operator may change one month by hand.';

COMMENT ON COLUMN public.usage_periods.messages_used IS 'Turns that were answered.';

COMMENT ON COLUMN public.usage_periods.messages_reserved IS 'Turns that are being answered: as many as rows of usage_holds. The other reserved columns are their sums.';

COMMENT ON COLUMN public.usage_periods.tokens_overrun IS 'Used beyond what a turn had reserved, with an alert. It takes room from the turns after it.';

COMMENT ON COLUMN public.usage_periods.messages_percent IS 'Of the limit, used or held; 80 warns, 95 saves, 100 refuses.';

COMMENT ON COLUMN public.usage_periods.reported_at IS 'When the report of the ended period was raised, once.';

CREATE FUNCTION public.charge_period(p_hold public.usage_holds, p_event public.usage_events) RETURNS public.usage_periods
    LANGUAGE plpgsql
    AS $$
declare
  v_tokens constant bigint := p_event.input_tokens + p_event.output_tokens;
  v_cost constant bigint := coalesce(p_event.cost_microcents, 0);
  v_period usage_periods;
begin
  update usage_periods
     set messages_reserved = messages_reserved - 1,
         messages_used = messages_used + p_event.is_answered::integer,
         tokens_reserved = tokens_reserved - p_hold.tokens,
         tokens_used = tokens_used + least(v_tokens, p_hold.tokens),
         tokens_overrun = tokens_overrun + greatest(v_tokens - p_hold.tokens, 0),
         cost_reserved_microcents = cost_reserved_microcents - p_hold.cost_microcents,
         cost_microcents = cost_microcents + least(v_cost, p_hold.cost_microcents),
         cost_overrun_microcents
           = cost_overrun_microcents + greatest(v_cost - p_hold.cost_microcents, 0)
   where organization_id = p_hold.organization_id and starts_on = p_hold.period_starts_on
  returning * into strict v_period;
  return v_period;
end;
$$;

COMMENT ON FUNCTION public.charge_period(p_hold public.usage_holds, p_event public.usage_events) IS 'Turns what was held into what was used; no more than was held, so that no limit is passed, and the rest beside it.';

CREATE FUNCTION public.charge_turn(p_turn_id uuid, p_fence bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
begin
  perform enter_turn(p_turn_id, p_fence);
  return settle_usage(p_turn_id);
end;
$$;

COMMENT ON FUNCTION public.charge_turn(p_turn_id uuid, p_fence bigint) IS 'Settles the turn''s reservation with what its model calls really used, once.';

CREATE FUNCTION public.chunk_sets_to_divide() RETURNS TABLE(organization_id uuid, chunk_set_id bigint, cells integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with sized as materialized (
    select chunk_sets.organization_id, chunk_sets.id, chunk_sets.first_cell, words.chunk_count,
           -- A smaller one is read whole in less time than its cells would take.
           case when divided_chunks is null then words.chunk_count >= 5000
                else words.chunk_count not between divided_chunks / 2 and 2 * divided_chunks
           end as is_outgrown
      from chunk_sets join words on words.organization_id = chunk_sets.organization_id and word = ''
     where chunk_sets.state = 'searched'
  )
  -- Of ten chunks each: a search of 10,000 reads as many centers as codes. In the nearest hundred of
  -- half as many cells it would read twice the codes and miss more of the nearest ten. Beyond, the
  -- cells grow, or the centers would take more time than the codes.
  select sized.organization_id, id,
         case when is_outgrown then least(chunk_count / 10, 10 * sqrt(chunk_count))::integer end
    from sized
   where is_outgrown
      or exists (select from cells join embeddings
                   on embeddings.organization_id = cells.organization_id
                  and embeddings.chunk_set_id = cells.chunk_set_id
                  and embeddings.cell < sized.first_cell
                  where cells.organization_id = sized.organization_id
                    and cells.chunk_set_id = sized.id and cells.number = sized.first_cell)
   order by chunk_count;
$$;

COMMENT ON FUNCTION public.chunk_sets_to_divide() IS 'Searched sets that have outgrown their cells, or shrunk, with how many they should have; without a number: those where an embedding is in no cell yet. The smallest first. Across organizations.';

CREATE TABLE public.chunk_sets (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    embedding_model text NOT NULL,
    embedding_dimensions integer NOT NULL,
    state text DEFAULT 'building'::text NOT NULL,
    first_cell integer DEFAULT 1 NOT NULL,
    divided_chunks integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT chunk_sets_divided_chunks_check CHECK ((divided_chunks >= 0)),
    CONSTRAINT chunk_sets_embedding_dimensions_check CHECK (((embedding_dimensions >= 1) AND (embedding_dimensions <= 6000))),
    CONSTRAINT chunk_sets_first_cell_check CHECK ((first_cell > 0)),
    CONSTRAINT chunk_sets_state_check CHECK ((state = ANY (ARRAY['building'::text, 'searched'::text, 'retired'::text])))
);

ALTER TABLE ONLY public.chunk_sets FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.chunk_sets IS 'One row per embedding model that an organization''s chunks are embedded by.';

COMMENT ON COLUMN public.chunk_sets.state IS 'building -> searched (one per organization) -> retired (nothing reads it: to be deleted).';

COMMENT ON COLUMN public.chunk_sets.first_cell IS 'The first number of the cells that it is divided into now. Embeddings with a lower one belong to no cell yet: every search reads them.';

COMMENT ON COLUMN public.chunk_sets.divided_chunks IS 'How many chunks were searched when it was divided; null: it never was.';

CREATE FUNCTION public.chunks_by_code(p_chunk_set public.chunk_sets, p_vector public.halfvec, p_document_ids uuid[], p_least integer) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    AS $$
declare
  v_organization_id constant uuid := p_chunk_set.organization_id;
  v_chunk_set_id constant bigint := p_chunk_set.id;
  v_first_cell constant integer := p_chunk_set.first_cell;
  v_code constant bit varying := code_of(p_vector);
  -- In them are 0.996 of the ten nearest of 10,000 and of 100,000.
  v_nearest_cells constant integer := 100;
  -- The more chunks, the more of them come by their codes before one of the ten nearest: 0.995 of
  -- those ten are among the first 120 of 10,000 and among the first 250 of 100,000.
  v_most constant integer := greatest(p_least, 1.2 * sqrt(p_chunk_set.divided_chunks));
  v_cells integer[];
begin
  if p_document_ids is not null then
    -- They may be far from what is asked and yet the nearest of these documents.
    return array(
      select chunk_id from embeddings
       where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
         and is_searched and document_id = any (p_document_ids)
       order by code <~> v_code limit v_most);
  end if;

  v_cells := array(
    select number from cells
     where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
     order by center <#> p_vector limit v_nearest_cells);
  return array(
    select chunk_id
      from (select chunk_id, code from embeddings
             where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
               and is_searched and cell < v_first_cell
            union all
            select chunk_id, code from embeddings
             where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
               and is_searched and cell = any (v_cells)) as compared
     order by code <~> v_code limit v_most);
end;
$$;

COMMENT ON FUNCTION public.chunks_by_code(p_chunk_set public.chunk_sets, p_vector public.halfvec, p_document_ids uuid[], p_least integer) IS 'The chunks whose codes are nearest to a question''s, at least so many: of the documents given, or of the nearest cells and whatever is in none.';

CREATE FUNCTION public.claim_alert() RETURNS TABLE(held_until timestamp with time zone, id bigint, organization_id uuid, severity text, code text, summary text, occurrences integer, occurrences_told integer, first_raised_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_held_until timestamptz;
begin
  -- Longer than a call to Slack may take. Two workers meet at this row: the second waits for the
  -- first, sees its time and goes away.
  update alert_outlet set next_post_at = now() + interval '30 seconds'
   where next_post_at <= now() and exists (select from alerts where due_at <= now())
  returning next_post_at into v_held_until;
  if not found then
    return;
  end if;
  return query
    update alerts set attempts = attempts + 1
     where id = (
       select id from alerts where due_at <= now()
        order by attempts, due_at, id limit 1 for update skip locked
     )
    returning v_held_until, id, organization_id, severity, code, summary,
              occurrences, occurrences_told, first_raised_at;
  if not found then
    -- Somebody raises it again at this moment: there was nothing to call Slack for.
    update alert_outlet set next_post_at = now();
  end if;
end;
$$;

COMMENT ON FUNCTION public.claim_alert() IS 'The next alert to post, with the only right to post for half a minute; no row when nothing is due or Slack may not be called now.';

CREATE FUNCTION public.claim_conversation(p_conversation_id uuid) RETURNS TABLE(outcome text, fence bigint, arrivals bigint, wait_seconds numeric)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  return query
    update conversation_work
       set fence = fence + 1,
           lease_until = now() + lease(),
           nudged_until = null,
           nudges = 0
     where conversation_id = p_conversation_id
       and due_at <= now()
       and (lease_until is null or lease_until < now())
    returning 'claimed', fence, arrivals, 0::numeric;
  if found then
    return;
  end if;
  -- The flow that was expected hands on to one for the new time; any other ends here, or both
  -- would go on side by side.
  return query
    update conversation_work
       set nudged_for = due_at, nudged_until = due_at + interval '5 seconds'
     where conversation_id = p_conversation_id
       and due_at > now()
       and (lease_until is null or lease_until < now())
       and (nudged_until is null or nudged_until < now() or nudged_for <= now())
    returning 'too_early', fence, arrivals, extract(epoch from due_at - now());
  if found then
    return;
  end if;
  return query
    select case
             when lease_until >= now() then 'busy'
             when due_at > now() then 'too_early'
             else 'nothing_waiting'
           end,
           fence, arrivals, null::numeric
      from conversation_work where conversation_id = p_conversation_id;
end;
$$;

COMMENT ON FUNCTION public.claim_conversation(p_conversation_id uuid) IS 'Takes the conversation for a while: claimed, or why not (busy, too_early, nothing_waiting); no row when it never had work. wait_seconds: when another flow has to come, where none is expected.';

CREATE TABLE public.conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    group_key text DEFAULT ''::text NOT NULL,
    mode text DEFAULT 'bot'::text NOT NULL,
    silent_until timestamp with time zone,
    history_after bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT conversations_group_key_check CHECK ((length(group_key) <= 512)),
    CONSTRAINT conversations_mode_check CHECK ((mode = ANY (ARRAY['bot'::text, 'human'::text, 'muted'::text])))
);

ALTER TABLE ONLY public.conversations FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.conversations IS 'One row per contact on a channel, for ever; and per contact inside a group.';

COMMENT ON COLUMN public.conversations.group_key IS 'The group (and topic) that replies go to; empty: the contact alone.';

COMMENT ON COLUMN public.conversations.mode IS 'bot: the chatbot answers; human: a teammate does, messages are held; muted: nobody answers.';

COMMENT ON COLUMN public.conversations.silent_until IS 'When the chatbot takes over again from a teammate; null: when somebody gives it back.';

COMMENT ON COLUMN public.conversations.history_after IS 'messages.id up to which the contact had the history forgotten.';

CREATE FUNCTION public.claim_limit_notice(p_conversation public.conversations) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  p_conversation := own_conversation(p_conversation.id);
  insert into contact_days (contact_id, day, organization_id, notice_claimed_at)
  values (
    p_conversation.contact_id, usage_today(p_conversation.organization_id),
    p_conversation.organization_id, usage_now()
  )
  on conflict on constraint contact_days_pkey do update
    set notice_claimed_at = excluded.notice_claimed_at
    where contact_days.notice_claimed_at is null;
  return case when found then (
    select limit_notice from channels join chatbots on chatbots.id = channels.chatbot_id
     where channels.id = p_conversation.channel_id
  ) end;
end;
$$;

COMMENT ON FUNCTION public.claim_limit_notice(p_conversation public.conversations) IS 'What to tell a contact whom a limit keeps from an answer, the first time in a day; then null.';

CREATE FUNCTION public.claim_outbound_message(p_turn_id uuid, p_fence bigint) RETURNS TABLE(outcome text, id uuid, body text, wait_seconds numeric, attempt integer, start_within_seconds numeric)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
  v_message outbound_messages;
  v_wait_seconds numeric;
  v_refusal text;
begin
  select * into v_message from outbound_messages
   where turn_id = p_turn_id and state in ('ready', 'sending') order by position limit 1;
  if not found then
    return query select 'done', null::uuid, null::text, null::numeric, null::integer, null::numeric;
    return;
  end if;
  if v_message.state = 'sending' then
    v_wait_seconds := grace_left_seconds(v_message);
    if v_wait_seconds > 0 then
      return query select 'wait', v_message.id, null::text, v_wait_seconds, null::integer,
        null::numeric;
      return;
    elsif not may_send_again(v_message) then
      update outbound_messages set state = 'unknown' where outbound_messages.id = v_message.id;
      return query select 'unknown', v_message.id, null::text, null::numeric, null::integer, null::numeric;
      return;
    end if;
  end if;
  -- for share: a takeover waits for this look, or is seen by it. Whatever the mode: a row that the
  -- condition left out would not be locked, nor a takeover waited for that has it locked.
  select case
           when mode <> 'bot' then 'teammate_took_over'
           when opted_out_at is not null and not exists (
             select from inbound_messages where turn_id = p_turn_id and command is not null
           ) then 'contact_opted_out'
         end
    into strict v_refusal
    from conversations join contacts on contacts.id = conversations.contact_id
   where conversations.id = v_turn.conversation_id for share of conversations;
  if v_refusal is not null then
    update outbound_messages
       set state = case state when 'ready' then 'failed' else 'unknown' end,
           error_code = v_refusal
     where turn_id = p_turn_id and state in ('ready', 'sending');
    return query select 'done', null::uuid, null::text, null::numeric, null::integer, null::numeric;
    return;
  end if;
  update outbound_messages set state = 'sending', sending_at = now(), attempts = attempts + 1
   where outbound_messages.id = v_message.id;
  -- The call and the vendor's time for it have to end before others stop waiting for its receipt.
  return query
    select 'send', v_message.id, v_message.body, null::numeric, v_message.attempts + 1,
           channels.receipt_grace_seconds / 3.0
      from conversations join channels on channels.id = conversations.channel_id
     where conversations.id = v_message.conversation_id;
end;
$$;

COMMENT ON FUNCTION public.claim_outbound_message(p_turn_id uuid, p_fence bigint) IS 'The turn''s next message, marked as being sent before it is: send; wait (so many seconds for a receipt) or unknown when an earlier call was cut off; done when none is left. A send has to begin within so many seconds of its mark.';

CREATE FUNCTION public.claim_outgoing_event() RETURNS TABLE(id uuid, endpoint_id uuid, url text, sealed_secret text, kind text, data jsonb, created_at timestamp with time zone)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.claim_outgoing_event() IS 'One event that is due, with where it goes.';

CREATE FUNCTION public.claim_template(p_turn_id uuid, p_fence bigint) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.claim_template(p_turn_id uuid, p_fence bigint) IS 'The reference for the template of a turn, marked as being sent before it is; null where there is none to send.';

CREATE FUNCTION public.code_of(p_embedding public.halfvec) RETURNS bit varying
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select binary_quantize(p_embedding + far) || binary_quantize(p_embedding + near)
         || binary_quantize(p_embedding - near) || binary_quantize(p_embedding - far)
    from (select array_fill(0.35 / sqrt(vector_dims(p_embedding)),
                            array[vector_dims(p_embedding)])::halfvec as near,
                 array_fill(1 / sqrt(vector_dims(p_embedding)),
                            array[vector_dims(p_embedding)])::halfvec as far) as usual;
$$;

COMMENT ON FUNCTION public.code_of(p_embedding public.halfvec) IS 'Four bits a dimension of a vector of unit length: in which fifth of its usual range it lies. The more bits two codes share, the nearer are their vectors.';

CREATE FUNCTION public.commit_turn(p_turn_id uuid, p_fence bigint, p_replies text[], p_receipt jsonb, p_may_drop boolean) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
  v_arrivals bigint;
  v_mode text;
begin
  if v_turn.state <> 'thinking' then
    return v_turn.state;
  end if;
  -- for share: a teammate who takes over at this moment waits, or we see that they did.
  select mode into strict v_mode from conversations where id = v_turn.conversation_id for share;
  if v_mode <> 'bot' then
    perform hold_messages(v_turn.conversation_id, v_turn, v_mode);
    perform release_conversation(v_turn.conversation_id, v_turn.arrivals_seen);
    return 'held';
  end if;
  -- The work row is locked since enter_turn, so nothing arrives between this look and the commit.
  select arrivals into strict v_arrivals from conversation_work
   where conversation_id = v_turn.conversation_id;
  if p_may_drop and v_arrivals <> v_turn.arrivals_seen and v_turn.drafts_dropped < 2 then
    perform take_messages(v_turn, v_arrivals);
    update turns set drafts_dropped = drafts_dropped + 1 where id = v_turn.id;
    return 'draft_dropped';
  end if;
  update inbound_messages set state = 'answered' where turn_id = v_turn.id and state = 'taken';
  update turns set receipt = p_receipt where id = v_turn.id;
  perform answer_turn(v_turn, 'reply', p_replies);
  return 'answered';
end;
$$;

COMMENT ON FUNCTION public.commit_turn(p_turn_id uuid, p_fence bigint, p_replies text[], p_receipt jsonb, p_may_drop boolean) IS 'Ends thinking: replies into the outbox if the fence is the newest, no teammate took over and the contact did not write on. Returns the turn''s state, or draft_dropped: think again, with everything.';

CREATE FUNCTION public.complete_turn(p_turn_id uuid, p_fence bigint, p_part text) RETURNS numeric
    LANGUAGE plpgsql
    AS $$
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
begin
  update turns
     set sent_at = case when p_part = 'sent' then coalesce(sent_at, now()) else sent_at end,
         saved_at = case when p_part = 'saved' then coalesce(saved_at, now()) else saved_at end,
         charged_at = case when p_part = 'charged' then coalesce(charged_at, now()) else charged_at end
   where id = p_turn_id and state = 'answered'
  returning * into v_turn;
  if not found or v_turn.sent_at is null or v_turn.saved_at is null or v_turn.charged_at is null then
    return null;
  end if;
  update turns set state = 'finished' where id = p_turn_id;
  update conversation_work set last_sent_at = v_turn.sent_at
   where conversation_id = v_turn.conversation_id;
  return release_conversation(v_turn.conversation_id, v_turn.arrivals_seen);
end;
$$;

COMMENT ON FUNCTION public.complete_turn(p_turn_id uuid, p_fence bigint, p_part text) IS 'Stamps one part (sent, saved, charged). The last one finishes the turn and releases the conversation; returns seconds until the next flow, or null.';

CREATE FUNCTION public.conversations_in_doubt(p_limit integer) RETURNS TABLE(conversation_id uuid, wait_seconds numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select conversation_id, extract(epoch from greatest(lease_until, nudged_until) - now())
    from conversation_work
   where due_at < now()
     and (
       lease_until between now() and now() + lease() / 2
       or (lease_until is null or lease_until < now())
          and nudged_until between now() and now() + interval '3 seconds'
     )
   order by due_at limit p_limit;
$$;

COMMENT ON FUNCTION public.conversations_in_doubt(p_limit integer) IS 'Whose lease was not renewed for two beats (f/chat/lease.py), or whose flow is late: probably lost. A flow started for the end of the lease, or of the wait for the other flow, takes over without waiting for another sweep; it is not expected, for it comes too early where the worker lives.';

CREATE FUNCTION public.conversations_left_behind(p_limit integer) RETURNS TABLE(conversation_id uuid, fence bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  -- The belt: nothing should wait in a conversation that is not due.
  update conversation_work set due_at = now()
   where due_at is null
     and conversation_id in (
       select inbound_messages.conversation_id from inbound_messages
        where state = 'waiting' and received_at < now() - interval '30 seconds'
     );
  select conversation_id, fence from conversation_work
   where due_at < now()
     and (lease_until is null or lease_until < now())
     and (nudged_until is null or nudged_until < now())
   order by due_at limit p_limit;
$$;

COMMENT ON FUNCTION public.conversations_left_behind(p_limit integer) IS 'Conversations that are due, held by nobody and expected by nobody: start a flow for each, then expect_flows. A sweep that dies in between has kept nobody waiting.';

CREATE TABLE public.inbound_messages (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    turn_id uuid,
    provider_message_id text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    media jsonb,
    reply_to text,
    referral text,
    album_id text,
    command text,
    state text DEFAULT 'waiting'::text NOT NULL,
    edited_at timestamp with time zone,
    sent_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT inbound_messages_command_check CHECK ((command ~ '^[a-z][a-z0-9_]{1,40}$'::text)),
    CONSTRAINT inbound_messages_provider_message_id_check CHECK (((length(provider_message_id) >= 1) AND (length(provider_message_id) <= 512))),
    CONSTRAINT inbound_messages_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'taken'::text, 'answered'::text, 'held'::text, 'refused'::text, 'buried'::text, 'revoked'::text])))
);

ALTER TABLE ONLY public.inbound_messages FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.inbound_messages IS 'One row per message received, however often it was delivered.';

COMMENT ON COLUMN public.inbound_messages.referral IS 'The advertisement, link or forwarded sender that it came by: words of somebody else.';

COMMENT ON COLUMN public.inbound_messages.command IS 'Which command it is: help, clear, stats, feedback, human, stop, start.';

COMMENT ON COLUMN public.inbound_messages.state IS 'waiting -> taken (in a turn) -> answered | held (for a teammate) | refused (a limit) | buried (5 attempts). Any -> revoked (the contact took it back: its words are gone).';

CREATE FUNCTION public.correct_history(p_message public.inbound_messages, p_body text) RETURNS void
    LANGUAGE sql
    AS $$
  update messages set body = p_body
    from (
      select id, row_number() over (order by sent_at, id) as position
        from inbound_messages where turn_id = p_message.turn_id
    ) as lines
   where messages.turn_id = p_message.turn_id and author = 'contact'
     and lines.id = p_message.id and messages.position = lines.position;
$$;

COMMENT ON FUNCTION public.correct_history(p_message public.inbound_messages, p_body text) IS 'Changes the line of the history that a message became.';

CREATE FUNCTION public.cost_of(p_model text, p_input_tokens bigint, p_output_tokens bigint, p_day date, p_microcents_per_token bigint) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
  select coalesce(price_of(p_model, p_input_tokens, p_output_tokens, p_day),
                  (p_input_tokens + p_output_tokens) * p_microcents_per_token);
$$;

COMMENT ON FUNCTION public.cost_of(p_model text, p_input_tokens bigint, p_output_tokens bigint, p_day date, p_microcents_per_token bigint) IS 'What a turn is charged for a call. A model without a price is charged as the one that was reserved for; null when that has none either.';

CREATE FUNCTION public.dearer_price(p_model text, p_day date) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
  select greatest(price_of(p_model, 1, 0, p_day), price_of(p_model, 0, 1, p_day));
$$;

COMMENT ON FUNCTION public.dearer_price(p_model text, p_day date) IS 'Microcents that a token of the model costs at most; null when it has no price.';

CREATE TABLE public.webhook_endpoints (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    url text NOT NULL,
    sealed_secret text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    failing_since timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_endpoints_url_check CHECK (((url ~ '^https://'::text) AND (length(url) <= 2048)))
);

ALTER TABLE ONLY public.webhook_endpoints FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.webhook_endpoints IS 'One row per address of an organization''s own that our events are posted to.';

COMMENT ON COLUMN public.webhook_endpoints.sealed_secret IS 'The whsec_ that signs what is posted there, AES-256-GCM, bound to this row''s id.';

COMMENT ON COLUMN public.webhook_endpoints.failing_since IS 'The first of the failures since something was taken; after five days of them it is switched off.';

CREATE FUNCTION public.disable_webhook_endpoint(p_endpoint public.webhook_endpoints) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update webhook_endpoints set is_active = false where id = p_endpoint.id;
  update outgoing_events set state = 'failed'
   where endpoint_id = p_endpoint.id and state = 'waiting';
  perform raise_alert(
    p_endpoint.organization_id, 'error', 'webhook_endpoint_disabled', p_endpoint.id::text,
    format('endpoint %s took nothing and gets no events any more', p_endpoint.id));
end;
$$;

COMMENT ON FUNCTION public.disable_webhook_endpoint(p_endpoint public.webhook_endpoints) IS 'Events that happen from now on are not kept for it.';

CREATE FUNCTION public.divide_chunk_set(p_organization_id uuid, p_chunk_set_id bigint, p_cells integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_first_cell integer;
  -- Beyond these, more would take minutes and better little.
  v_cells constant integer := least(p_cells, 2000);
  v_drawn constant integer := least(12 * v_cells, 20000);
  v_rounds constant integer := 4;
  v_centers halfvec[] := array(
    -- Their ids are random: the first of them are as good as drawn.
    select embedding
      from embeddings
     where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id and is_searched
     order by chunk_id
     limit v_cells);
begin
  for _ in 1 .. v_rounds loop
    v_centers := array(
      with drawn as materialized (
        select embedding
          from embeddings
         where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id and is_searched
         order by chunk_id
         limit v_drawn
      ), centers as materialized (
        select * from unnest(v_centers) with ordinality as centers (center, place)
      )
      select l2_normalize(avg(embedding))
        from drawn cross join lateral (
          select place from centers order by center <#> embedding limit 1) as nearest
       group by place
       order by place);
  end loop;

  -- Two divisions at once would give the same numbers; so long, no re-embedding waits for this row.
  perform from chunk_sets
    where organization_id = p_organization_id and id = p_chunk_set_id for no key update;
  select greatest(first_cell, 1 + coalesce((
           select max(number) from cells
            where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id), 0))
    into v_first_cell
    from chunk_sets where organization_id = p_organization_id and id = p_chunk_set_id;
  delete from cells where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id;
  -- What is near each other has numbers near each other: a search reads its cells in few runs.
  insert into cells (organization_id, chunk_set_id, number, center)
  select p_organization_id, p_chunk_set_id,
         v_first_cell - 1 + row_number() over (order by region.place, region.distance), made.center
    from unnest(v_centers) as made (center)
   cross join lateral (
     select place, others.center <#> made.center as distance
       from unnest(v_centers[:sqrt(v_cells)::integer]) with ordinality as others (center, place)
      order by distance limit 1) as region;
  update chunk_sets
     set first_cell = v_first_cell, divided_chunks = (
           select chunk_count from words where organization_id = p_organization_id and word = '')
   where organization_id = p_organization_id and id = p_chunk_set_id;
end;
$$;

COMMENT ON FUNCTION public.divide_chunk_set(p_organization_id uuid, p_chunk_set_id bigint, p_cells integer) IS 'Divides a set anew into about so many cells: around random embeddings, four times moved to the middle of what is nearest (k-means). Nothing is in them until it is moved, or inserted.';

CREATE FUNCTION public.documents_to_search(p_organization_id uuid, p_tags text[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    AS $$
  select id
    from documents
   where organization_id = p_organization_id and is_active
     and (p_tags = '{}' or tags && lower(p_tags::text)::text[]);
$$;

COMMENT ON FUNCTION public.documents_to_search(p_organization_id uuid, p_tags text[]) IS 'The searched documents that have one of the tags, however those are capitalized; all of them without tags.';

CREATE FUNCTION public.draft_answers() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
  with answered as (
    select distinct on (questions.group_id) questions.organization_id, questions.group_id,
           questions.turn_id, question_of_turn(questions.turn_id) as question, said.answer
      from question_groups
      join unanswered_questions as questions on questions.group_id = question_groups.id
      join turns on turns.id = questions.turn_id
      join conversations on conversations.id = turns.conversation_id
     -- What they wrote from then on, until the chatbot answered again: a question back and a
     -- greeting are no answer, and one word may be.
     cross join lateral (
       select string_agg(body, E'\n\n' order by written_at, messages.id) as answer
         from messages
        where messages.conversation_id = turns.conversation_id and author = 'teammate'
          and written_at > turns.created_at
          and written_at < coalesce((select min(later.created_at) from turns as later
                                      where later.conversation_id = turns.conversation_id
                                        and later.created_at > turns.created_at
                                        and later.outcome = 'reply'), 'infinity')
          and body !~ '[?？]\s*$' and not is_courtesy(body)
     ) as said
     where question_groups.state = 'open' and conversations.mode = 'bot'
       and said.answer is not null
       and not exists (select from answer_drafts where turn_id = questions.turn_id)
       and not exists (select from answer_drafts
                        where group_id = question_groups.id and answer_drafts.state = 'waiting')
     order by questions.group_id, turns.created_at desc
  ), made as (
    insert into answer_drafts (organization_id, group_id, turn_id, question, answer)
    select organization_id, group_id, turn_id, left(question, 2000), left(answer, 8000)
      from answered where question is not null
    on conflict do nothing
    returning id
  )
  select count(*) from made;
$_$;

COMMENT ON FUNCTION public.draft_answers() IS 'Proposes what teammates answered, once their conversation is the chatbot''s again; one at a time for a group, and nothing twice.';

CREATE FUNCTION public.draw_ticket_key() RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  -- Two random uuids hold 244 bits that nobody can guess; core Postgres has no other source.
  v_key bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
begin
  insert into ticket_key (inner_pad, outer_pad)
  values (ticket_key_block(v_key, 54), ticket_key_block(v_key, 92))
  on conflict (is_only) do update
    set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad;
end;
$$;

COMMENT ON FUNCTION public.draw_ticket_key() IS 'Draws a new key. Tickets live for one transaction, so this disturbs only what runs just now.';

CREATE FUNCTION public.earlier_of_album(p_channel_id uuid, p_album_id text, p_is_addressed boolean, p_reply_to text) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.earlier_of_album(p_channel_id uuid, p_album_id text, p_is_addressed boolean, p_reply_to text) IS 'Deliveries of the last minute, taken for the chatter of a group, that may hold the first pictures of an album of which a later one names or quotes us.';

CREATE FUNCTION public.end_hold(p_turn_id uuid, p_is_answered boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  v_hold usage_holds;
  v_event usage_events;
begin
  -- Whoever deletes the hold ends it: a twin waits here and finds it gone.
  delete from usage_holds where turn_id = p_turn_id returning * into v_hold;
  if not found then
    return (select cost_microcents from usage_events where turn_id = p_turn_id);
  end if;
  v_event := event_of(v_hold, p_is_answered);
  if not p_is_answered then
    perform give_back_days(v_hold);
  end if;
  perform charge_period(v_hold, v_event);
  insert into usage_events select v_event.*;
  perform alert_odd_charge(v_event);
  return v_event.cost_microcents;
end;
$$;

COMMENT ON FUNCTION public.end_hold(p_turn_id uuid, p_is_answered boolean) IS 'Ends a turn''s hold in the period and on the day that it was taken from, once; returns the cost, null when it is unknown.';

CREATE FUNCTION public.end_sweep() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  update installation_pulse set sweeping_until = null;
$$;

COMMENT ON FUNCTION public.end_sweep() IS 'Lets the next sweep begin at once.';

CREATE FUNCTION public.end_turn(p_turn public.turns, p_state text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update inbound_messages set state = p_state where turn_id = p_turn.id and state = 'taken';
  update outbound_messages
     set state = case state when 'ready' then 'failed' else 'unknown' end,
         error_code = 'turn_buried'
   where turn_id = p_turn.id and state in ('ready', 'sending');
  update turns set state = p_state where id = p_turn.id;
  if p_turn.state = 'thinking' then
    perform release_usage(p_turn.id);
  end if;
end;
$$;

COMMENT ON FUNCTION public.end_turn(p_turn public.turns, p_state text) IS 'Ends a turn that nobody was answered by (held or buried) and gives its reservation back.';

CREATE FUNCTION public.enter_channel(p_channel_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.enter_channel(p_channel_id uuid) IS 'Opens the transaction to the channel''s organization: who knows the id of a channel, a random uuid, has verified its webhook''s signature.';

CREATE FUNCTION public.enter_conversation(p_conversation_id uuid, p_fence bigint) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_organization_id uuid;
begin
  -- A turn that was given back stays so: a branch that is still running may stamp its part, but
  -- must not take the lease again and keep the next try waiting.
  update conversation_work
     set lease_until = case when lease_until is not null then now() + lease() end
   where conversation_id = p_conversation_id and fence = p_fence
  returning organization_id into v_organization_id;
  if not found then
    raise exception 'fence % of conversation % is not the newest', p_fence, p_conversation_id
      using errcode = 'STALE';
  end if;
  perform prove_organization(v_organization_id);
  return v_organization_id;
end;
$$;

COMMENT ON FUNCTION public.enter_conversation(p_conversation_id uuid, p_fence bigint) IS 'Locks the work row, renews the lease and opens the transaction to the organization, or refuses a worker that lost the conversation (STALE).';

CREATE TABLE public.ingestions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    source_id uuid NOT NULL,
    fence bigint DEFAULT 1 NOT NULL,
    sha256 text NOT NULL,
    state text DEFAULT 'fetched'::text NOT NULL,
    outcome text,
    title text DEFAULT ''::text NOT NULL,
    media_type text DEFAULT ''::text NOT NULL,
    page_count integer DEFAULT 0 NOT NULL,
    chunk_count integer DEFAULT 0 NOT NULL,
    reused_count integer DEFAULT 0 NOT NULL,
    embedded_count integer DEFAULT 0 NOT NULL,
    stored_count integer DEFAULT 0 NOT NULL,
    embedding_model text,
    embedding_dimensions integer,
    embedding_seconds real DEFAULT 0 NOT NULL,
    document_id uuid,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    progressed_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT ingestions_check CHECK (((stored_count >= 0) AND (stored_count <= chunk_count))),
    CONSTRAINT ingestions_chunk_count_check CHECK ((chunk_count >= 0)),
    CONSTRAINT ingestions_embedded_count_check CHECK ((embedded_count >= 0)),
    CONSTRAINT ingestions_end_with_an_outcome CHECK ((((state = 'ended'::text) = (outcome IS NOT NULL)) AND ((state = 'ended'::text) = (ended_at IS NOT NULL)))),
    CONSTRAINT ingestions_outcome_check CHECK ((outcome = ANY (ARRAY['ready'::text, 'unchanged'::text, 'refused'::text, 'replaced'::text, 'held'::text, 'dropped'::text]))),
    CONSTRAINT ingestions_page_count_check CHECK ((page_count >= 0)),
    CONSTRAINT ingestions_reused_count_check CHECK ((reused_count >= 0)),
    CONSTRAINT ingestions_state_check CHECK ((state = ANY (ARRAY['fetched'::text, 'extracted'::text, 'split'::text, 'embedded'::text, 'stored'::text, 'ended'::text])))
);

ALTER TABLE ONLY public.ingestions FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.ingestions IS 'One row per content of a source that was read, or is being read.';

COMMENT ON COLUMN public.ingestions.fence IS 'Of the run that reads it; older runs are refused.';

COMMENT ON COLUMN public.ingestions.sha256 IS 'Of the original that it reads.';

COMMENT ON COLUMN public.ingestions.state IS 'The last step that is complete: fetched -> extracted -> split -> embedded -> stored -> ended.';

COMMENT ON COLUMN public.ingestions.outcome IS 'ready (searched), unchanged, refused, replaced (by newer content); held (for a person to look at) -> ready | dropped.';

COMMENT ON COLUMN public.ingestions.reused_count IS 'Chunks that kept the embedding of the version before.';

COMMENT ON COLUMN public.ingestions.embedded_count IS 'Chunks with an embedding, reused ones too.';

COMMENT ON COLUMN public.ingestions.stored_count IS 'Chunks that are in the new version already.';

COMMENT ON COLUMN public.ingestions.embedding_seconds IS 'Spent in calls of the embedding model.';

COMMENT ON COLUMN public.ingestions.document_id IS 'The version being built, or what became of it.';

CREATE FUNCTION public.enter_ingestion(p_ingestion_id uuid, p_fence bigint) RETURNS SETOF public.ingestions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_ingestion ingestions;
begin
  perform from sources join ingestions on ingestions.source_id = sources.id
    where ingestions.id = p_ingestion_id for no key update of sources;
  select ingestions.* into v_ingestion
    from ingestions join sources on sources.id = source_id and sources.sha256 = ingestions.sha256
   where ingestions.id = p_ingestion_id and fence = p_fence and ingestions.state <> 'ended';
  if not found then
    return;
  end if;
  perform prove_organization(v_ingestion.organization_id);
  update ingestions set progressed_at = now() where id = p_ingestion_id;
  update sources set due_at = now() + make_interval(secs => reading_seconds())
   where id = v_ingestion.source_id;
  return next v_ingestion;
end;
$$;

COMMENT ON FUNCTION public.enter_ingestion(p_ingestion_id uuid, p_fence bigint) IS 'Opens the transaction to the organization of an ingestion, by its id, a random uuid, and its newest fence; no row when the source was deleted or replaced, or another run has it. The source stays locked.';

CREATE FUNCTION public.enter_organization(p_organization_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_organization_id uuid;
begin
  select id into v_organization_id from organizations where id = p_organization_id;
  if found then
    perform prove_organization(v_organization_id);
  end if;
  return v_organization_id;
end;
$$;

COMMENT ON FUNCTION public.enter_organization(p_organization_id uuid) IS 'Opens the transaction to an organization, by its id, a random uuid, for work on all that it gave us; null when it is gone.';

CREATE FUNCTION public.enter_outbound_message(p_message_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select prove_organization(organization_id) from outbound_messages where id = p_message_id;
$$;

COMMENT ON FUNCTION public.enter_outbound_message(p_message_id uuid) IS 'Opens the transaction to the organization of a message to send, by its id, a random uuid, without a fence: that it went out is true whoever holds the turn now.';

CREATE FUNCTION public.enter_sign_in(p_state_sha256 text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_organization_id uuid;
begin
  select organization_id into v_organization_id from sign_ins where state_sha256 = p_state_sha256;
  if found then
    perform prove_organization(v_organization_id);
  end if;
  return v_organization_id;
end;
$$;

COMMENT ON FUNCTION public.enter_sign_in(p_state_sha256 text) IS 'Opens the transaction to the organization of a sign-in, by the hash of its state, 256 random bits; null when there is none.';

CREATE FUNCTION public.enter_source(p_source_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_organization_id uuid;
begin
  select organization_id into v_organization_id from sources where id = p_source_id;
  if found then
    perform prove_organization(v_organization_id);
  end if;
  return v_organization_id;
end;
$$;

COMMENT ON FUNCTION public.enter_source(p_source_id uuid) IS 'Opens the transaction to the organization of a source, by its id, a random uuid; null when it is gone.';

CREATE FUNCTION public.enter_turn(p_turn_id uuid, p_fence bigint) RETURNS public.turns
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_turn turns;
begin
  perform enter_conversation(
    (select conversation_id from turns where id = p_turn_id), p_fence
  );
  -- Read after the lock: another worker may have moved the turn while we waited for it.
  select * into strict v_turn from turns where id = p_turn_id;
  return v_turn;
end;
$$;

COMMENT ON FUNCTION public.enter_turn(p_turn_id uuid, p_fence bigint) IS 'How every write of a turn begins: enter_conversation by the turn''s id. Returns the turn as it is now.';

CREATE FUNCTION public.event_of(p_hold public.usage_holds, p_is_answered boolean) RETURNS public.usage_events
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_event usage_events;
begin
  select p_hold.turn_id, p_hold.organization_id, p_hold.period_starts_on, p_hold.chatbot_id,
         p_is_answered, p_hold.decision,
         coalesce(string_agg(distinct model, ', '), p_hold.model), count(*),
         coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),
         coalesce(bool_or(is_estimated), false),
         case when count(*) = count(cost) then coalesce(sum(cost), 0) end,
         p_hold.held_on, p_hold.tokens, p_hold.cost_microcents, p_hold.microcents_per_token,
         usage_now()
    into v_event
    from calls_of(p_hold);
  return v_event;
end;
$$;

COMMENT ON FUNCTION public.event_of(p_hold public.usage_holds, p_is_answered boolean) IS 'The charge of a turn that ends.';

CREATE FUNCTION public.expect_flows(p_conversation_ids uuid[], p_fences bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  -- A claim that came first raised the fence. Skip locked: whoever has the row is at work there.
  update conversation_work
     set nudged_for = now(),
         nudged_until = now() + make_interval(secs => least(5 * 2 ^ least(nudges, 4), 60)),
         nudges = nudges + 1
   where conversation_id in (
     select work.conversation_id
       from unnest(p_conversation_ids, p_fences) as started (conversation_id, fence)
       join conversation_work as work using (conversation_id, fence)
      where work.due_at < now() and (work.nudged_until is null or work.nudged_until < now())
      for update of work skip locked
   );
$$;

COMMENT ON FUNCTION public.expect_flows(p_conversation_ids uuid[], p_fences bigint[]) IS 'Notes that a flow was just started for each of these conversations, where it has not come already.';

CREATE FUNCTION public.fail_unreached_replies() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.fail_unreached_replies() IS 'A reply to a group of which every participant that the vendor told of was refused did not arrive: it ends and is alerted as one to a single contact.';

CREATE FUNCTION public.find_candidates(p_organization_id uuid, p_embedding_model text, p_vector public.halfvec, p_question text, p_tags text[], p_words_weight double precision, p_limit integer) RETURNS TABLE(chunk_id uuid, document_id uuid, title text, heading_path text, page integer, content text, score double precision, bonus double precision, similarity double precision, likenesses real[])
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
declare
  v_chunk_set chunk_sets;
  v_document_ids uuid[];
  v_shortlist uuid[];
begin
  select * into v_chunk_set
    from chunk_sets
   where organization_id = p_organization_id and state = 'searched'
     and embedding_model = p_embedding_model and embedding_dimensions = vector_dims(p_vector);
  if not found then
    return;
  end if;
  if p_tags <> '{}' then
    v_document_ids := array(select id from documents_to_search(p_organization_id, p_tags) as id);
  end if;
  -- Of 1,000 chunks, 0.999 of the ten nearest by vectors are among the hundred nearest by codes.
  v_shortlist := chunks_by_code(v_chunk_set, p_vector, v_document_ids, 5 * p_limit / 2);

  return query
  with words as materialized (
    select * from weighed_words(p_organization_id, p_question)
  ), asked as materialized (
    -- A name is its word once more, which is weighed already.
    select place, form, case when form like '^%' then 0 else weight end as weight, bonus
      from words where form not like '^%' or bonus > 0
  ), named as materialized (
    -- Half of the candidates, at most, for their words alone: with all, StackFAQ gains 0.0003.
    select chunk_id
      from (select unnest(chunk_ids) as chunk_id, weight, bonus from words) as holding
     where v_document_ids is null or exists (
             select from chunks
              where organization_id = p_organization_id and id = holding.chunk_id
                and document_id = any (v_document_ids))
     group by chunk_id
     order by sum(weight + bonus) desc, chunk_id
     limit p_limit / 2
  ), near as materialized (
    select chunk_id, embedding, -(embedding <#> p_vector) as similarity
      from embeddings
     where organization_id = p_organization_id and chunk_set_id = v_chunk_set.id
       and chunk_id = any (v_shortlist)
     order by similarity desc, chunk_id
     limit p_limit
  ), compared as materialized (
    select chunk_id, embedding, similarity from near
    union all
    select chunk_id, embedding, -(embedding <#> p_vector)
      from embeddings
     where organization_id = p_organization_id and chunk_set_id = v_chunk_set.id and is_searched
       and chunk_id = any (array(select chunk_id from named))
       and chunk_id not in (select chunk_id from near)
  ), rated as materialized (
    select compared.chunk_id, compared.embedding, compared.similarity, chunks.document_id,
           chunks.heading_path, chunks.page, chunks.content, worded.bonus,
           compared.similarity + p_words_weight * worded.coverage as score
      from compared
      join chunks on chunks.organization_id = p_organization_id and chunks.id = compared.chunk_id
     cross join lateral (
       select coalesce(sum(weight), 0) as coverage, coalesce(sum(bonus), 0) as bonus
         from (select max(asked.weight) as weight, sum(asked.bonus) as bonus
                 from asked
                where asked.form = any (chunks.words)
                group by asked.place) as held) as worded
     order by compared.similarity + p_words_weight * worded.coverage + worded.bonus desc,
              compared.chunk_id
     limit p_limit
  ), ranked as materialized (
    -- As they were sorted: with texts and vectors, sorting takes as long as finding them.
    select row_number() over () as place, rated.* from rated
  )
  select ranked.chunk_id, documents.id, documents.title, ranked.heading_path, ranked.page,
         ranked.content, ranked.score, ranked.bonus, ranked.similarity,
         -- Read as they were written, by place: the first of them are those before.
         array(select (-(better.embedding <#> ranked.embedding))::real
                 from ranked as better limit ranked.place - 1)
    from ranked
    join documents on documents.organization_id = p_organization_id
                  and documents.id = ranked.document_id
   order by ranked.place;
end;
$$;

COMMENT ON FUNCTION public.find_candidates(p_organization_id uuid, p_embedding_model text, p_vector public.halfvec, p_question text, p_tags text[], p_words_weight double precision, p_limit integer) IS 'The passages that fit a question by themselves, the best first; of documents with one of the tags, where there are any. score + bonus is what they are ordered by; likenesses: to each of those before. None when another model is searched.';

CREATE FUNCTION public.find_channel(p_url_key text) RETURNS SETOF public.channels
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select channels.*
    from channels join organizations on organizations.id = channels.organization_id
   where channels.url_key = p_url_key and channels.is_active and organizations.is_active;
$$;

COMMENT ON FUNCTION public.find_channel(p_url_key text) IS 'The channel that a webhook''s address names; who knows the key may check its signature.';

CREATE FUNCTION public.find_channel_of_delivery(p_delivery_id uuid) RETURNS SETOF public.channels
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select channels.*
    from webhook_deliveries join channels on channels.id = webhook_deliveries.channel_id
   where webhook_deliveries.id = p_delivery_id;
$$;

COMMENT ON FUNCTION public.find_channel_of_delivery(p_delivery_id uuid) IS 'The channel that a stored delivery came through.';

CREATE FUNCTION public.find_sibling_channel(p_channel_id uuid, p_account_id text) RETURNS SETOF public.channels
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select sibling.*
    from channels join channels as sibling
      on sibling.organization_id = channels.organization_id and sibling.kind = channels.kind
   where channels.id = p_channel_id and sibling.account_id = p_account_id and sibling.is_active;
$$;

COMMENT ON FUNCTION public.find_sibling_channel(p_channel_id uuid, p_account_id text) IS 'Another account of the same organization and vendor: one app''s webhook brings the messages of all its numbers.';

CREATE FUNCTION public.find_web_session(p_channel_id uuid, p_session_id uuid, p_token_hash text) RETURNS TABLE(conversation_id uuid, contact_key text, is_expired boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select web_sessions.conversation_id, contacts.contact_key, web_sessions.expires_at < now()
    from web_sessions
    join conversations on conversations.id = web_sessions.conversation_id
    join contacts on contacts.id = conversations.contact_id
   where web_sessions.id = p_session_id and web_sessions.token_hash = p_token_hash
     and web_sessions.channel_id = p_channel_id;
$$;

COMMENT ON FUNCTION public.find_web_session(p_channel_id uuid, p_session_id uuid, p_token_hash text) IS 'The session that this token is of, on this channel; no row for a token of another.';

CREATE FUNCTION public.find_web_upload(p_session_id uuid, p_token_hash text, p_upload_id uuid) RETURNS TABLE(file_name text, media_type text, sha256 text, size_bytes integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select web_uploads.file_name, web_uploads.media_type, web_uploads.sha256, length(content)
    from web_sessions
    join web_uploads on web_uploads.conversation_id = web_sessions.conversation_id
   where web_sessions.id = p_session_id and web_sessions.token_hash = p_token_hash
     and web_sessions.expires_at > now() and web_uploads.id = p_upload_id;
$$;

COMMENT ON FUNCTION public.find_web_upload(p_session_id uuid, p_token_hash text, p_upload_id uuid) IS 'A file of this session''s own conversation.';

CREATE FUNCTION public.finish_delivery(p_delivery_id uuid, p_outcome jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  update webhook_deliveries set accepted_at = now(), outcome = p_outcome where id = p_delivery_id;
$$;

COMMENT ON FUNCTION public.finish_delivery(p_delivery_id uuid, p_outcome jsonb) IS 'Notes that everything in a delivery was accepted.';

CREATE FUNCTION public.fold_accents(p_text text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select replace(replace(replace(translate(
           regexp_replace(normalize(p_text, nfkd), '[\u0300-\u036f]', '', 'g'),
           'øØłŁđĐıħ', 'oOlLdDih'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
$$;

COMMENT ON FUNCTION public.fold_accents(p_text text) IS 'As people type it who leave accents out: Kővári is Kovari.';

CREATE FUNCTION public.forget_accepted_deliveries() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with forgotten as (
    delete from webhook_deliveries where accepted_at < now() - interval '7 days' returning id
  )
  select count(*) from forgotten;
$$;

COMMENT ON FUNCTION public.forget_accepted_deliveries() IS 'What was accepted is in other tables; the raw body, personal data of contacts, need not stay.';

CREATE FUNCTION public.forget_alerts() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  delete from alerts where due_at is null and last_raised_at < now() - interval '30 days';
$$;

COMMENT ON FUNCTION public.forget_alerts() IS 'Forgets what was told and did not happen again for 30 days.';

CREATE FUNCTION public.forget_attachments() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with forgotten as (
    delete from attachments where created_at < now() - interval '7 days'
    returning inbound_message_id
  )
  select count(*) from forgotten;
$$;

COMMENT ON FUNCTION public.forget_attachments() IS 'Files and what was read in them are not kept for longer than a week; words of voice messages are in the history.';

CREATE FUNCTION public.forget_old_knowledge(p_days integer, p_most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_before constant timestamptz := now() - make_interval(days => p_days);
  v_documents uuid[];
  v_count bigint;
  v_total bigint := 0;
begin
  -- What a reply cites can be shown as it was, however old.
  with forgotten as (
    delete from chunks where id in (
      select chunks.id
        from documents join chunks on chunks.organization_id = documents.organization_id
                                  and chunks.document_id = documents.id
       where documents.retired_at < v_before
         and not exists (select from turn_citations where turn_citations.chunk_id = chunks.id)
       limit p_most)
    returning id)
  select count(*) into v_count from forgotten;
  v_total := v_total + v_count;

  -- Empty now; or begun by a run that nobody continues.
  v_documents := array(
    select documents.id from documents
     where not is_active and not is_held
       and case when retired_at is null
                then created_at < v_before and not exists (
                  select from ingestions where ingestions.document_id = documents.id
                                           and ingestions.organization_id = documents.organization_id
                                           and ingestions.state <> 'ended')
                else retired_at < v_before and not exists (
                  select from chunks where chunks.organization_id = documents.organization_id
                                       and chunks.document_id = documents.id)
           end
     limit p_most);
  delete from documents where id = any (v_documents);
  v_total := v_total + cardinality(v_documents);

  -- The newest of a source tells how its last reading ended.
  with forgotten as (
    delete from ingestions where id in (
      select id from ingestions as old
       where state = 'ended' and ended_at < v_before
         and exists (select from ingestions as newer
                      where newer.organization_id = old.organization_id
                        and newer.source_id = old.source_id and newer.started_at > old.started_at)
       limit p_most)
    returning id)
  select count(*) into v_count from forgotten;
  v_total := v_total + v_count;

  -- Left by a re-embedding that was killed after it switched.
  with forgotten as (
    delete from embeddings using (
      select embeddings.organization_id, chunk_set_id, chunk_id
        from chunk_sets join embeddings
          on embeddings.organization_id = chunk_sets.organization_id
         and embeddings.chunk_set_id = chunk_sets.id
       where chunk_sets.state = 'retired' limit p_most) as old
     where embeddings.organization_id = old.organization_id
       and embeddings.chunk_set_id = old.chunk_set_id and embeddings.chunk_id = old.chunk_id
    returning embeddings.chunk_id)
  select count(*) into v_count from forgotten;
  v_total := v_total + v_count;
  delete from chunk_sets where state = 'retired' and not exists (
    select from embeddings where embeddings.organization_id = chunk_sets.organization_id
                             and embeddings.chunk_set_id = chunk_sets.id);

  delete from robots where read_at < v_before;
  delete from question_groups
   where state <> 'dismissed'
     and not exists (select from unanswered_questions where group_id = question_groups.id);
  return v_total;
end;
$$;

COMMENT ON FUNCTION public.forget_old_knowledge(p_days integer, p_most integer) IS 'Deletes what nothing reads: versions retired so many days ago but for what replies cite, versions never shown, ended readings, vectors of a model that lost its place. At most so many rows of a kind; returns how many.';

CREATE FUNCTION public.forget_outgoing_events() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  delete from outgoing_events where state <> 'waiting' and created_at < now() - interval '7 days';
$$;

COMMENT ON FUNCTION public.forget_outgoing_events() IS 'What was posted, or given up, holds texts of contacts.';

CREATE FUNCTION public.forget_sign_ins() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with forgotten as (
    -- A code that was written is read again when its turn is; a browser that came back at the last
    -- moment is still served.
    delete from sign_ins
     where expires_at < now() - interval '10 minutes'
       and (state <> 'confirmed' or expires_at < now() - interval '1 day')
    returning state_sha256
  )
  select count(*) from forgotten;
$$;

COMMENT ON FUNCTION public.forget_sign_ins() IS 'Links that nobody came back by and tokens that no code was written for are not kept; returns how many went.';

CREATE FUNCTION public.forget_usage_days() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_forgotten bigint;
begin
  delete from contact_days where day < usage_now() - interval '62 days';
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end;
$$;

COMMENT ON FUNCTION public.forget_usage_days() IS 'Deletes the days of contacts once the month after theirs is over; returns how many. A chatbot''s days are few and stay.';

CREATE FUNCTION public.forget_web_contact(p_session_id uuid, p_token_hash text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.forget_web_contact(p_session_id uuid, p_token_hash text) IS 'Deletes a visitor with everything they wrote and were told; what it cost stays counted.';

CREATE FUNCTION public.forget_web_leftovers() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  delete from web_sessions where expires_at < now() - interval '1 day';
  delete from web_uploads where created_at < now() - interval '7 days';
  -- A bucket is full again long before.
  delete from rate_buckets where refilled_at < now() - interval '1 day';
$$;

COMMENT ON FUNCTION public.forget_web_leftovers() IS 'Forgets tokens that open nothing any more, old files, and addresses in rate buckets.';

CREATE FUNCTION public.gather_turn(p_conversation_id uuid, p_fence bigint, p_arrivals bigint, p_model text, p_reserve_tokens bigint, p_max_attempts integer) RETURNS TABLE(decision text, reason text, turn_id uuid, wait_seconds numeric)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_turn turns;
  v_silence text;
begin
  perform enter_conversation(p_conversation_id, p_fence);
  select * into v_turn from turns
   where conversation_id = p_conversation_id and state in ('thinking', 'answered');
  v_silence := reason_to_be_silent(p_conversation_id);

  if v_turn.attempts >= p_max_attempts then
    return query select * from bury_turn(v_turn, v_silence);
  elsif v_turn.state = 'answered' then
    -- A worker was lost after the reply was committed: only finishing is left.
    return query select 'answer', 'finish_again', v_turn.id, null::numeric;
  elsif v_silence is not null then
    perform hold_messages(p_conversation_id, v_turn, v_silence);
    return query select 'hold', v_silence, v_turn.id,
      release_conversation(p_conversation_id, p_arrivals);
  elsif v_turn.id is not null then
    -- A stored answer knows nothing of what arrived since: then that waits for the commit, which
    -- drops the draft or leaves it to the next turn.
    if not has_paid_answer(v_turn) then
      perform take_messages(v_turn, p_arrivals);
    end if;
    return query select 'answer', 'thinking_again', v_turn.id, null::numeric;
  else
    return query select * from open_turn(p_conversation_id, p_arrivals, p_model, p_reserve_tokens);
  end if;
end;
$$;

COMMENT ON FUNCTION public.gather_turn(p_conversation_id uuid, p_fence bigint, p_arrivals bigint, p_model text, p_reserve_tokens bigint, p_max_attempts integer) IS 'Puts everything that waits into one turn and decides: answer, hold (a teammate is in charge, or nobody may answer), refuse (a limit) or ignore. What is not answered is released here; wait_seconds is then the time to the next flow, or null.';

CREATE FUNCTION public.give_back_conversations() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with given_back as (
    update conversations set mode = 'bot', silent_until = null
     where mode = 'human' and silent_until < now()
    returning id
  )
  select count(*) from given_back;
$$;

COMMENT ON FUNCTION public.give_back_conversations() IS 'The chatbot takes over again where no teammate wrote for as long as the channel says.';

CREATE FUNCTION public.give_back_days(p_hold public.usage_holds) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update contact_days set messages_used = messages_used - 1
   where contact_id = p_hold.contact_id and day = p_hold.held_on;
  update chatbot_days set messages_used = messages_used - 1
   where chatbot_id = p_hold.chatbot_id and day = p_hold.held_on;
end;
$$;

COMMENT ON FUNCTION public.give_back_days(p_hold public.usage_holds) IS 'Undoes take_days, on the day that it took from.';

CREATE FUNCTION public.give_back_turn(p_conversation_id uuid, p_fence bigint) RETURNS numeric
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  update conversation_work as work
     set lease_until = null,
         nudged_until = null,
         failures = failures + 1,
         (not_before, due_at) = (
           select due_again, due_again
             from (select now() + make_interval(secs => seconds_before_retry(work)::double precision))
                  as retry (due_again))
   where conversation_id = p_conversation_id
     and fence = p_fence
     and due_at is not null
  returning extract(epoch from due_at - now());
$$;

COMMENT ON FUNCTION public.give_back_turn(p_conversation_id uuid, p_fence bigint) IS 'After a failure: frees the conversation and makes it due again after a while; null for a worker that lost it already.';

CREATE TABLE public.outbound_messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    "position" integer NOT NULL,
    body text NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sending_at timestamp with time zone,
    provider_message_id text,
    error_code text,
    reaction text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    CONSTRAINT outbound_messages_body_check CHECK ((length(body) > 0)),
    CONSTRAINT outbound_messages_position_check CHECK (("position" >= 0)),
    CONSTRAINT outbound_messages_reaction_check CHECK ((length(reaction) <= 64)),
    CONSTRAINT outbound_messages_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text, 'unknown'::text, 'held'::text])))
);

ALTER TABLE ONLY public.outbound_messages FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.outbound_messages IS 'One row per message to send. Its id goes to the vendor as our reference.';

COMMENT ON COLUMN public.outbound_messages.state IS 'ready -> sending (committed before the call) -> sent -> delivered -> read; sending -> ready (surely not accepted) | failed (refused for good) | unknown (nobody can say; alerted) | held (outside the vendor''s window; alerted).';

COMMENT ON COLUMN public.outbound_messages.reaction IS 'The emoji that the contact put on it.';

CREATE FUNCTION public.grace_left_seconds(p_message public.outbound_messages) RETURNS numeric
    LANGUAGE sql STABLE
    AS $$
  -- While we could not receive, no receipt could come: that time does not count. What came before
  -- the end and lies unread is waited for; on a busy channel something later always does. A pulse
  -- that stopped says that we are down just now.
  select greatest(
           extract(epoch from grace.ends_at - now()),
           case when pulse.last_beat_at < now() - interval '20 seconds' or exists (
             select from webhook_deliveries
              where channel_id = channels.id and accepted_at is null and attempts < 5
                and received_at < grace.ends_at
           ) then 2 else 0 end
         )
    from conversations
    join channels on channels.id = conversations.channel_id
    left join installation_pulse as pulse on true
   cross join lateral (
     select greatest(p_message.sending_at, pg_postmaster_start_time(), pulse.up_since)
            + make_interval(secs => channels.receipt_grace_seconds) as ends_at
   ) as grace
   where conversations.id = p_message.conversation_id;
$$;

COMMENT ON FUNCTION public.grace_left_seconds(p_message public.outbound_messages) IS 'How long a receipt of a send that was cut off may still take to come; 0: long enough.';

CREATE FUNCTION public.group_question(p_turn_id uuid, p_embedding_model text, p_embedding public.vector, p_least_similarity double precision) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
declare
  v_question unanswered_questions;
  v_group_id uuid;
begin
  select * into v_question from unanswered_questions where turn_id = p_turn_id for update;
  if not found or v_question.group_id is not null then
    return v_question.group_id;
  end if;
  -- Two at once would each open a group for the same question.
  perform pg_advisory_xact_lock(hashtextextended(v_question.chatbot_id::text, 24));
  -- Only with the first of each group: compared with any of it, groups grow into each other.
  select group_id into v_group_id
    from (select distinct on (group_id) group_id, embedding
            from unanswered_questions
           where organization_id = v_question.organization_id
             and chatbot_id = v_question.chatbot_id
             and embedding_model = p_embedding_model
             and vector_dims(embedding) = vector_dims(p_embedding)
             and group_id is not null
           order by group_id, asked_at, turn_id) as firsts
   where -(embedding <#> p_embedding) >= p_least_similarity
   order by embedding <#> p_embedding limit 1;
  if not found then
    insert into question_groups (organization_id, chatbot_id)
    values (v_question.organization_id, v_question.chatbot_id) returning id into v_group_id;
  end if;
  update unanswered_questions
     set group_id = v_group_id, embedding_model = p_embedding_model, embedding = p_embedding
   where turn_id = p_turn_id;
  update question_groups set state = 'open', decided_at = null
   where id = v_group_id and state = 'answered' and decided_at < v_question.asked_at;
  return v_group_id;
end;
$$;

COMMENT ON FUNCTION public.group_question(p_turn_id uuid, p_embedding_model text, p_embedding public.vector, p_least_similarity double precision) IS 'Puts a question to those that ask the same, by the vector of its words (unit length), or begins a group; answered ones are open again when they are asked in vain.';

CREATE FUNCTION public.has_chunk_room(p_source_id uuid, p_chunks integer) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select lock_room(proved_organization());
  -- What is being read counts as if it were there.
  select coalesce(sum(greatest(chunk_count, coming.chunks)), 0) + p_chunks
         <= coalesce((select chunk_limit from organizations join plans on plans.id = plan_id
                       where organizations.id = proved_organization()), 'infinity'::float8)
    from sources
    left join lateral (
      select max(ingestions.chunk_count) as chunks from ingestions
       where source_id = sources.id
       and (ingestions.state <> 'ended' or ingestions.outcome = 'held')
    ) as coming on true
   where sources.organization_id = proved_organization() and sources.id <> p_source_id;
$$;

COMMENT ON FUNCTION public.has_chunk_room(p_source_id uuid, p_chunks integer) IS 'Whether the plan of the organization that the transaction has entered has room for so many chunks of a source.';

CREATE FUNCTION public.has_paid_answer(p_turn public.turns) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select exists (
    select from model_calls
     where turn_id = p_turn.id and draft = p_turn.drafts_dropped and not is_lost
  );
$$;

COMMENT ON FUNCTION public.has_paid_answer(p_turn public.turns) IS 'Whether a model answered something of the turn''s present draft: it is served again when the turn is taken up again, so the model must be told the same.';

CREATE FUNCTION public.has_room(p_period public.usage_periods, p_hold public.usage_holds) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
  select p_period.messages_used + p_period.messages_reserved + 1 <= p_period.message_limit
     and p_period.tokens_used + p_period.tokens_reserved + p_period.tokens_overrun + p_hold.tokens
         <= p_period.token_limit
     and (p_period.cost_limit_microcents is null
       or p_period.cost_microcents + p_period.cost_reserved_microcents
          + p_period.cost_overrun_microcents + p_hold.cost_microcents
          <= p_period.cost_limit_microcents);
$$;

COMMENT ON FUNCTION public.has_room(p_period public.usage_periods, p_hold public.usage_holds) IS 'Whether a period has room for one more turn of this size.';

CREATE FUNCTION public.has_unread_files(p_turn_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select exists (
    select from inbound_messages
      left join attachments on attachments.inbound_message_id = inbound_messages.id
     where inbound_messages.turn_id = p_turn_id and inbound_messages.state = 'taken'
       and media ->> 'type' <> 'sticker'
       and coalesce(attachments.state, 'fetching') in ('fetching', 'fetched'));
$$;

COMMENT ON FUNCTION public.has_unread_files(p_turn_id uuid) IS 'Whether a turn has files to read before it can be answered; a sticker says all with its emoji.';

CREATE FUNCTION public.hold_lasts() RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$
  select interval '15 minutes';
$$;

COMMENT ON FUNCTION public.hold_lasts() IS 'Longer than any turn; a turn that is tried again begins anew.';

CREATE FUNCTION public.hold_messages(p_conversation_id uuid, p_turn public.turns, p_reason text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update inbound_messages set state = 'held'
   where conversation_id = p_conversation_id and state = 'waiting';
  if p_turn.id is not null then
    perform end_turn(p_turn, 'held');
  end if;
  update conversation_work set waiting_since = null where conversation_id = p_conversation_id;
  if p_reason = 'loop_suspected' then
    perform raise_alert(
      (select organization_id from conversations where id = p_conversation_id),
      'warning', 'loop_suspected', p_conversation_id::text,
      format('conversation %s: the other side answers like a machine; its messages are held',
             p_conversation_id));
  end if;
end;
$$;

COMMENT ON FUNCTION public.hold_messages(p_conversation_id uuid, p_turn public.turns, p_reason text) IS 'Keeps what waits, and what an open turn took, for a teammate.';

CREATE FUNCTION public.hold_outbound_message(p_outbound_message_id uuid) RETURNS void
    LANGUAGE sql
    AS $$
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
$$;

COMMENT ON FUNCTION public.hold_outbound_message(p_outbound_message_id uuid) IS 'Keeps a reply that the vendor would refuse, and tells a person.';

CREATE FUNCTION public.is_at_work(p_conversation_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select exists (
      select from turns
       where conversation_id = p_conversation_id and state in ('thinking', 'answered'))
    or exists (
      select from inbound_messages
       where conversation_id = p_conversation_id and state in ('waiting', 'taken'));
$$;

COMMENT ON FUNCTION public.is_at_work(p_conversation_id uuid) IS 'Whether something in the conversation waits or is being answered.';

CREATE FUNCTION public.is_courtesy(p_text text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$
  select length(p_text) < 80 and p_text !~ '\d' and (
    -- With a name or two behind it, and no yes or no.
    p_text ~* ('^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|bye|goodbye'
      || '|thanks|thank you|you''?re welcome|welcome|ola|olá|oi|bom dia|boa (?:tarde|noite)|tchau'
      || '|obrigad[oa]|de nada|hola|buen[oa]s (?:d[ií]as|tardes|noches)|gracias|adi[oó]s|hallo|moin'
      || '|guten (?:tag|morgen|abend)|danke|gerne?|bitte|bonjour|bonsoir|salut|merci|de rien|ciao'
      || '|buongiorno|grazie|prego|goede(?:morgen|middag|navond|ndag)|bedankt|dank je)'
      || '(?:\W+(?!(?:yes|no|not|s[ií]|sim|n[aã]o|ja|nein|oui|non|nee)\M)\w+){0,2}\W*$')
    or p_text ~* ('^\W*(?:(?:ok|okay|sure|yes)\W+)?(?:(?:just )?(?:one|a) (?:moment|second|sec|minute)'
      || '|let me (?:check|look|see|ask|find out)|i(?:''ll| will|''m going to) (?:check|look|ask|find out)'
      || '|um momento|un momento|einen (?:moment|augenblick)|un instant|un attimo|een moment'
      || '|vou (?:verificar|ver)|voy a (?:comprobar|mirar|ver)|je (?:regarde|vérifie)'
      || '|ich (?:schaue|frage|prüfe))\M[^.:;!?]*[.!…]*\s*$')
    or p_text ~* '^\W*(?:ok|okay)\W*$'
  );
$_$;

COMMENT ON FUNCTION public.is_courtesy(p_text text) IS 'Whether a teammate''s message only greets, thanks or asks for patience, in the languages that we meet most; in doubt it says something.';

CREATE TABLE public.conversation_work (
    conversation_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    due_at timestamp with time zone,
    waiting_since timestamp with time zone,
    not_before timestamp with time zone,
    nudged_for timestamp with time zone,
    nudged_until timestamp with time zone,
    nudges integer DEFAULT 0 NOT NULL,
    arrivals bigint DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_sent_at timestamp with time zone,
    instant_turns integer DEFAULT 0 NOT NULL,
    CONSTRAINT conversation_work_failures_check CHECK ((failures >= 0)),
    CONSTRAINT conversation_work_instant_turns_check CHECK ((instant_turns >= 0)),
    CONSTRAINT conversation_work_nudges_check CHECK ((nudges >= 0))
);

ALTER TABLE ONLY public.conversation_work FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.conversation_work IS 'One row per conversation that ever had work: when it is due, who holds it.';

COMMENT ON COLUMN public.conversation_work.waiting_since IS 'When the first message arrived that is in no turn yet: a contact who keeps writing is answered some seconds after it all the same.';

COMMENT ON COLUMN public.conversation_work.not_before IS 'Back-off after a failure; a new message does not shorten it.';

COMMENT ON COLUMN public.conversation_work.nudged_for IS 'When the flow that was started comes.';

COMMENT ON COLUMN public.conversation_work.nudged_until IS 'So long it is trusted to come; then the sweep starts another, which is trusted twice as long.';

COMMENT ON COLUMN public.conversation_work.arrivals IS 'Messages ever accepted. It is on the row that a release locks, so that a release compares it with the newest value; a look at inbound_messages there would use an older snapshot and lose a wake-up.';

COMMENT ON COLUMN public.conversation_work.fence IS 'Raised by every claim; a write with an older one is refused.';

COMMENT ON COLUMN public.conversation_work.failures IS 'Failed flows in a row; each doubles the back-off twice.';

COMMENT ON COLUMN public.conversation_work.instant_turns IS 'Turns in a row that were asked within three seconds of our last reply: no person reads and types as fast.';

CREATE FUNCTION public.is_instant(p_work public.conversation_work) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select coalesce(p_work.waiting_since < p_work.last_sent_at + interval '3 seconds', false);
$$;

COMMENT ON FUNCTION public.is_instant(p_work public.conversation_work) IS 'Whether what waits came faster after our last reply than a person can read it.';

CREATE FUNCTION public.is_late(p_channel_id uuid, p_sent_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select coalesce(p_sent_at < now() - make_interval(secs => late_after_seconds), false)
    from channels where id = p_channel_id;
$$;

COMMENT ON FUNCTION public.is_late(p_channel_id uuid, p_sent_at timestamp with time zone) IS 'Whether the vendor brings a message so late that an automatic answer would be odd.';

CREATE FUNCTION public.is_of_album(p_channel_id uuid, p_contact_key text, p_group_key text, p_album_id text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select p_album_id is not null and exists (
    select from inbound_messages
      join conversations on conversations.id = inbound_messages.conversation_id
      join contacts on contacts.id = conversations.contact_id
     where conversations.channel_id = p_channel_id and conversations.group_key = p_group_key
       and contacts.contact_key = p_contact_key and inbound_messages.album_id = p_album_id
  );
$$;

COMMENT ON FUNCTION public.is_of_album(p_channel_id uuid, p_contact_key text, p_group_key text, p_album_id text) IS 'Whether a message was sent together with one that is here already: in a group, only one of them names us.';

CREATE FUNCTION public.is_plausible(p_call public.model_calls) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
  -- More than any model can read or write in one call.
  select coalesce(p_call.input_tokens between 0 and 10000000
                  and p_call.output_tokens between 0 and 10000000, false);
$$;

COMMENT ON FUNCTION public.is_plausible(p_call public.model_calls) IS 'Whether a call can have used what was told of it. All of a turn that can''t are charged together, as much as was held.';

CREATE FUNCTION public.is_reply_to_us(p_channel_id uuid, p_reply_to text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select exists (
    select from outbound_messages
      join conversations on conversations.id = outbound_messages.conversation_id
     where outbound_messages.provider_message_id = p_reply_to
       and conversations.channel_id = p_channel_id
  );
$$;

COMMENT ON FUNCTION public.is_reply_to_us(p_channel_id uuid, p_reply_to text) IS 'Whether a quoted message is one that we sent on this channel.';

CREATE FUNCTION public.is_ticket(p_ticket text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  -- Digests are compared, so that the time it takes says nothing about the right ticket.
  select coalesce(
    sha256(convert_to(p_ticket, 'UTF8'))
      = sha256(convert_to(ticket_for(split_part(p_ticket, '.', 1)), 'UTF8')), false);
$$;

COMMENT ON FUNCTION public.is_ticket(p_ticket text) IS 'Whether this transaction was given this ticket.';

CREATE FUNCTION public.isolate_table(p_table regclass, p_column name DEFAULT 'organization_id'::name) RETURNS void
    LANGUAGE plpgsql
    AS $_$
begin
  execute format('alter table %s enable row level security, force row level security', p_table);
  execute format(
    'create policy own_organization on %1$s using (%2$I = (select proved_organization()))
     with check (%2$I = (select proved_organization()))', p_table, p_column);
  execute format(
    'create policy scheduler on %s to chatmill_scheduler using (true) with check (true)', p_table);
end;
$_$;

COMMENT ON FUNCTION public.isolate_table(p_table regclass, p_column name) IS 'Row-level security: a transaction sees the rows of the organization that it proved; functions of chatmill_scheduler see all.';

CREATE FUNCTION public.keep_renewed_tokens(p_contact_id uuid, p_tool_server_id uuid, p_spent text, p_renewed text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  update contact_tokens set sealed_tokens = p_renewed
   where contact_id = p_contact_id and tool_server_id = p_tool_server_id
     and sealed_tokens = p_spent;
$$;

COMMENT ON FUNCTION public.keep_renewed_tokens(p_contact_id uuid, p_tool_server_id uuid, p_spent text, p_renewed text) IS 'Puts renewed tokens in the place of those that were spent for them, and of no newer ones. Who knows these was let in to read them, so no turn is asked for: it may be lost since, and they are the contact''s all the same.';

CREATE FUNCTION public.language_of(p_text text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  with beginning as (
    select lower(word) as word
      from regexp_split_to_table(left(p_text, 3000), '[^[:alpha:]]+') as word
     where word <> ''
  ), votes as (
    select language, count(*) filter (where ts_lexize((language || '_stem')::regdictionary, word) = '{}')
           as stop_words, count(*) as words
      from beginning, unnest(array['english', 'spanish', 'portuguese', 'french', 'german', 'italian',
             'dutch', 'danish', 'finnish', 'hungarian', 'norwegian', 'russian', 'swedish', 'turkish'])
           with ordinality as languages (language, preference)
     group by language, preference
     order by stop_words desc, preference
     limit 1
  )
  select case when stop_words >= 3 and stop_words * 8 >= words then language else 'english' end
    from votes
   union all select 'english' where not exists (select from votes);
$$;

COMMENT ON FUNCTION public.language_of(p_text text) IS 'The language whose stop words a text uses most; english when they are too few to tell.';

CREATE FUNCTION public.last_reply(p_channel_id uuid, p_contact_key text, p_group_key text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.last_reply(p_channel_id uuid, p_contact_key text, p_group_key text) IS 'What a contact read of us last: a bare number may stand for one of its options.';

CREATE FUNCTION public.lease() RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$
  select interval '5 seconds';
$$;

COMMENT ON FUNCTION public.lease() IS 'For how long a worker has a conversation after its last write. A step that works longer renews it (f/chat/lease.py), so that only a lost or frozen worker is overtaken, and soon.';

CREATE FUNCTION public.limit_thinking(p_turn_id uuid, p_seconds double precision) RETURNS void
    LANGUAGE sql
    AS $$
  update turns set think_until = coalesce(think_until, now() + make_interval(secs => p_seconds))
   where id = p_turn_id and state = 'thinking';
$$;

COMMENT ON FUNCTION public.limit_thinking(p_turn_id uuid, p_seconds double precision) IS 'The models failed: all attempts of the turn together have so many seconds left. The first one''s word stands.';

CREATE FUNCTION public.lock_room(p_organization_id uuid) RETURNS void
    LANGUAGE sql
    AS $$
  select pg_advisory_xact_lock(hashtextextended(p_organization_id::text, 15));
$$;

COMMENT ON FUNCTION public.lock_room(p_organization_id uuid) IS 'One at a time counts what an organization has, so that two can''t both take the last place. Locked after sources, never before.';

CREATE FUNCTION public.lock_searched_documents(p_organization_id uuid) RETURNS void
    LANGUAGE sql
    SET lock_timeout TO '50s'
    AS $$
  select pg_advisory_xact_lock(hashtextextended(p_organization_id::text, 4));
$$;

COMMENT ON FUNCTION public.lock_searched_documents(p_organization_id uuid) IS 'One transaction at a time changes what is searched in an organization: two documents that hold the same words would wait for each other''s rows, and end in a deadlock.';

CREATE FUNCTION public.lock_vendor_id(p_channel_id uuid, p_vendor_id text) RETURNS void
    LANGUAGE sql STRICT
    AS $$
  select pg_advisory_xact_lock(hashtextextended(p_channel_id || ':' || p_vendor_id, 0));
$$;

COMMENT ON FUNCTION public.lock_vendor_id(p_channel_id uuid, p_vendor_id text) IS 'Who works on the same thing of a vendor''s, of which there may be no row to lock yet, one after the other until the transaction ends.';

CREATE FUNCTION public.may_send_again(p_message public.outbound_messages) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select p_message.attempts < 2 and channels.after_silence = 'resend_once'
    from conversations join channels on channels.id = conversations.channel_id
   where conversations.id = p_message.conversation_id;
$$;

COMMENT ON FUNCTION public.may_send_again(p_message public.outbound_messages) IS 'Whether a cut-off send that no receipt came for is sent once more: on channels that send receipts.';

CREATE FUNCTION public.meet_contact(p_organization_id uuid, p_channel_id uuid, p_contact_key text, p_address text, p_name text) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.meet_contact(p_organization_id uuid, p_channel_id uuid, p_contact_key text, p_address text, p_name text) IS 'The contact''s id, with the newest name and address that the vendor told us; one first known by number stays the same contact when a lasting id comes, and one known by that id when the number comes alone.';

CREATE TABLE public.contacts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    contact_key text NOT NULL,
    address text,
    name text,
    language text,
    opted_out_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    delivered_until timestamp with time zone,
    read_until timestamp with time zone,
    CONSTRAINT contacts_address_check CHECK (((length(address) >= 1) AND (length(address) <= 512))),
    CONSTRAINT contacts_contact_key_check CHECK (((length(contact_key) >= 1) AND (length(contact_key) <= 512))),
    CONSTRAINT contacts_language_check CHECK (((length(language) >= 2) AND (length(language) <= 16))),
    CONSTRAINT contacts_name_check CHECK ((length(name) <= 200))
);

ALTER TABLE ONLY public.contacts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.contacts IS 'One row per person on a channel.';

COMMENT ON COLUMN public.contacts.contact_key IS 'The vendor''s most stable id of the person: BSUID or wa_id on WhatsApp, PSID, Telegram''s user id, a hash of the visitor id on the web.';

COMMENT ON COLUMN public.contacts.address IS 'Where replies go when it is not the contact_key itself.';

COMMENT ON COLUMN public.contacts.language IS 'What the vendor says the contact''s device speaks.';

COMMENT ON COLUMN public.contacts.opted_out_at IS 'Blocked us or said stop; until they say start, only their commands are answered.';

COMMENT ON COLUMN public.contacts.delivered_until IS 'What was sent to them until then was delivered, where the vendor tells no more of it (Messenger).';

COMMENT ON COLUMN public.contacts.read_until IS 'What was sent to them until then was read.';

CREATE FUNCTION public.merge_contacts(p_old public.contacts, p_new public.contacts) RETURNS text
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.merge_contacts(p_old public.contacts, p_new public.contacts) IS 'Moves the words of a contact to who they are now; turns stay where they were answered. A conversation that is being answered at this moment keeps its own: the reply must find its way.';

CREATE FUNCTION public.move_embeddings(p_organization_id uuid, p_chunk_set_id bigint, p_most integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  v_chunk_ids uuid[];
  v_cells integer[];
begin
  select array_agg(chunk_id order by cell), array_agg(cell order by cell)
    into v_chunk_ids, v_cells
    from (select chunk_id, cell_of(p_organization_id, p_chunk_set_id, embedding) as cell
            from embeddings
           where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id
             -- Without any cell, none has to be moved.
             and cell < (select min(number) from cells
                          where organization_id = p_organization_id
                            and chunk_set_id = p_chunk_set_id)
           limit p_most) as waiting;
  -- Showing a document writes the same rows.
  perform lock_searched_documents(p_organization_id);
  -- In the order of their cells, so that what a search reads together is stored together.
  for v_place in 1 .. coalesce(cardinality(v_chunk_ids), 0) loop
    update embeddings set cell = v_cells[v_place]
     where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id
       and chunk_id = v_chunk_ids[v_place];
  end loop;
  return coalesce(cardinality(v_chunk_ids), 0);
end;
$$;

COMMENT ON FUNCTION public.move_embeddings(p_organization_id uuid, p_chunk_set_id bigint, p_most integer) IS 'Moves some embeddings that are in no cell of a divided set into theirs, and says how many; 0: all are.';

CREATE FUNCTION public.nears_limit(p_period public.usage_periods, p_hold public.usage_holds) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
  select 95 <= greatest(
    percent_of(p_period.messages_used + p_period.messages_reserved + 1, p_period.message_limit),
    percent_of(
      p_period.tokens_used + p_period.tokens_reserved + p_period.tokens_overrun + p_hold.tokens,
      p_period.token_limit),
    percent_of(
      p_period.cost_microcents + p_period.cost_reserved_microcents
        + p_period.cost_overrun_microcents + p_hold.cost_microcents,
      p_period.cost_limit_microcents));
$$;

COMMENT ON FUNCTION public.nears_limit(p_period public.usage_periods, p_hold public.usage_holds) IS 'Whether a period with this hold is at 95 % of any limit.';

CREATE FUNCTION public.new_hold(p_conversation public.conversations, p_turn_id uuid, p_model text, p_tokens bigint) RETURNS public.usage_holds
    LANGUAGE plpgsql
    AS $$
declare
  v_hold usage_holds;
  v_period usage_periods;
  v_economy_model text;
begin
  v_hold.turn_id := p_turn_id;
  v_hold.organization_id := p_conversation.organization_id;
  v_hold.contact_id := p_conversation.contact_id;
  v_hold.tokens := p_tokens;
  v_hold.held_on := usage_today(p_conversation.organization_id);
  v_hold.period_starts_on := open_usage_period(p_conversation.organization_id, v_hold.held_on);
  v_hold.expires_at := usage_now() + hold_lasts();
  select chatbots.id, chatbots.economy_model into strict v_hold.chatbot_id, v_economy_model
    from channels join chatbots on chatbots.id = channels.chatbot_id
   where channels.id = p_conversation.channel_id;
  select * into strict v_period from usage_periods
   where organization_id = v_hold.organization_id and starts_on = v_hold.period_starts_on;
  v_hold := at_price_of(v_hold, 'normal', p_model);
  if nears_limit(v_period, v_hold) then
    v_hold := at_price_of(v_hold, 'economy', coalesce(v_economy_model, p_model));
  end if;
  if v_period.cost_limit_microcents is null then
    v_hold.cost_microcents := coalesce(v_hold.cost_microcents, 0);
  end if;
  return v_hold;
end;
$$;

COMMENT ON FUNCTION public.new_hold(p_conversation public.conversations, p_turn_id uuid, p_model text, p_tokens bigint) IS 'What a turn would take, at the price of the model that is its turn at this level of use; the cost is null when it must be known and is not. Nothing is taken yet.';

CREATE FUNCTION public.note_about_contact(p_contact_id uuid, p_language text, p_command text) RETURNS void
    LANGUAGE sql
    AS $$
  update contacts
     set language = coalesce(p_language, language),
         opted_out_at = case p_command
           when 'stop' then coalesce(opted_out_at, now())
           when 'start' then null
           else opted_out_at
         end
   where id = p_contact_id
     and (language is distinct from coalesce(p_language, language) or p_command in ('stop', 'start'));
$$;

COMMENT ON FUNCTION public.note_about_contact(p_contact_id uuid, p_language text, p_command text) IS 'Language and opt-out hold from the moment a message is accepted, whoever answers it and when.';

CREATE FUNCTION public.note_contact_gone(p_outbound_message_id uuid) RETURNS void
    LANGUAGE sql
    AS $$
  update contacts set opted_out_at = coalesce(opted_out_at, now())
   where id = (
     select contact_id
       from conversations
       join outbound_messages on outbound_messages.conversation_id = conversations.id
      where outbound_messages.id = p_outbound_message_id and group_key = '');
$$;

COMMENT ON FUNCTION public.note_contact_gone(p_outbound_message_id uuid) IS 'The contact of a message, or of the template for it, blocked us or left: nobody writes to them again. Of a group nobody of its members is meant.';

CREATE FUNCTION public.nudge_conversation(p_work public.conversation_work) RETURNS numeric
    LANGUAGE sql
    AS $$
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
$$;

COMMENT ON FUNCTION public.nudge_conversation(p_work public.conversation_work) IS 'Says after how many seconds to start a flow, and notes that one comes; null when none is needed.';

CREATE FUNCTION public.open_coming_usage_periods() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_opened bigint;
begin
  insert into usage_periods
    (organization_id, starts_on, message_limit, token_limit, cost_limit_microcents)
  select organizations.id, date_trunc('month', (usage_now() + interval '1 day') at time zone time_zone),
         message_limit, token_limit, cost_limit_microcents
    from organizations join plans on plans.id = organizations.plan_id
   where organizations.is_active
     and date_trunc('month', (usage_now() + interval '1 day') at time zone time_zone)
       > usage_now() at time zone time_zone
   order by organizations.id
     for share
  on conflict on constraint usage_periods_pkey do nothing;
  get diagnostics v_opened = row_count;
  return v_opened;
end;
$$;

COMMENT ON FUNCTION public.open_coming_usage_periods() IS 'Prepares the row of a month that begins within a day where the organization is; returns how many.';

CREATE FUNCTION public.open_conversation(p_organization_id uuid, p_channel_id uuid, p_contact_id uuid, p_group_key text DEFAULT ''::text) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.open_conversation(p_organization_id uuid, p_channel_id uuid, p_contact_id uuid, p_group_key text) IS 'The one conversation of a contact on a channel, or in one of its groups.';

CREATE FUNCTION public.open_function(p_name text, p_roles text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_function regprocedure;
begin
  execute 'grant create on schema public to chatmill_scheduler';  -- whoever is given a function needs it
  for v_function in
    select oid from pg_proc where pronamespace = 'public'::regnamespace and proname = p_name
  loop
    execute format(
      'alter function %s security definer set search_path = public, pg_temp', v_function);
    execute format('alter function %s owner to chatmill_scheduler', v_function);
    execute format('revoke all on function %s from public', v_function);
    if p_roles <> '{}' then
      execute format(
        'grant execute on function %s to %s', v_function, array_to_string(p_roles, ', '));
    end if;
  end loop;
  execute 'revoke create on schema public from chatmill_scheduler';
end;
$$;

COMMENT ON FUNCTION public.open_function(p_name text, p_roles text[]) IS 'Makes a function run as chatmill_scheduler, across organizations, and lets these roles call it.';

CREATE FUNCTION public.open_turn(p_conversation_id uuid, p_arrivals bigint, p_model text, p_reserve_tokens bigint) RETURNS TABLE(decision text, reason text, turn_id uuid, wait_seconds numeric)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_conversation conversations;
  v_turn turns;
  v_usage text;
begin
  select * into strict v_conversation from conversations where id = p_conversation_id;
  if not exists (
    select from inbound_messages
    where conversation_id = p_conversation_id and state = 'waiting'
  ) then
    return query select 'ignore', 'nothing_waiting', null::uuid,
      release_conversation(p_conversation_id, p_arrivals);
    return;
  end if;
  insert into turns (organization_id, conversation_id, arrivals_seen)
  values (v_conversation.organization_id, p_conversation_id, p_arrivals)
  returning * into v_turn;
  perform take_messages(v_turn, p_arrivals);
  v_usage := reserve_usage(v_conversation, v_turn.id, p_model, p_reserve_tokens);
  update turns set usage_decision = v_usage where id = v_turn.id;
  if v_usage in ('normal', 'economy') then
    return query select 'answer', 'messages_waiting', v_turn.id, null::numeric;
  else
    return query select * from refuse_turn(v_turn, v_usage, claim_limit_notice(v_conversation));
  end if;
end;
$$;

COMMENT ON FUNCTION public.open_turn(p_conversation_id uuid, p_arrivals bigint, p_model text, p_reserve_tokens bigint) IS 'A new turn with its usage reserved: answer, or refuse where a limit is reached.';

CREATE FUNCTION public.open_usage_period(p_organization_id uuid, p_day date) RETURNS date
    LANGUAGE plpgsql
    AS $$
declare
  v_starts_on constant date := date_trunc('month', p_day);
begin
  if not exists (
    select from usage_periods
    where organization_id = p_organization_id and starts_on = v_starts_on
  ) then
    -- for share: a plan that is changing just now is waited for, and one that changes later
    -- finds this row.
    insert into usage_periods
      (organization_id, starts_on, message_limit, token_limit, cost_limit_microcents)
    select organizations.id, v_starts_on, message_limit, token_limit, cost_limit_microcents
      from organizations join plans on plans.id = organizations.plan_id
     where organizations.id = p_organization_id
       for share
    on conflict on constraint usage_periods_pkey do nothing;
  end if;
  return v_starts_on;
end;
$$;

COMMENT ON FUNCTION public.open_usage_period(p_organization_id uuid, p_day date) IS 'Makes the organization''s row for the day''s month if it is missing; returns its first day.';

CREATE FUNCTION public.organizations_with_new_questions() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select distinct organization_id from unanswered_questions where group_id is null;
$$;

COMMENT ON FUNCTION public.organizations_with_new_questions() IS 'Where questions wait to be put into groups.';

CREATE FUNCTION public.own_conversation(p_id uuid) RETURNS public.conversations
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_conversation conversations;
begin
  -- By its id alone: a row that is passed in can be made up, with a channel of somebody else.
  select * into v_conversation from conversations
   where id = p_id and organization_id = proved_organization();
  if not found then
    raise exception 'conversation % is not of the organization that was proved', p_id
      using errcode = 'insufficient_privilege';
  end if;
  return v_conversation;
end;
$$;

COMMENT ON FUNCTION public.own_conversation(p_id uuid) IS 'The conversation as it is, for functions that row-level security does not bind.';

CREATE FUNCTION public.postpone_turn(p_turn_id uuid, p_fence bigint, p_wait_seconds numeric) RETURNS numeric
    LANGUAGE plpgsql
    AS $$
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
  v_work conversation_work;
begin
  -- Waiting for a receipt is no failed attempt.
  update turns set attempts = greatest(attempts - 1, 0) where id = p_turn_id;
  update conversation_work
     set lease_until = null, nudged_until = null, nudges = 0,
         due_at = now() + make_interval(secs => p_wait_seconds::double precision)
   where conversation_id = v_turn.conversation_id
  returning * into v_work;
  return nudge_conversation(v_work);
end;
$$;

COMMENT ON FUNCTION public.postpone_turn(p_turn_id uuid, p_fence bigint, p_wait_seconds numeric) IS 'Frees the conversation until a receipt had time to come.';

CREATE FUNCTION public.price_of(p_model text, p_input_tokens bigint, p_output_tokens bigint, p_day date DEFAULT CURRENT_DATE) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
  select input_microcents_per_token * p_input_tokens + output_microcents_per_token * p_output_tokens
    from prices
   where model = p_model and valid_from <= p_day
   order by valid_from desc limit 1;
$$;

COMMENT ON FUNCTION public.price_of(p_model text, p_input_tokens bigint, p_output_tokens bigint, p_day date) IS 'Microcents of a call at the day''s price; null when the model has none.';

CREATE FUNCTION public.prove_organization(p_organization_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_ticket constant text := current_setting('chatmill.ticket', true);
begin
  if split_part(v_ticket, '.', 1) <> p_organization_id::text and is_ticket(v_ticket) then
    raise exception 'this transaction has proved another organization'
      using errcode = 'insufficient_privilege';
  end if;
  perform pg_current_xact_id();  -- has the id assigned, to which the ticket is bound
  perform set_config('chatmill.ticket', ticket_for(p_organization_id::text), true);
end;
$$;

COMMENT ON FUNCTION public.prove_organization(p_organization_id uuid) IS 'Opens this transaction to one organization, once. Only functions that checked a capability may call it.';

CREATE FUNCTION public.proved_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_ticket constant text := current_setting('chatmill.ticket', true);
begin
  -- Unset is null in a new connection and empty after a transaction that had one.
  if not is_ticket(v_ticket) then
    raise exception 'this transaction has proved no organization'
      using errcode = 'insufficient_privilege';
  end if;
  return split_part(v_ticket, '.', 1)::uuid;
end;
$$;

COMMENT ON FUNCTION public.proved_organization() IS 'The organization that this transaction proved; without one, error 42501 instead of no rows.';

CREATE FUNCTION public.publish_event(p_conversation_id uuid, p_kind text, p_details jsonb) RETURNS void
    LANGUAGE sql
    AS $$
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
$$;

COMMENT ON FUNCTION public.publish_event(p_conversation_id uuid, p_kind text, p_details jsonb) IS 'Has an event posted to every endpoint of the conversation''s organization.';

CREATE FUNCTION public.put_off_alerts(p_held_until timestamp with time zone, p_problem text, p_wait_seconds numeric) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  update alert_outlet
     set failures = failures + 1,
         problem = p_problem,
         next_post_at = now() + make_interval(secs => least(coalesce(
           p_wait_seconds, least(30 * 2 ^ least(failures, 10), 600)
         ), 86400)::double precision)
   where next_post_at = p_held_until;
$$;

COMMENT ON FUNCTION public.put_off_alerts(p_held_until timestamp with time zone, p_problem text, p_wait_seconds numeric) IS 'Slack did not take a post: nobody calls it for as long as it asked, else for 30, 60, 120 ... 600 seconds.';

CREATE FUNCTION public.question_of_turn(p_turn_id uuid) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select string_agg(body, ' ' order by sent_at, id) from inbound_messages
   where turn_id = p_turn_id and state <> 'revoked' and command is null and body <> '';
$$;

COMMENT ON FUNCTION public.question_of_turn(p_turn_id uuid) IS 'What the contact asked, in their words; null when nothing of it is left.';

CREATE FUNCTION public.question_words(p_organization_id uuid, p_question text) RETURNS TABLE(place integer, form text, chunk_count integer, chunk_ids uuid[], all_chunks integer)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
declare
  v_languages text[];
  v_all_chunks integer;
begin
  select array_agg(substr(word, 2)) filter (where word <> ''), max(words.chunk_count) filter (where word = '')
    into v_languages, v_all_chunks
    from words
   where organization_id = p_organization_id
     and word = any ('{"",@simple,@english,@spanish,@portuguese,@french,@german,@italian,@dutch,@danish,@finnish,@hungarian,@norwegian,@russian,@swedish,@turkish}');

  return query
  select asked.place, asked.form, known.chunk_count, known.chunk_ids, v_all_chunks
    from (select distinct place, form
            from unnest(v_languages) as language
           cross join lateral word_forms(p_question, language, 'question')) as asked
   -- Limits hold the planner to looking up one word after another, also where there are many.
   cross join lateral (select chunk_count, chunk_ids
                         from words
                        where organization_id = p_organization_id and word = asked.form
                        limit 1) as known;
end;
$$;

COMMENT ON FUNCTION public.question_words(p_organization_id uuid, p_question text) IS 'The forms of a question''s words, in every language of the organization''s documents, that stand in some chunk: in how many of all, and in which while they are few.';

CREATE FUNCTION public.questions_to_group(p_limit integer) RETURNS TABLE(turn_id uuid, chatbot_id uuid, question text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  delete from unanswered_questions
   where organization_id = proved_organization() and group_id is null
     and question_of_turn(turn_id) is null;
  return query
    select turn_id, chatbot_id, left(question_of_turn(turn_id), 2000)
      from unanswered_questions
     where organization_id = proved_organization() and group_id is null
     order by asked_at, turn_id
     limit p_limit;
end;
$$;

COMMENT ON FUNCTION public.questions_to_group(p_limit integer) IS 'Questions without a group of the organization that the transaction has entered, the oldest first; what a contact took back is forgotten.';

CREATE FUNCTION public.raise_alert(p_organization_id uuid, p_severity text, p_code text, p_subject text, p_summary text) RETURNS void
    LANGUAGE sql
    AS $$
  insert into alerts (organization_id, fingerprint, severity, code, summary)
  values (
    p_organization_id, alert_fingerprint(p_code, p_organization_id, p_subject),
    p_severity, p_code, left(coalesce(nullif(p_summary, ''), p_code), 1000)
  )
  on conflict on constraint alerts_once_per_fingerprint do update
    set occurrences = alerts.occurrences + 1,
        last_raised_at = now(),
        severity = excluded.severity,
        summary = excluded.summary,
        due_at = coalesce(alerts.due_at, greatest(now(), alerts.posted_at + interval '10 minutes'));
$$;

COMMENT ON FUNCTION public.raise_alert(p_organization_id uuid, p_severity text, p_code text, p_subject text, p_summary text) IS 'Raises an alert, or counts it when it was raised before; an alert that was told is told again after ten minutes.';

CREATE FUNCTION public.raise_conversation_alert(p_conversation_id uuid, p_severity text, p_code text, p_subject text, p_summary text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  -- Named only where it is known: anybody who may start a flow can give it any id.
  select raise_alert(max(organization_id::text)::uuid, p_severity, p_code, p_subject,
           concat_ws(' in conversation ', p_summary, max(id::text)))
    from conversations where id = p_conversation_id;
$$;

COMMENT ON FUNCTION public.raise_conversation_alert(p_conversation_id uuid, p_severity text, p_code text, p_subject text, p_summary text) IS 'An alert of a worker that holds no turn, so can''t prove the conversation''s organization; the installation''s when there is no such conversation.';

CREATE FUNCTION public.raise_source_alert(p_source_id uuid, p_step text, p_error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select raise_alert(organization_id, 'error', 'source_step_failed', p_step || ':' || p_error,
                     format('step %s failed with %s for source %s', p_step, p_error, id))
    from sources where id = p_source_id;
$$;

COMMENT ON FUNCTION public.raise_source_alert(p_source_id uuid, p_step text, p_error text) IS 'One alert for what broke while a source was read, without anything of its content.';

CREATE FUNCTION public.rare_word_chunks() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ select 32 $$;

COMMENT ON FUNCTION public.rare_word_chunks() IS 'In how many chunks a word may stand for words.chunk_ids to name them.';

CREATE FUNCTION public.read_web_chatbot(p_channel_id uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select chatbots.name
    from channels join chatbots on chatbots.id = channels.chatbot_id
   where channels.id = p_channel_id;
$$;

COMMENT ON FUNCTION public.read_web_chatbot(p_channel_id uuid) IS 'The name under which the chatbot of a channel presents itself.';

CREATE FUNCTION public.read_web_lines(p_session_id uuid, p_token_hash text, p_after bigint, p_limit integer) RETURNS TABLE(number bigint, author text, body text, provider_message_id text, file_name text, written_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.read_web_lines(p_session_id uuid, p_token_hash text, p_after bigint, p_limit integer) IS 'What a page shows after a line, oldest first.';

CREATE FUNCTION public.read_web_states(p_conversation_ids uuid[]) RETURNS TABLE(conversation_id uuid, last_number bigint, mode text, is_typing boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select conversations.id,
         coalesce((select max(number) from web_lines
                    where web_lines.conversation_id = conversations.id), 0),
         conversations.mode,
         conversations.mode = 'bot' and is_at_work(conversations.id)
    from conversations where conversations.id = any(p_conversation_ids);
$$;

COMMENT ON FUNCTION public.read_web_states(p_conversation_ids uuid[]) IS 'Whether there is something new for the pages that wait: one look for all of them.';

CREATE FUNCTION public.read_web_upload(p_upload_id uuid) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select content from web_uploads where id = p_upload_id;
$$;

COMMENT ON FUNCTION public.read_web_upload(p_upload_id uuid) IS 'The bytes of a file, by its id, a random uuid that only its message names; null when it is gone.';

CREATE FUNCTION public.reading_seconds() RETURNS integer
    LANGUAGE sql IMMUTABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'public', 'pg_temp'
    AS $$ select 120 $$;

COMMENT ON FUNCTION public.reading_seconds() IS 'How long a source that shows no progress stays with whoever reads it; no step is silent for longer.';

CREATE FUNCTION public.reason_to_be_silent(p_conversation_id uuid) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select case
           when conversations.mode <> 'bot' then conversations.mode
           when not (organizations.is_active and channels.is_active and chatbots.is_active)
             then 'switched_off'
           when contacts.opted_out_at is not null and not exists (
             select from inbound_messages
              where conversation_id = p_conversation_id and state in ('waiting', 'taken')
                and command is not null
           ) then 'opted_out'
           when conversation_work.instant_turns >= chatbots.loop_limit
                and is_instant(conversation_work) then 'loop_suspected'
         end
    from conversations
    join conversation_work on conversation_work.conversation_id = conversations.id
    join contacts on contacts.id = conversations.contact_id
    join channels on channels.id = conversations.channel_id
    join chatbots on chatbots.id = channels.chatbot_id
    join organizations on organizations.id = conversations.organization_id
   where conversations.id = p_conversation_id;
$$;

COMMENT ON FUNCTION public.reason_to_be_silent(p_conversation_id uuid) IS 'Why the chatbot does not answer here: human, muted, switched_off, opted_out, loop_suspected; null when it does.';

CREATE FUNCTION public.refuse_turn(p_turn public.turns, p_reason text, p_notice text) RETURNS TABLE(decision text, reason text, turn_id uuid, wait_seconds numeric)
    LANGUAGE plpgsql
    AS $$
begin
  update inbound_messages set state = 'refused' where inbound_messages.turn_id = p_turn.id;
  if p_notice is null then
    update turns set state = 'refused' where id = p_turn.id;
    return query select 'refuse', p_reason, p_turn.id,
      release_conversation(p_turn.conversation_id, p_turn.arrivals_seen);
  else
    perform answer_turn(p_turn, 'limit_notice', array[p_notice]);
    return query select 'answer', p_reason, p_turn.id, null::numeric;
  end if;
end;
$$;

COMMENT ON FUNCTION public.refuse_turn(p_turn public.turns, p_reason text, p_notice text) IS 'Ends a turn that a limit forbids, with the day''s one notice where it is still due.';

CREATE FUNCTION public.release_conversation(p_conversation_id uuid, p_arrivals_seen bigint) RETURNS numeric
    LANGUAGE plpgsql
    AS $$
declare
  v_work conversation_work;
begin
  -- Where more has arrived, due_at is what its arrival set.
  update conversation_work
     set lease_until = null,
         not_before = null,
         failures = 0,
         due_at = case when arrivals <> p_arrivals_seen then due_at end
   where conversation_id = p_conversation_id
  returning * into v_work;
  return nudge_conversation(v_work);
end;
$$;

COMMENT ON FUNCTION public.release_conversation(p_conversation_id uuid, p_arrivals_seen bigint) IS 'Gives the conversation free; returns seconds after which to start a flow when more has arrived, else null.';

CREATE FUNCTION public.release_expired_holds() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_holds usage_holds[];
begin
  select array_agg(expired) into v_holds from (
    select usage_holds.* from usage_holds
     where expires_at < usage_now()
       and not exists (
         select from turns where id = turn_id and state in ('thinking', 'answered')
       )
     order by expires_at limit 500
       for update skip locked
  ) as expired;
  -- Rows of many turns: each kind in its turn and in one order, as whoever reserves takes them.
  perform from contact_days where (contact_id, day) in (
    select contact_id, held_on from unnest(v_holds)) order by contact_id, day for no key update;
  perform from chatbot_days where (chatbot_id, day) in (
    select chatbot_id, held_on from unnest(v_holds)) order by chatbot_id, day for no key update;
  perform from usage_periods where (organization_id, starts_on) in (
    select organization_id, period_starts_on from unnest(v_holds))
   order by organization_id, starts_on for no key update;
  perform end_hold(held.turn_id, exists (
    select from turns where id = held.turn_id and state = 'finished')) from unnest(v_holds) as held;
  return coalesce(cardinality(v_holds), 0);
end;
$$;

COMMENT ON FUNCTION public.release_expired_holds() IS 'Ends holds that outlived their turn, in any organization; a turn that is still open keeps its own.';

CREATE FUNCTION public.release_usage(p_turn_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform require_own_turn(p_turn_id);
  perform end_hold(p_turn_id, false);
end;
$$;

COMMENT ON FUNCTION public.release_usage(p_turn_id uuid) IS 'Nobody was answered: gives the message back, and of the tokens and the money what was not used, once.';

CREATE FUNCTION public.remove_words(p_organization_id uuid, p_document_id uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_words constant text[] := array(
    select distinct word from chunks cross join unnest(words) as word
     where organization_id = p_organization_id and document_id = p_document_id);
begin
  update words
     set chunk_count = words.chunk_count - gone.chunk_count,
         chunk_ids = (select array_agg(id) from unnest(words.chunk_ids) as id
                       where id <> all (gone.chunk_ids))
    from (select word, count(*) as chunk_count, array_agg(id) as chunk_ids
            from chunks cross join unnest(chunks.words) as word
           where organization_id = p_organization_id and document_id = p_document_id
           group by word) as gone
   where words.organization_id = p_organization_id and words.word = gone.word;

  delete from words
   where organization_id = p_organization_id and word = any (v_words) and chunk_count = 0;

  -- What has become rare again is looked up in every chunk: seldom, and for all such words at once.
  update words set chunk_ids = found.chunk_ids
    from (select word, array_agg(chunks.id) as chunk_ids
            from chunks
            join documents on documents.id = chunks.document_id and documents.is_active
           cross join unnest(chunks.words) as word
           where chunks.organization_id = p_organization_id
             and documents.id <> p_document_id
             and word in (select words.word from words
                           where organization_id = p_organization_id and words.word = any (v_words)
                             and chunk_ids is null and chunk_count <= rare_word_chunks())
           group by word) as found
   where words.organization_id = p_organization_id and words.word = found.word;
end;
$$;

COMMENT ON FUNCTION public.remove_words(p_organization_id uuid, p_document_id uuid) IS 'Forgets the words of a document that is no longer searched.';

CREATE FUNCTION public.report_channel_problem(p_channel_id uuid, p_code text, p_details text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select raise_alert(
    organization_id, 'error', 'channel_broken', concat_ws(':', id, p_code),
    format('channel %s: %s', id, concat_ws(' ', p_code, p_details)))
    from channels where id = p_channel_id;
$$;

COMMENT ON FUNCTION public.report_channel_problem(p_channel_id uuid, p_code text, p_details text) IS 'What a look at the vendor found wrong reaches a person.';

CREATE FUNCTION public.report_ended_usage_periods() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_reported bigint;
begin
  with ended as (
    update usage_periods
       set reported_at = usage_now()
      from organizations
     where organizations.id = usage_periods.organization_id
       and reported_at is null
       -- An hour for the turns that began before midnight.
       and (starts_on + interval '1 month') at time zone time_zone < usage_now() - interval '1 hour'
       and messages_reserved = 0
    returning usage_periods as period, time_zone
  ), reported as (
    select report_usage(period, time_zone) from ended
  )
  select count(*) into v_reported from reported;
  return v_reported;
end;
$$;

COMMENT ON FUNCTION public.report_ended_usage_periods() IS 'Raises the report of every period that ended and has none; returns how many.';

CREATE FUNCTION public.report_silent_channels() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with reported as (
    select raise_alert(
             organization_id, 'error', 'channel_silent', channel_id::text,
             format('channel %s brought nothing for %s hours; usually it brings %s messages then',
                    channel_id, hours, round(usual_messages)))
      from silent_channels()
  )
  select count(*) from reported;
$$;

COMMENT ON FUNCTION public.report_silent_channels() IS 'A dead man''s switch.';

CREATE FUNCTION public.report_usage(p_period public.usage_periods, p_time_zone text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_refused bigint;
  v_unanswered bigint;
begin
  select count(*) filter (where usage_decision not in ('normal', 'economy')),
         count(*) filter (where state in ('held', 'buried') or outcome = 'failure_notice')
    into v_refused, v_unanswered
    from turns
   where organization_id = p_period.organization_id
     and created_at >= p_period.starts_on::timestamp at time zone p_time_zone
     and created_at < (p_period.starts_on + interval '1 month') at time zone p_time_zone;
  perform raise_alert(p_period.organization_id, 'info', 'usage_report', p_period.starts_on::text,
    format(
      '%s: %s of %s turns answered, %s refused, %s left to people; %s of %s tokens, %s over what was reserved; cost %s, limit %s, in cents',
      to_char(p_period.starts_on, 'YYYY-MM'), p_period.messages_used, p_period.message_limit,
      v_refused, v_unanswered, p_period.tokens_used + p_period.tokens_overrun,
      p_period.token_limit, p_period.tokens_overrun,
      round((p_period.cost_microcents + p_period.cost_overrun_microcents) / 1000000.0, 2),
      coalesce(round(p_period.cost_limit_microcents / 1000000.0, 2)::text, 'none')));
end;
$$;

COMMENT ON FUNCTION public.report_usage(p_period public.usage_periods, p_time_zone text) IS 'Figures of an ended period, as an alert that is posted like every other.';

CREATE FUNCTION public.require_own(p_organization_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if p_organization_id is distinct from proved_organization() then
    raise exception 'this transaction proved another organization'
      using errcode = 'insufficient_privilege';
  end if;
end;
$$;

COMMENT ON FUNCTION public.require_own(p_organization_id uuid) IS 'For functions that run with their owner''s rights, which row-level security may not bind.';

CREATE FUNCTION public.require_own_turn(p_turn_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform require_own(organization_id) from usage_holds where turn_id = p_turn_id
   union all
  select require_own(organization_id) from usage_events where turn_id = p_turn_id;
end;
$$;

COMMENT ON FUNCTION public.require_own_turn(p_turn_id uuid) IS 'Refuses the hold of another organization''s turn.';

CREATE FUNCTION public.reserve_usage(p_conversation public.conversations, p_turn_id uuid, p_model text, p_tokens bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_hold usage_holds;
  v_decision text;
begin
  p_conversation := own_conversation(p_conversation.id);
  if p_tokens is null or p_tokens not between 0 and 1000000000 then
    raise exception 'a turn can''t reserve % tokens', p_tokens
      using errcode = 'invalid_parameter_value';
  end if;
  -- Twins of a turn wait for each other here.
  perform from turns
   where id = p_turn_id and conversation_id = p_conversation.id for no key update;
  if not found then
    raise exception 'turn % is not of this conversation', p_turn_id using errcode = 'no_data_found';
  end if;
  update usage_holds set expires_at = usage_now() + hold_lasts()
   where turn_id = p_turn_id returning decision into v_decision;
  if not found then
    select decision into v_decision from usage_events where turn_id = p_turn_id;
  end if;
  if found then
    return v_decision;
  end if;
  v_hold := new_hold(p_conversation, p_turn_id, p_model, p_tokens);
  if v_hold.cost_microcents is null then
    perform warn_once(v_hold.organization_id, v_hold.period_starts_on, 'cost', 'price_unknown',
      format('model %s has no price, and the plan limits the cost: nothing is answered', v_hold.model));
    return 'price_unknown';
  end if;
  v_hold.decision := take_hold(v_hold);
  if v_hold.decision in ('normal', 'economy') then
    insert into usage_holds select v_hold.*;
  end if;
  return v_hold.decision;
end;
$$;

COMMENT ON FUNCTION public.reserve_usage(p_conversation public.conversations, p_turn_id uuid, p_model text, p_tokens bigint) IS 'Takes one message, the tokens and their cost for a turn: normal or economy (from 95 % on); or refuses: spent, chatbot_limit, contact_limit, price_unknown. Asked again it says the same and takes nothing more.';

CREATE FUNCTION public.runtime_settings(p_role text) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    AS $$
  -- No statement of a step may hold others up. Query texts of one session are not for the others of
  -- its role, who may be working for another organization; only a superuser can switch them off.
  -- A process that is frozen in a transaction may hold its organization's usage: not for long.
  select array[
    'statement_timeout=' || case p_role when 'chatmill_knowledge' then '60s' else '5s' end,
    'idle_in_transaction_session_timeout='
      || case p_role when 'chatmill_knowledge' then '10s' else '3s' end,
    'lock_timeout=2s', 'track_activities=off'
  ];
$$;

COMMENT ON FUNCTION public.runtime_settings(p_role text) IS 'The settings of a runtime role and of its logins. A role may change its own: each start of an installation brings its logins back to these (local/logins.py).';

CREATE FUNCTION public.save_turn_messages(p_turn_id uuid) RETURNS void
    LANGUAGE sql
    AS $$
  insert into messages (organization_id, conversation_id, turn_id, author, position, body, written_at)
  select organization_id, conversation_id, turn_id, 'contact',
         row_number() over (order by sent_at, id), body, sent_at
    from inbound_messages where turn_id = p_turn_id
  union all
  select organization_id, conversation_id, turn_id, 'chatbot', position, body, created_at
    from outbound_messages where turn_id = p_turn_id
  order by 7, 5
  on conflict on constraint messages_are_remembered_once do nothing;
$$;

COMMENT ON FUNCTION public.save_turn_messages(p_turn_id uuid) IS 'Writes a turn''s lines into the history, once.';

CREATE FUNCTION public.seconds_before_retry(p_work public.conversation_work) RETURNS numeric
    LANGUAGE sql STABLE
    AS $$
  select least(2 * 4 ^ least(p_work.failures, 3)::numeric, (
           -- Where the models failed, the last attempt needs five seconds to ask one more.
           select greatest(extract(epoch from think_until - now()) - 5, 2) from turns
            where conversation_id = p_work.conversation_id
              and state = 'thinking' and think_until is not null));
$$;

COMMENT ON FUNCTION public.seconds_before_retry(p_work public.conversation_work) IS 'After 0, 1, 2, 3 failures 2, 8, 32, 128 seconds; sooner where the time to think would end before.';

CREATE FUNCTION public.set_period_limits(p_plan_id text, p_organization_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  with open_periods as (
    -- One order for everybody who locks several periods.
    select usage_periods.organization_id, starts_on,
           plans.message_limit, plans.token_limit, plans.cost_limit_microcents
      from usage_periods
      join organizations on organizations.id = usage_periods.organization_id
      join plans on plans.id = organizations.plan_id
     where plans.id = p_plan_id
       and organizations.id = coalesce(p_organization_id, organizations.id)
       and starts_on >= date_trunc('month', usage_now() at time zone time_zone)
     order by usage_periods.organization_id, starts_on
       for no key update of usage_periods
  )
  update usage_periods
     set message_limit = open_periods.message_limit,
         token_limit = open_periods.token_limit,
         cost_limit_microcents = open_periods.cost_limit_microcents
    from open_periods
   where usage_periods.organization_id = open_periods.organization_id
     and usage_periods.starts_on = open_periods.starts_on;
$$;

COMMENT ON FUNCTION public.set_period_limits(p_plan_id text, p_organization_id uuid) IS 'Writes a plan''s limits into the open and prepared periods of its organizations, or of one. Ended months keep theirs.';

CREATE FUNCTION public.set_web_mode(p_channel_id uuid, p_conversation_id uuid, p_mode text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.set_web_mode(p_channel_id uuid, p_conversation_id uuid, p_mode text) IS 'A teammate takes a conversation of the web chat over, or gives it back: the mode that it has then, which stays muted where it is; null: no such conversation on this channel.';

CREATE FUNCTION public.settle_alert(p_held_until timestamp with time zone, p_id bigint, p_occurrences integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  -- A worker that held Slack for too long ends here without taking it from the next one.
  update alert_outlet set next_post_at = now() + interval '1 second', failures = 0, problem = null
   where next_post_at = p_held_until;
  update alerts
     set occurrences_told = greatest(occurrences_told, p_occurrences),
         attempts = 0,
         posted_at = now(),
         due_at = case when occurrences > p_occurrences then now() + interval '10 minutes' end
   where id = p_id;
end;
$$;

COMMENT ON FUNCTION public.settle_alert(p_held_until timestamp with time zone, p_id bigint, p_occurrences integer) IS 'Notes that so many occurrences were told; what was raised meanwhile is told in ten minutes.';

CREATE FUNCTION public.settle_outgoing_event(p_id uuid, p_is_taken boolean, p_is_gone boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.settle_outgoing_event(p_id uuid, p_is_taken boolean, p_is_gone boolean) IS 'What became of an attempt: taken, or to be tried again after 5 s, 5 min, 30 min, 2, 5, 10 and 10 hours; an endpoint that says it is gone, or fails for five days, is asked no more.';

CREATE FUNCTION public.settle_template(p_outbound_message_id uuid, p_state text, p_provider_message_id text, p_error_code text) RETURNS void
    LANGUAGE sql
    AS $$
  update template_sends
     set state = p_state, provider_message_id = p_provider_message_id, error_code = p_error_code
   where outbound_message_id = p_outbound_message_id
     and (state = 'sending' or state = 'unknown' and p_state = 'sent');
$$;

COMMENT ON FUNCTION public.settle_template(p_outbound_message_id uuid, p_state text, p_provider_message_id text, p_error_code text) IS 'What became of a template: also noted by who lost the turn meanwhile, if it surely went out.';

CREATE FUNCTION public.settle_usage(p_turn_id uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform require_own_turn(p_turn_id);
  return end_hold(p_turn_id, true);
end;
$$;

COMMENT ON FUNCTION public.settle_usage(p_turn_id uuid) IS 'The turn was answered: charges what its model calls used, once; returns microcents, or null when a price is unknown.';

CREATE FUNCTION public.show_document(p_document_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
  v_document documents;
begin
  select * into v_document from documents where id = p_document_id;
  perform lock_searched_documents(v_document.organization_id);
  if v_document.id is null or exists (
    select from chunks
     where chunks.organization_id = v_document.organization_id
       and chunks.document_id = v_document.id
       and not exists (
         select from embeddings join chunk_sets using (organization_id)
          where organization_id = v_document.organization_id
            and chunk_sets.id = embeddings.chunk_set_id and chunk_sets.state = 'searched'
            and embeddings.chunk_id = chunks.id)
  ) then
    return false;
  end if;

  update documents set is_active = false, retired_at = now()
   where source_id = v_document.source_id and is_active and id <> p_document_id;
  update documents set is_active = true, is_held = false, retired_at = null
   where id = p_document_id and not is_active;
  return true;
end;
$$;

COMMENT ON FUNCTION public.show_document(p_document_id uuid) IS 'Has a document searched instead of its source''s version until now; false while a chunk has no embedding by the model that is searched.';

CREATE FUNCTION public.silence_for_teammate(p_conversation_id uuid) RETURNS void
    LANGUAGE sql
    AS $$
  update conversations
     set mode = case mode when 'muted' then 'muted' else 'human' end,
         silent_until = now() + make_interval(hours => channels.teammate_hours)
    from channels
   where conversations.id = p_conversation_id and channels.id = conversations.channel_id;
$$;

COMMENT ON FUNCTION public.silence_for_teammate(p_conversation_id uuid) IS 'A teammate is at the conversation: the chatbot waits for some hours.';

CREATE FUNCTION public.silent_channels() RETURNS TABLE(channel_id uuid, organization_id uuid, hours integer, usual_messages numeric)
    LANGUAGE sql STABLE
    AS $$
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
$$;

COMMENT ON FUNCTION public.silent_channels() IS 'Channels that brought nothing for 1, 3 or 12 hours. Where at least 10 messages come at this time of day on average, none at all is no chance.';

CREATE FUNCTION public.start_web_session(p_channel_id uuid, p_token_hash text, p_person_key text, p_name text, p_language text) RETURNS TABLE(session_id uuid, expires_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.start_web_session(p_channel_id uuid, p_token_hash text, p_person_key text, p_name text, p_language text) IS 'Lets a page in, as the person that it proved to be or as somebody new.';

CREATE FUNCTION public.store_delivery(p_channel_id uuid, p_body text, p_reference uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  insert into webhook_deliveries (organization_id, channel_id, body, reference)
  select organization_id, id, p_body, p_reference from channels where id = p_channel_id
  returning id;
$$;

COMMENT ON FUNCTION public.store_delivery(p_channel_id uuid, p_body text, p_reference uuid) IS 'Keeps a verified delivery as it was received.';

CREATE FUNCTION public.store_model_call(p_turn_id uuid, p_fence bigint, p_draft integer, p_call_id uuid, p_request_sha256 text, p_model text, p_input_tokens bigint, p_output_tokens bigint, p_is_estimated boolean, p_response jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
  v_call model_calls;
begin
  select p_turn_id, p_draft, 0, v_turn.organization_id, p_call_id, p_request_sha256, false,
         p_model, p_input_tokens, p_output_tokens, p_is_estimated, p_response, now()
    into v_call;
  perform add_model_call(v_call);
end;
$$;

COMMENT ON FUNCTION public.store_model_call(p_turn_id uuid, p_fence bigint, p_draft integer, p_call_id uuid, p_request_sha256 text, p_model text, p_input_tokens bigint, p_output_tokens bigint, p_is_estimated boolean, p_response jsonb) IS 'Keeps an answer that was just paid for.';

CREATE FUNCTION public.store_web_upload(p_session_id uuid, p_token_hash text, p_file_name text, p_media_type text, p_sha256 text, p_content bytea) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  insert into web_uploads (
    organization_id, conversation_id, file_name, media_type, sha256, content
  )
  select organization_id, conversation_id, p_file_name, p_media_type, p_sha256, p_content
    from web_sessions
   where id = p_session_id and token_hash = p_token_hash and expires_at > now()
  returning id;
$$;

COMMENT ON FUNCTION public.store_web_upload(p_session_id uuid, p_token_hash text, p_file_name text, p_media_type text, p_sha256 text, p_content bytea) IS 'Keeps a file that a visitor sends, for the message that will name it.';

CREATE FUNCTION public.stuck_after() RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$
  select interval '10 minutes';
$$;

COMMENT ON FUNCTION public.stuck_after() IS 'A failed attempt makes its conversation due anew, and a success ends it: what is due for so long is started again and again, and nothing is heard of it.';

CREATE FUNCTION public.take_days(p_hold public.usage_holds) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  v_chatbot chatbots;
begin
  select * into strict v_chatbot from chatbots where id = p_hold.chatbot_id;
  insert into contact_days (contact_id, day, organization_id, messages_used)
  select p_hold.contact_id, p_hold.held_on, p_hold.organization_id, 1
   where coalesce(v_chatbot.contact_daily_message_limit, 1) > 0
  on conflict on constraint contact_days_pkey do update
    set messages_used = contact_days.messages_used + 1
    where contact_days.messages_used < v_chatbot.contact_daily_message_limit
       or v_chatbot.contact_daily_message_limit is null;
  if not found then
    return 'contact_limit';
  end if;
  insert into chatbot_days (chatbot_id, day, organization_id, messages_used)
  select p_hold.chatbot_id, p_hold.held_on, p_hold.organization_id, 1
   where coalesce(v_chatbot.daily_message_limit, 1) > 0
  on conflict on constraint chatbot_days_pkey do update
    set messages_used = chatbot_days.messages_used + 1
    where chatbot_days.messages_used < v_chatbot.daily_message_limit
       or v_chatbot.daily_message_limit is null;
  if not found then
    update contact_days set messages_used = messages_used - 1
     where contact_id = p_hold.contact_id and day = p_hold.held_on;
    return 'chatbot_limit';
  end if;
  return null;
end;
$$;

COMMENT ON FUNCTION public.take_days(p_hold public.usage_holds) IS 'One turn of the contact''s and of the chatbot''s day; or neither, and which limit stands against it.';

CREATE FUNCTION public.take_due_sources(p_each integer, p_limit integer) RETURNS TABLE(source_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_given_up sources;
begin
  perform pg_advisory_xact_lock(hashtextextended('take_due_sources', 0));

  for v_given_up in
    update sources
       set state = 'refused', refusal_code = 'document_failed', is_taken = false, attempts = 0,
           refusal = 'It could not be read because of a fault on our side: the operator was told, and reads it again when that is mended.',
           due_at = now() + make_interval(hours => sync_hours)
     where due_at <= now() and attempts >= 5
    returning *
  loop
    perform raise_alert(v_given_up.organization_id, 'error', 'source_failed', v_given_up.id::text,
      format('source %s was started 5 times and came no further', v_given_up.id));
  end loop;

  return query
  update sources
     set is_taken = true, attempts = attempts + 1,
         due_at = now() + make_interval(secs => reading_seconds())
   where id in (
     select ranked.id
       from (select sources.id, sources.due_at,
                    row_number() over (partition by sources.organization_id order by sources.due_at)
                    + (select count(*) from sources as running
                        where running.organization_id = sources.organization_id
                          and running.is_taken and running.due_at > now()) as place
               from sources
               join organizations on organizations.id = sources.organization_id
              where sources.due_at <= now() and organizations.is_active) as ranked
      where place <= p_each
      order by ranked.due_at
      limit p_limit
   )
  returning id;
end;
$$;

COMMENT ON FUNCTION public.take_due_sources(p_each integer, p_limit integer) IS 'Sources to start reading, the longest waiting first, so that each organization has at most p_each in work: fifty uploads of one wait behind each other, not before others. What was started 5 times without coming any further is given up, with an alert.';

CREATE FUNCTION public.take_hold(p_hold public.usage_holds) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  v_refusal text;
  v_decision text;
begin
  -- A look without a lock first: a plan that is used up is refused without any write.
  if exists (
    select from usage_periods
     where organization_id = p_hold.organization_id and starts_on = p_hold.period_starts_on
       and has_room(usage_periods, p_hold)
  ) then
    v_refusal := take_days(p_hold);
    if v_refusal is not null then
      return v_refusal;
    end if;
    v_decision := take_period(p_hold);
    if v_decision is not null then
      return v_decision;
    end if;
    perform give_back_days(p_hold);
  end if;
  perform warn_once(p_hold.organization_id, p_hold.period_starts_on, 'plan', 'spent',
    format('%s: a turn was refused, the month has no room for it', p_hold.period_starts_on));
  return 'spent';
end;
$$;

COMMENT ON FUNCTION public.take_hold(p_hold public.usage_holds) IS 'Takes all of a hold or nothing: normal, economy, or what stands against it.';

CREATE FUNCTION public.take_left_behind_delivery() RETURNS TABLE(id uuid, body text, reference uuid)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  update webhook_deliveries set attempts = attempts + 1, attempted_at = now()
   where id = (
     select id from webhook_deliveries
      where accepted_at is null and attempts < 5
        -- Twice as long as a statement may take: whoever received it is gone.
        and received_at < now() - interval '10 seconds'
        and (attempted_at is null or attempted_at < now() - interval '1 minute')
      order by attempts, received_at limit 1 for update skip locked
   )
  returning id, body, reference;
$$;

COMMENT ON FUNCTION public.take_left_behind_delivery() IS 'One delivery that nobody accepted for ten seconds. The attempt is counted before it is made, so that one that breaks its worker can''t keep the others waiting.';

CREATE FUNCTION public.take_messages(p_turn public.turns, p_arrivals bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update inbound_messages set state = 'taken', turn_id = p_turn.id
   where conversation_id = p_turn.conversation_id and state = 'waiting';
  update turns set arrivals_seen = p_arrivals where id = p_turn.id;
  update conversation_work
     set instant_turns = case
           when waiting_since is null then instant_turns
           when is_instant(conversation_work) then instant_turns + 1
           else 0
         end,
         waiting_since = null
   where conversation_id = p_turn.conversation_id;
end;
$$;

COMMENT ON FUNCTION public.take_messages(p_turn public.turns, p_arrivals bigint) IS 'Puts everything that waits into the turn.';

CREATE FUNCTION public.take_period(p_hold public.usage_holds) RETURNS text
    LANGUAGE sql
    AS $$
  update usage_periods
     set messages_reserved = messages_reserved + 1,
         tokens_reserved = tokens_reserved + p_hold.tokens,
         cost_reserved_microcents = cost_reserved_microcents + p_hold.cost_microcents
   where organization_id = p_hold.organization_id
     and starts_on = p_hold.period_starts_on
     and (cost_limit_microcents is null or p_hold.microcents_per_token is not null)
     and has_room(usage_periods, p_hold)
  returning case
    when greatest(messages_percent, tokens_percent, cost_percent) >= 95 then 'economy'
    else p_hold.decision
  end;
$$;

COMMENT ON FUNCTION public.take_period(p_hold public.usage_holds) IS 'The statement that decides: it waits for the row and judges its newest version. Null: no room.';

CREATE FUNCTION public.take_tokens(p_channel_id uuid, p_subjects text[], p_per_second numeric[], p_bursts numeric[]) RETURNS numeric
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.take_tokens(p_channel_id uuid, p_subjects text[], p_per_second numeric[], p_bursts numeric[]) IS 'Takes one message''s worth of each rate, or of none: seconds to wait where one of them has none left.';

CREATE FUNCTION public.take_web_tokens(p_channel_id uuid, p_subjects text[], p_per_second numeric[], p_bursts numeric[]) RETURNS numeric
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select take_tokens(p_channel_id, p_subjects, p_per_second, p_bursts);
$$;

COMMENT ON FUNCTION public.take_web_tokens(p_channel_id uuid, p_subjects text[], p_per_second numeric[], p_bursts numeric[]) IS 'What take_tokens does, for who receives: rates of sessions, addresses and whole channels.';

CREATE FUNCTION public.tg_conversations__end_handoff() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update handoffs set state = 'ended', ended_at = now()
   where conversation_id = new.id and state = 'open';
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_conversations__end_handoff() IS 'Whoever gives the conversation back ends the handoff.';

CREATE FUNCTION public.tg_conversations__publish() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform publish_event(
    new.id,
    case new.mode when 'human' then 'conversation.handed_off' else 'conversation.released' end,
    jsonb_build_object('mode', new.mode));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_conversations__publish() IS 'Organizations learn who answers from now on.';

CREATE FUNCTION public.tg_delivery_receipts__refuse_template() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update template_sends
     set state = 'failed',
         error_code = case when new.status like '%:gone' then 'contact_gone' else new.error_code end
   where outbound_message_id = new.client_reference::uuid
     and state in ('sending', 'sent', 'unknown');
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_delivery_receipts__refuse_template() IS 'A template that the vendor took first and refused then did not reach the contact either.';

CREATE FUNCTION public.tg_documents__alert_held() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform raise_alert(new.organization_id, 'warning', 'version_held', new.source_id::text,
    format('a new version of source %s waits for review', new.source_id));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_documents__alert_held() IS 'Somebody learns that there is something to look at.';

CREATE FUNCTION public.tg_documents__index_words() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform lock_searched_documents(old.organization_id);
  if tg_op = 'UPDATE' and new.is_active then
    perform add_words(new.organization_id, array[new.id]);
    update embeddings set is_searched = true
      from chunks
     where chunks.organization_id = new.organization_id
       and chunks.document_id = new.id
       and embeddings.organization_id = chunks.organization_id
       and embeddings.chunk_id = chunks.id;
    return null;
  end if;
  -- When the organization itself is deleted, its words go with it.
  if exists (select from organizations where id = old.organization_id) then
    perform remove_words(old.organization_id, old.id);
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  delete from embeddings using chunks
   where chunks.organization_id = old.organization_id
     and chunks.document_id = old.id
     and embeddings.organization_id = chunks.organization_id
     and embeddings.chunk_id = chunks.id;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_documents__index_words() IS 'Search reads words and embeddings alone: they change with the documents that they are of.';

CREATE FUNCTION public.tg_embeddings__find_cell() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  new.cell := cell_of(new.organization_id, new.chunk_set_id, new.embedding);
  return new;
end;
$$;

COMMENT ON FUNCTION public.tg_embeddings__find_cell() IS 'When the set is divided at this moment, the cell is one of before, and the embedding is read by every search until it is moved.';

CREATE FUNCTION public.tg_handoffs__raise_alert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform raise_alert(
    new.organization_id, 'warning', 'handoff_asked', new.conversation_id::text,
    format('conversation %s waits for a teammate: %s', new.conversation_id, new.reason));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_handoffs__raise_alert() IS 'A person learns of it in the moment it is committed.';

CREATE FUNCTION public.tg_inbound_messages__forget_attachment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.tg_inbound_messages__forget_attachment() IS 'Deletes what a contact took back from where a revocation would not look: the file, and the webhook as received.';

CREATE FUNCTION public.tg_inbound_messages__publish() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform add_web_line(new.conversation_id, new.id, null, null);
  perform publish_event(new.conversation_id, 'message.created', jsonb_build_object(
    'message_id', new.id::text, 'author', 'contact', 'text', new.body, 'written_at', new.sent_at));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_inbound_messages__publish() IS 'What a contact wrote is a line of their page, and an event.';

CREATE FUNCTION public.tg_messages__publish() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform add_web_line(new.conversation_id, null, null, new.id);
  perform publish_event(new.conversation_id, 'message.created', jsonb_build_object(
    'message_id', new.id::text, 'author', 'teammate', 'text', new.body,
    'written_at', new.written_at));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_messages__publish() IS 'What a teammate wrote is a line of the page, and an event.';

CREATE FUNCTION public.tg_organizations__set_period_limits() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform set_period_limits(new.plan_id, new.id);
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_organizations__set_period_limits() IS 'An organization that changes its plan has it at once.';

CREATE FUNCTION public.tg_outbound_messages__catch_up() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.tg_outbound_messages__catch_up() IS 'A mark, or a receipt by the vendor''s id alone, that came before we knew that the message was sent counts for it, too.';

CREATE FUNCTION public.tg_outbound_messages__end_reply() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.tg_outbound_messages__end_reply() IS 'Where one piece of a reply is refused or held, those behind it are not offered to the vendor any more: an answer without its beginning is none. One alert tells of them all.';

CREATE FUNCTION public.tg_outbound_messages__publish() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  perform add_web_line(new.conversation_id, null, new.id, null);
  perform publish_event(new.conversation_id, 'message.created', jsonb_build_object(
    'message_id', new.id, 'author', 'chatbot', 'text', new.body, 'written_at', new.sent_at));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_outbound_messages__publish() IS 'A reply that was sent is a line of the page, and an event.';

CREATE FUNCTION public.tg_outbound_messages__raise_alert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
  v_channel_id uuid;
begin
  select channel_id into strict v_channel_id from conversations where id = new.conversation_id;
  if new.state = 'unknown' then
    perform raise_alert(
      new.organization_id, 'error', 'delivery_unknown', v_channel_id::text,
      format('nobody can say whether message %s of conversation %s reached the contact',
             new.id, new.conversation_id)
    );
  else
    perform raise_alert(
      new.organization_id, 'error', 'delivery_refused',
      v_channel_id || ':' || coalesce(new.error_code, 'no_code'),
      format('the vendor refused message %s of conversation %s with code %s',
             new.id, new.conversation_id, left(new.error_code, 60))
    );
  end if;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_outbound_messages__raise_alert() IS 'Tells us of a reply that did not arrive, or of which nobody can say.';

CREATE FUNCTION public.tg_plans__set_period_limits() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform set_period_limits(new.id, null);
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_plans__set_period_limits() IS 'A plan that changes is in force at the next reservation.';

CREATE FUNCTION public.tg_sources__keep_limits() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  v_plan plans;
  v_sources bigint;
  v_bytes bigint;
begin
  perform lock_room(new.organization_id);
  select plans.* into strict v_plan
    from organizations join plans on plans.id = plan_id where organizations.id = new.organization_id;
  select count(*), coalesce(sum(size_bytes), 0) into v_sources, v_bytes
    from sources where organization_id = new.organization_id and id <> new.id;
  if tg_op = 'INSERT' and v_sources >= v_plan.source_limit then
    raise exception 'the plan has no room for another source'
      using errcode = 'check_violation', constraint = 'sources_within_the_plan';
  end if;
  if v_bytes + coalesce(new.size_bytes, 0) > v_plan.source_bytes_limit then
    raise exception 'the plan has no room for these bytes'
      using errcode = 'check_violation', constraint = 'bytes_within_the_plan';
  end if;
  return new;
end;
$$;

COMMENT ON FUNCTION public.tg_sources__keep_limits() IS 'No source and no byte more than the plan says.';

CREATE FUNCTION public.tg_sources__make_due() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  new.due_at := now();
  new.is_taken := false;
  new.attempts := 0;
  return new;
end;
$$;

COMMENT ON FUNCTION public.tg_sources__make_due() IS 'What waits is due.';

CREATE FUNCTION public.tg_sources__tag_documents() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update documents set tags = new.tags
   where organization_id = new.organization_id and source_id = new.id;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_sources__tag_documents() IS 'Searches read the tags of documents: of all versions, for the next to be shown may be built already.';

CREATE FUNCTION public.tg_template_sends__raise_alert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.tg_template_sends__raise_alert() IS 'Tells us that a contact was not asked to write again: the held reply waits for a person alone.';

CREATE FUNCTION public.tg_tool_confirmations__raise_alert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform raise_alert(
    new.organization_id, 'warning', 'approval_asked', new.turn_id::text,
    format('turn %s asks a teammate to approve a call: ./chatmill tools confirm %s', new.turn_id, new.turn_id));
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_tool_confirmations__raise_alert() IS 'Money waits for a person, who has to know.';

CREATE FUNCTION public.tg_turns__give_up_template() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update template_sends
     set state = case state when 'sending' then 'unknown' else 'failed' end,
         error_code = 'turn_buried'
   where turn_id = new.id and state in ('ready', 'sending');
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_turns__give_up_template() IS 'What five attempts did not bring out is over.';

CREATE FUNCTION public.tg_turns__note_unanswered() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  insert into unanswered_questions (turn_id, organization_id, chatbot_id)
  select new.id, new.organization_id, channels.chatbot_id
    from conversations join channels on channels.id = conversations.channel_id
   where conversations.id = new.conversation_id
  on conflict do nothing;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_turns__note_unanswered() IS 'Keeps what nobody could answer from documents.';

CREATE FUNCTION public.tg_turns__open_handoff() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update handoffs set state = 'open', opened_at = now()
   where turn_id = new.id and state = 'asked';
  if found then
    update conversations set mode = 'human' where id = new.conversation_id and mode = 'bot';
  end if;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_turns__open_handoff() IS 'The chatbot falls silent when its last reply is out: earlier, that reply would be held too.';

CREATE FUNCTION public.tg_turns__raise_alert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform raise_alert(
    new.organization_id, 'error', 'turn_buried', conversations.channel_id::text,
    format('turn %s of conversation %s was given up after %s attempts',
           new.id, new.conversation_id, greatest(old.attempts, new.attempts))
  ) from conversations where conversations.id = new.conversation_id;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_turns__raise_alert() IS 'Tells us that a turn was given up: its messages wait for a person.';

CREATE FUNCTION public.tg_turns__release_usage() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  -- An organization that goes takes its usage with it.
  if exists (select from organizations where id = old.organization_id) then
    perform end_hold(old.id, false);
  end if;
  return old;
end;
$$;

COMMENT ON FUNCTION public.tg_turns__release_usage() IS 'A turn that is erased gives its hold back. Before, while its model calls can still be read.';

CREATE FUNCTION public.tg_usage_periods__raise_alerts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  -- Thresholds are rows here, so a new meter or level is one line. A plan is spent once, by
  -- whichever meter comes first.
  perform warn_once(
    new.organization_id, new.starts_on,
    case threshold.level when 'spent' then 'plan' else meter.name end, threshold.level,
    format('%s: %s %% of the %s of the month used or held', new.starts_on, meter.percent, meter.name)
  )
  from (values
    ('messages', new.messages_percent), ('tokens', new.tokens_percent), ('cost', new.cost_percent)
  ) as meter (name, percent)
  join (values ('near_limit', 80), ('spent', 100)) as threshold (level, percent)
    on meter.percent >= threshold.percent;
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_usage_periods__raise_alerts() IS 'Tells us when an organization nears (80 %) or reaches its plan.';

CREATE FUNCTION public.tg_usage_periods__refuse_overshoot() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise exception 'usage of % in % would pass its limit or fall', new.organization_id, new.starts_on
    using errcode = 'check_violation', constraint = 'usage_periods_never_pass_the_limit';
end;
$$;

COMMENT ON FUNCTION public.tg_usage_periods__refuse_overshoot() IS 'Refuses what its trigger''s condition found: a check that may look at the row before.';

CREATE FUNCTION public.tg_webhook_deliveries__raise_alert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform raise_alert(
    new.organization_id, 'error', 'delivery_not_accepted', new.channel_id::text,
    format('delivery %s could not be accepted, and the %sth try is the last', new.id, new.attempts)
  );
  return null;
end;
$$;

COMMENT ON FUNCTION public.tg_webhook_deliveries__raise_alert() IS 'Tells us of a stored delivery that will not be tried again.';

CREATE FUNCTION public.ticket_for(p_organization_id text) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    AS $$
  -- Null as long as the transaction has no id: nothing was proved in it.
  select p_organization_id || '.' || encode(
    sha256(outer_pad || sha256(inner_pad || convert_to(
      p_organization_id || '.' || pg_current_xact_id_if_assigned(), 'UTF8'
    ))), 'hex')
    from ticket_key;
$$;

COMMENT ON FUNCTION public.ticket_for(p_organization_id text) IS 'The ticket of an organization in this transaction; for prove_organization and proved_organization alone.';

CREATE FUNCTION public.ticket_key_block(p_key bytea, p_pad integer) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
  v_block bytea := p_key || decode(repeat('00', 64 - length(p_key)), 'hex');
begin
  for v_byte in 0..63 loop
    v_block := set_byte(v_block, v_byte, get_byte(v_block, v_byte) # p_pad);
  end loop;
  return v_block;
end;
$$;

COMMENT ON FUNCTION public.ticket_key_block(p_key bytea, p_pad integer) IS 'The key, filled to 64 bytes and combined with one of HMAC''s two pads (RFC 2104).';

CREATE FUNCTION public.usage_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select now();
$$;

COMMENT ON FUNCTION public.usage_now() IS 'The clock of periods and days. It is a function so that a test can turn the month.';

CREATE FUNCTION public.usage_today(p_organization_id uuid) RETURNS date
    LANGUAGE sql STABLE
    AS $$
  select (usage_now() at time zone time_zone)::date from organizations where id = p_organization_id;
$$;

COMMENT ON FUNCTION public.usage_today(p_organization_id uuid) IS 'The date where the organization is.';

CREATE FUNCTION public.wake_conversation(p_conversation_id uuid, p_channel_id uuid, p_kind text, p_body text) RETURNS numeric
    LANGUAGE plpgsql
    AS $$
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
$$;

COMMENT ON FUNCTION public.wake_conversation(p_conversation_id uuid, p_channel_id uuid, p_kind text, p_body text) IS 'Counts an arrival and says when to answer: a pause after the newest message, capped from the first one on, never before a back-off ends.';

CREATE FUNCTION public.warn_once(p_organization_id uuid, p_starts_on date, p_meter text, p_level text, p_summary text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  insert into usage_warnings (organization_id, starts_on, meter, level)
  values (p_organization_id, p_starts_on, p_meter, p_level)
  on conflict on constraint usage_warnings_pkey do nothing;
  if not found then
    return;
  elsif p_level = 'near_limit' then
    perform raise_alert(p_organization_id, 'warning', 'usage_near_limit',
      p_starts_on || ':' || p_meter, p_summary);
  elsif p_level = 'spent' then
    perform raise_alert(p_organization_id, 'error', 'usage_spent', p_starts_on::text, p_summary);
  else
    perform raise_alert(p_organization_id, 'error', 'price_unknown', p_starts_on::text, p_summary);
  end if;
end;
$$;

COMMENT ON FUNCTION public.warn_once(p_organization_id uuid, p_starts_on date, p_meter text, p_level text, p_summary text) IS 'Raises a period''s alert of one meter and level, the first time only.';

CREATE FUNCTION public.weighed_words(p_organization_id uuid, p_question text) RETURNS TABLE(place integer, form text, weight double precision, bonus double precision, chunk_ids uuid[])
    LANGUAGE sql STABLE
    AS $_$
  with words as materialized (
    -- Of a long question, its rarest forms count.
    select *, left(form, 1) as kind, ln(1 + all_chunks / (chunk_count + 0.5::float8)) as tells
      from question_words(p_organization_id, p_question)
     order by chunk_count, form
     limit 128
  ), whole as (
    select coalesce(nullif(sum(most), 0), 1) as tells
      from (select max(tells) as most from words where place > 0 and kind <> '^' group by place)
           as places
  )
  select place, form,
         words.tells / whole.tells,
         case
           -- A code: letters with digits, an address, a number that is hardly a quantity (4711, 14.50).
           when form ~ '^#((?=.*\d)(?=.*[[:alpha:]]).*|.*@.*|\d{4,}|\d+[-./:]\d.*)$' then 2
           -- Also used as a common word (May, Mark), a name says little.
           when kind = '^' and chunk_count <= 8 and not exists (
             select from words as stem
              where stem.place = words.place and stem.kind not in ('#', '^')
                and stem.chunk_count > 2 * words.chunk_count) then 0.25
           when kind not in ('#', '^') and chunk_count <= 3 then 0.05
           else 0
         end,
         chunk_ids
    from words cross join whole;
$_$;

COMMENT ON FUNCTION public.weighed_words(p_organization_id uuid, p_question text) IS 'The forms of question_words with what they count for: weight says how much of the question a word is (1 over all places), the fewer chunks hold it the more; bonus sets a chunk that holds it before others: that of a code, 2, before whatever similarity and weight can give.';

CREATE FUNCTION public.window_is_open(p_conversation_id uuid, p_hours integer) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select coalesce(max(inbound_messages.sent_at) > now() - make_interval(hours => p_hours), false)
    from conversations
    -- In a group one member's message opens it for all.
    join conversations as same on same.id = conversations.id
      or (conversations.group_key <> '' and same.channel_id = conversations.channel_id
          and same.group_key = conversations.group_key)
    join inbound_messages on inbound_messages.conversation_id = same.id
   where conversations.id = p_conversation_id;
$$;

COMMENT ON FUNCTION public.window_is_open(p_conversation_id uuid, p_hours integer) IS 'Whether the contact wrote lately enough for free words, by the vendor''s clock.';

CREATE FUNCTION public.word_forms(p_text text, p_language text, p_role text) RETURNS TABLE(place integer, form text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $_$
declare
  v_text constant text := fold_accents(p_text);
  -- simple has no stems and no stop words.
  v_stems constant regdictionary :=
    (p_language || case when p_language = 'simple' then '' else '_stem' end)::regdictionary;
begin
  return query
  with tokens as materialized (
    select ordinality::integer as place, hit[1] as token
      from regexp_matches(v_text, '[[:alnum:]]+(?:[-./:,_+@#&'']+[[:alnum:]]+)*', 'g')
           with ordinality as matches (hit)
  ), parts as (
    select tokens.place, left(lower(part), 64) as part
      from tokens cross join regexp_split_to_table(token, '[^[:alnum:]]+') as part
  )
  -- 1.299,00 and 1,299.00 are written both ways.
  select tokens.place, '#' || left(lower(replace(token, ',', '.')), 64)
    from tokens where token ~ '[0-9@]'
  union all
  -- One number in groups (IBAN, telephone) is the same as in one word; it stands nowhere else.
  select 0, '#' || left(joined, 64)
    from regexp_matches(v_text,
           '[[:alnum:]]*[0-9][[:alnum:]]*(?:[- /.][[:alnum:]]*[0-9][[:alnum:]]*)+', 'g') as hit
   cross join lower(regexp_replace(hit[1], '[^[:alnum:]]', '', 'g')) as joined
   where length(joined) >= 8
  union all
  select parts.place, stem
    from parts cross join unnest(coalesce(ts_lexize(v_stems, part), array[part])) as stem
  union all
  -- devolución and devoluciones have one stem, devolucion has another.
  select 0, fold_accents(stem)
    from regexp_matches(lower(normalize(p_text, nfkc)), '[[:alpha:]]+', 'g') as hit
   cross join unnest(ts_lexize(v_stems, left(hit[1], 64))) as stem
   where hit[1] ~ '[^\x01-\x7f]'
  union all
  -- Writing without spaces between words is found by pairs of characters.
  select parts.place, substr(part, start, 2)
    from parts cross join generate_series(1, length(part) - 1) as start
   where part ~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]' and length(part) > 2
  union all
  -- A capital inside a sentence makes a name; a question may leave it out.
  select names.place, '^' || left(lower(names.name), 64)
    from (select 0 as place, hit[1] as name
            from regexp_matches(v_text, '(?<=[[:alnum:],;] )[[:upper:]][[:alpha:]]{2,}', 'g') as hit
           where p_role = 'content'
          union all
          select parts.place, part
            from parts
           where p_role = 'question' and part ~ '^[[:alpha:]]{3,}$'
             and ts_lexize(v_stems, part) is distinct from '{}') as names;
end;
$_$;

COMMENT ON FUNCTION public.word_forms(p_text text, p_language text, p_role text) IS 'Every word of a heading, a content or a question in the forms by which it is found: its stem, #code or number as written, ^name; place 0 is no single word.';

CREATE FUNCTION public.words_of_chunk(p_heading_path text, p_content text, p_language text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  select array_agg(distinct form)
    from (select form from word_forms(p_heading_path, p_language, 'heading')
          union all select form from word_forms(p_content, p_language, 'content')
          -- Counted like words: how many chunks there are, and which languages.
          union all values (''), ('@' || p_language)) as forms;
$$;

COMMENT ON FUNCTION public.words_of_chunk(p_heading_path text, p_content text, p_language text) IS 'What chunks.words holds.';

CREATE FUNCTION public.write_as_teammate(p_channel_id uuid, p_conversation_id uuid, p_message_id uuid, p_body text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;

COMMENT ON FUNCTION public.write_as_teammate(p_channel_id uuid, p_conversation_id uuid, p_message_id uuid, p_body text) IS 'What a teammate writes in the web chat, as accept_echo has it where a vendor tells of them; false: no such conversation on this channel.';

CREATE TABLE public.alert_outlet (
    is_only boolean DEFAULT true NOT NULL,
    next_post_at timestamp with time zone DEFAULT now() NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    problem text,
    CONSTRAINT alert_outlet_failures_check CHECK ((failures >= 0)),
    CONSTRAINT alert_outlet_is_only_check CHECK (is_only),
    CONSTRAINT alert_outlet_problem_check CHECK (((length(problem) >= 1) AND (length(problem) <= 100)))
);

COMMENT ON TABLE public.alert_outlet IS 'One row per installation: when Slack may be called next, and why it did not take the last post.';

COMMENT ON COLUMN public.alert_outlet.next_post_at IS 'In the future while somebody posts, for a second after each post, and while Slack asked us to wait or is away.';

COMMENT ON COLUMN public.alert_outlet.failures IS 'Posts since the last that Slack took.';

CREATE TABLE public.alerts (
    id bigint NOT NULL,
    organization_id uuid,
    fingerprint text NOT NULL,
    severity text NOT NULL,
    code text NOT NULL,
    summary text NOT NULL,
    occurrences integer DEFAULT 1 NOT NULL,
    occurrences_told integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    first_raised_at timestamp with time zone DEFAULT now() NOT NULL,
    last_raised_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    posted_at timestamp with time zone,
    CONSTRAINT alerts_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT alerts_code_check CHECK ((code ~ '^[a-z][a-z0-9_]{2,60}$'::text)),
    CONSTRAINT alerts_fingerprint_check CHECK (((length(fingerprint) >= 1) AND (length(fingerprint) <= 300))),
    CONSTRAINT alerts_occurrences_check CHECK ((occurrences > 0)),
    CONSTRAINT alerts_occurrences_told_check CHECK ((occurrences_told >= 0)),
    CONSTRAINT alerts_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'error'::text]))),
    CONSTRAINT alerts_summary_check CHECK (((length(summary) >= 1) AND (length(summary) <= 1000)))
);

ALTER TABLE ONLY public.alerts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.alerts IS 'One row per thing that somebody should know, with how often it happened.';

COMMENT ON COLUMN public.alerts.fingerprint IS 'Equal for equal trouble: code, organization and what it is about.';

COMMENT ON COLUMN public.alerts.summary IS 'Of the newest occurrence. Codes and ids only: never a message''s text, a name or a secret.';

COMMENT ON COLUMN public.alerts.occurrences_told IS 'What the newest post said; whoever reads it knows of so many.';

COMMENT ON COLUMN public.alerts.attempts IS 'Posts tried since the last that was taken: one that Slack refuses must not keep others waiting.';

COMMENT ON COLUMN public.alerts.due_at IS 'When to tell; null: everything was told.';

ALTER TABLE public.alerts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.answer_drafts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    group_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    question text NOT NULL,
    answer text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    source_id uuid,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT answer_drafts_answer_check CHECK (((length(answer) >= 1) AND (length(answer) <= 8000))),
    CONSTRAINT answer_drafts_question_check CHECK (((length(question) >= 1) AND (length(question) <= 2000))),
    CONSTRAINT answer_drafts_say_when CHECK (((state = 'waiting'::text) = (decided_at IS NULL))),
    CONSTRAINT answer_drafts_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'approved'::text, 'rejected'::text])))
);

ALTER TABLE ONLY public.answer_drafts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.answer_drafts IS 'One row per unanswered question that teammates answered in its conversation: what could become a document.';

COMMENT ON COLUMN public.answer_drafts.state IS 'waiting (one per group) -> approved (it became a source) | rejected (never proposed again).';

CREATE TABLE public.cached_answers (
    chatbot_id uuid NOT NULL,
    fingerprint text NOT NULL,
    organization_id uuid NOT NULL,
    answer text NOT NULL,
    citations jsonb DEFAULT '[]'::jsonb NOT NULL,
    hits bigint DEFAULT 0 NOT NULL,
    written_at timestamp with time zone DEFAULT now() NOT NULL,
    last_hit_at timestamp with time zone,
    CONSTRAINT cached_answers_answer_check CHECK (((length(answer) >= 1) AND (length(answer) <= 8000))),
    CONSTRAINT cached_answers_fingerprint_check CHECK ((fingerprint ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT cached_answers_hits_check CHECK ((hits >= 0))
);

ALTER TABLE ONLY public.cached_answers FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.cached_answers IS 'One row per question that a chatbot answered from documents alone.';

COMMENT ON COLUMN public.cached_answers.fingerprint IS 'Of the question''s words in their plain form, the chatbot''s words, our rules, and the state of the documents: a change of any is another row.';

COMMENT ON COLUMN public.cached_answers.hits IS 'Turns that it answered; none of them paid a model.';

CREATE TABLE public.cells (
    organization_id uuid NOT NULL,
    chunk_set_id bigint NOT NULL,
    number integer NOT NULL,
    center public.halfvec NOT NULL,
    CONSTRAINT cells_number_check CHECK ((number > 0))
)
WITH (toast_tuple_target='8160');

ALTER TABLE ONLY public.cells FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.cells IS 'One row per cell of a large chunk set: an embedding is in the one whose center is nearest, and a search reads the nearest cells only.';

COMMENT ON COLUMN public.cells.number IS 'Never one that an earlier division of the set had.';

COMMENT ON COLUMN public.cells.center IS 'Of unit length.';

CREATE TABLE public.chatbot_days (
    chatbot_id uuid NOT NULL,
    day date NOT NULL,
    organization_id uuid NOT NULL,
    messages_used bigint DEFAULT 0 NOT NULL,
    CONSTRAINT chatbot_days_messages_used_check CHECK ((messages_used >= 0))
);

ALTER TABLE ONLY public.chatbot_days FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.chatbot_days IS 'One row per chatbot and day with a turn, in the organization''s time zone.';

CREATE TABLE public.chatbot_versions (
    chatbot_id uuid NOT NULL,
    version integer NOT NULL,
    organization_id uuid NOT NULL,
    settings jsonb NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone,
    published_by text,
    override_reason text,
    CONSTRAINT chatbot_versions_override_reason_check CHECK (((length(override_reason) >= 5) AND (length(override_reason) <= 1000))),
    CONSTRAINT chatbot_versions_published_by_check CHECK (((length(published_by) >= 1) AND (length(published_by) <= 100))),
    CONSTRAINT chatbot_versions_settings_check CHECK ((jsonb_typeof(settings) = 'object'::text)),
    CONSTRAINT chatbot_versions_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'published'::text, 'retired'::text]))),
    CONSTRAINT chatbot_versions_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.chatbot_versions FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.chatbot_versions IS 'One row per set of a chatbot''s words and thresholds.';

COMMENT ON COLUMN public.chatbot_versions.settings IS 'By names of columns of chatbots; publishing copies them there.';

COMMENT ON COLUMN public.chatbot_versions.state IS 'draft -> published (in use) -> retired (another one is); retired -> published again.';

COMMENT ON COLUMN public.chatbot_versions.override_reason IS 'Why it was published although golden questions said that it is worse.';

CREATE TABLE public.chatbots (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    instructions text NOT NULL,
    unknown_reply text NOT NULL,
    debounce_seconds numeric DEFAULT 1.5 NOT NULL,
    debounce_cap_seconds numeric DEFAULT 12 NOT NULL,
    max_reply_tokens integer DEFAULT 500 NOT NULL,
    economy_model text,
    daily_message_limit integer,
    contact_daily_message_limit integer,
    limit_notice text DEFAULT 'We can''t answer automatically right now. Your message is kept, and a person will read it.'::text NOT NULL,
    failure_notice text DEFAULT 'Sorry, something went wrong on our side. A person will look at your message.'::text NOT NULL,
    loop_limit integer DEFAULT 20,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    source_tags text[] DEFAULT '{}'::text[] NOT NULL,
    handoff_reply text DEFAULT 'I am passing this on to a colleague, who will answer you here.'::text NOT NULL,
    business_hours jsonb DEFAULT '{}'::jsonb NOT NULL,
    allowed_link_hosts text[] DEFAULT '{}'::text[] NOT NULL,
    forbidden_words text[] DEFAULT '{}'::text[] NOT NULL,
    languages text[] DEFAULT '{}'::text[] NOT NULL,
    policy text,
    least_confidence numeric DEFAULT 0 NOT NULL,
    spam_confidence numeric DEFAULT 0.95 NOT NULL,
    confirm_question text DEFAULT 'Shall I do this?

{action}

Answer "yes" to go ahead.'::text NOT NULL,
    caches_answers boolean DEFAULT false NOT NULL,
    sign_in_request text DEFAULT 'For that I need you to sign in at {server}:

{link}

Then write me the code that you see there.'::text NOT NULL,
    signed_in_notice text DEFAULT 'You are signed in. Write this code in the chat that sent you here: {code}

If you did not ask for this, close this page.'::text NOT NULL,
    CONSTRAINT chatbots_business_hours_check CHECK ((jsonb_typeof(business_hours) = 'object'::text)),
    CONSTRAINT chatbots_confirm_question_check CHECK ((confirm_question ~~ '%{action}%'::text)),
    CONSTRAINT chatbots_contact_daily_message_limit_check CHECK ((contact_daily_message_limit >= 0)),
    CONSTRAINT chatbots_daily_message_limit_check CHECK ((daily_message_limit >= 0)),
    CONSTRAINT chatbots_debounce_cap_seconds_check CHECK (((debounce_cap_seconds >= (0)::numeric) AND (debounce_cap_seconds <= (120)::numeric))),
    CONSTRAINT chatbots_debounce_seconds_check CHECK (((debounce_seconds >= (0)::numeric) AND (debounce_seconds <= (30)::numeric))),
    CONSTRAINT chatbots_economy_model_check CHECK (((length(economy_model) >= 1) AND (length(economy_model) <= 200))),
    CONSTRAINT chatbots_failure_notice_check CHECK (((length(failure_notice) >= 1) AND (length(failure_notice) <= 1000))),
    CONSTRAINT chatbots_handoff_reply_check CHECK (((length(handoff_reply) >= 1) AND (length(handoff_reply) <= 1000))),
    CONSTRAINT chatbots_least_confidence_check CHECK (((least_confidence >= (0)::numeric) AND (least_confidence <= (1)::numeric))),
    CONSTRAINT chatbots_limit_notice_check CHECK (((length(limit_notice) >= 1) AND (length(limit_notice) <= 1000))),
    CONSTRAINT chatbots_loop_limit_check CHECK ((loop_limit > 0)),
    CONSTRAINT chatbots_max_reply_tokens_check CHECK (((max_reply_tokens >= 16) AND (max_reply_tokens <= 4000))),
    CONSTRAINT chatbots_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT chatbots_policy_check CHECK (((length(policy) >= 1) AND (length(policy) <= 4000))),
    CONSTRAINT chatbots_sign_in_request_check CHECK ((sign_in_request ~~ '%{link}%'::text)),
    CONSTRAINT chatbots_signed_in_notice_check CHECK ((signed_in_notice ~~ '%{code}%'::text)),
    CONSTRAINT chatbots_spam_confidence_check CHECK (((spam_confidence >= (0)::numeric) AND (spam_confidence <= (1)::numeric))),
    CONSTRAINT chatbots_unknown_reply_check CHECK (((length(unknown_reply) >= 1) AND (length(unknown_reply) <= 1000)))
);

ALTER TABLE ONLY public.chatbots FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.chatbots IS 'One row per assistant of an organization.';

COMMENT ON COLUMN public.chatbots.instructions IS 'What the organization tells its assistant: tone, facts, limits.';

COMMENT ON COLUMN public.chatbots.unknown_reply IS 'What a contact reads when the documents hold no answer.';

COMMENT ON COLUMN public.chatbots.debounce_seconds IS 'How long to wait for a contact''s next message after a usual one: shorter after a finished question, longer after a fragment, a photo or a greeting; 0 answers at once.';

COMMENT ON COLUMN public.chatbots.debounce_cap_seconds IS 'A contact who keeps writing is answered at the latest so long after the first message.';

COMMENT ON COLUMN public.chatbots.economy_model IS 'The model that answers from 95 % of the plan on; null: the usual one.';

COMMENT ON COLUMN public.chatbots.daily_message_limit IS 'Turns a day in the organization''s time zone; null: no limit.';

COMMENT ON COLUMN public.chatbots.contact_daily_message_limit IS 'Turns a day for one contact; null: no limit.';

COMMENT ON COLUMN public.chatbots.limit_notice IS 'What a contact reads, once a day, when a limit keeps the chatbot from answering.';

COMMENT ON COLUMN public.chatbots.failure_notice IS 'What a contact reads when five attempts at an answer failed.';

COMMENT ON COLUMN public.chatbots.loop_limit IS 'After so many turns in a row that were asked faster than a person can read, messages are held: the other side is a machine too; null: no limit.';

COMMENT ON COLUMN public.chatbots.is_active IS 'The organization''s own off-switch; nothing else changes it. Messages are held for a teammate.';

COMMENT ON COLUMN public.chatbots.source_tags IS 'It answers from sources that have one of these tags; empty: from all of them.';

COMMENT ON COLUMN public.chatbots.handoff_reply IS 'What a contact reads when a person takes over because the chatbot can''t go on.';

COMMENT ON COLUMN public.chatbots.business_hours IS 'Hours in which a person is there, in the organization''s time zone: {"mon": [["09:00", "18:00"]], "2026-12-25": []}; a date goes before its weekday; {}: not told.';

COMMENT ON COLUMN public.chatbots.allowed_link_hosts IS 'Hosts that every link of may be sent; links elsewhere only as they stand in a passage that was found.';

COMMENT ON COLUMN public.chatbots.forbidden_words IS 'A reply with one of these words is not sent.';

COMMENT ON COLUMN public.chatbots.languages IS 'Two letters each: a reply is in the contact''s language if it is one of these, else in the first; {}: not checked.';

COMMENT ON COLUMN public.chatbots.policy IS 'Rules that a model checks every reply against; null: no such check. A check that fails refuses.';

COMMENT ON COLUMN public.chatbots.least_confidence IS 'A turn whose answer is less sure than this goes to a person; 0: none does.';

COMMENT ON COLUMN public.chatbots.spam_confidence IS 'A message that is surer to be spam than this is not answered; 1: all are.';

COMMENT ON COLUMN public.chatbots.confirm_question IS 'What a contact is asked before something is changed; {action} becomes the tool''s title and its arguments.';

COMMENT ON COLUMN public.chatbots.caches_answers IS 'Whether a common question is answered again as before, without a model.';

COMMENT ON COLUMN public.chatbots.sign_in_request IS 'What a contact reads before a tool may be called for them; {server} becomes the server''s name, {link} where they sign in.';

COMMENT ON COLUMN public.chatbots.signed_in_notice IS 'What the contact''s browser shows after it; {code} is to be written in the chat, so that nobody can have another person sign in for them.';

ALTER TABLE public.chunk_sets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.chunk_sets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.chunks (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    document_id uuid NOT NULL,
    "position" integer NOT NULL,
    heading_path text DEFAULT ''::text NOT NULL,
    page integer,
    content text NOT NULL,
    question text,
    words text[] NOT NULL,
    CONSTRAINT chunks_content_check CHECK ((length(content) > 0)),
    CONSTRAINT chunks_page_check CHECK ((page > 0)),
    CONSTRAINT chunks_position_check CHECK (("position" >= 0))
);

ALTER TABLE ONLY public.chunks FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.chunks IS 'One row per searchable piece of a document.';

COMMENT ON COLUMN public.chunks.heading_path IS 'Headings above the piece, joined with " > ".';

COMMENT ON COLUMN public.chunks.question IS 'What it answers, where the document says so.';

COMMENT ON COLUMN public.chunks.words IS 'Every form of every word in it, from words_of_chunk.';

CREATE TABLE public.contact_days (
    contact_id uuid NOT NULL,
    day date NOT NULL,
    organization_id uuid NOT NULL,
    messages_used bigint DEFAULT 0 NOT NULL,
    notice_claimed_at timestamp with time zone,
    CONSTRAINT contact_days_messages_used_check CHECK ((messages_used >= 0))
);

ALTER TABLE ONLY public.contact_days FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.contact_days IS 'One row per contact and day with a turn or a notice, in the organization''s time zone.';

COMMENT ON COLUMN public.contact_days.notice_claimed_at IS 'When the contact was told, once a day, that a limit is reached.';

CREATE TABLE public.contact_facts (
    contact_id uuid NOT NULL,
    name text NOT NULL,
    organization_id uuid NOT NULL,
    value text NOT NULL,
    turn_id uuid,
    written_at timestamp with time zone DEFAULT now() NOT NULL,
    value_before text,
    written_before timestamp with time zone,
    CONSTRAINT contact_facts_name_check CHECK ((name ~ '^[a-z_]{2,30}$'::text)),
    CONSTRAINT contact_facts_value_check CHECK ((((length(value) >= 1) AND (length(value) <= 120)) AND (value !~ '[[:cntrl:]]'::text)))
);

ALTER TABLE ONLY public.contact_facts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.contact_facts IS 'One row per contact and thing to remember of them; names are a fixed list (f/agent/remember_fact_tool.py).';

COMMENT ON COLUMN public.contact_facts.value_before IS 'What was remembered before the turn that wrote it: that turn, taken up again, is told this, so that what was paid stays an answer to the same words. Null: nothing was.';

COMMENT ON COLUMN public.contact_facts.written_before IS 'When value_before was written.';

CREATE TABLE public.contact_tokens (
    contact_id uuid NOT NULL,
    tool_server_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    terms jsonb NOT NULL,
    sealed_tokens text NOT NULL,
    confirmed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contact_tokens_terms_check CHECK ((jsonb_typeof(terms) = 'object'::text))
);

ALTER TABLE ONLY public.contact_tokens FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.contact_tokens IS 'One row per contact and MCP server whose tools may be called with the contact''s rights.';

COMMENT ON COLUMN public.contact_tokens.sealed_tokens IS 'AES-256-GCM, bound to the organization, the contact and the server.';

CREATE TABLE public.conversation_summaries (
    conversation_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    last_message_id bigint NOT NULL,
    summary text NOT NULL,
    written_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT conversation_summaries_summary_check CHECK (((length(summary) >= 1) AND (length(summary) <= 3000)))
);

ALTER TABLE ONLY public.conversation_summaries FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.conversation_summaries IS 'One row per conversation that is longer than a model is told word for word.';

COMMENT ON COLUMN public.conversation_summaries.last_message_id IS 'Up to this line of messages.';

CREATE TABLE public.delivery_receipts (
    channel_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    provider_message_id text NOT NULL,
    status text NOT NULL,
    participant text DEFAULT ''::text NOT NULL,
    client_reference text,
    error_code text,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.delivery_receipts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.delivery_receipts IS 'One row per status that a vendor told us of a message that we sent, and in a group of each participant.';

COMMENT ON COLUMN public.delivery_receipts.participant IS 'The vendor''s id of the one of a group whom it is about; empty: of the message.';

CREATE TABLE public.documents (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    source_id uuid NOT NULL,
    version integer NOT NULL,
    title text NOT NULL,
    language text DEFAULT 'english'::text NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    is_active boolean DEFAULT false NOT NULL,
    is_held boolean DEFAULT false NOT NULL,
    retired_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT documents_are_not_held_while_active CHECK ((NOT (is_held AND is_active))),
    CONSTRAINT documents_are_not_retired_while_active CHECK (((retired_at IS NULL) OR (NOT is_active))),
    CONSTRAINT documents_language_check CHECK ((language = ANY (ARRAY['simple'::text, 'english'::text, 'spanish'::text, 'portuguese'::text, 'french'::text, 'german'::text, 'italian'::text, 'dutch'::text, 'danish'::text, 'finnish'::text, 'hungarian'::text, 'norwegian'::text, 'russian'::text, 'swedish'::text, 'turkish'::text]))),
    CONSTRAINT documents_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.documents FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.documents IS 'One row per version of a source, as it was read.';

COMMENT ON COLUMN public.documents.language IS 'Whose stems its words are found by (english, as in english_stem); simple for none.';

COMMENT ON COLUMN public.documents.tags IS 'As its source has them, so that searching needs no join.';

COMMENT ON COLUMN public.documents.is_active IS 'Searched. Written last: chunks and embeddings are there before, then one statement shows them all.';

COMMENT ON COLUMN public.documents.is_held IS 'Whole, and waits for a person who looks at what it changes.';

COMMENT ON COLUMN public.documents.retired_at IS 'When another version took its place; null while it is searched, or still being built.';

CREATE TABLE public.embeddings (
    organization_id uuid NOT NULL,
    chunk_set_id bigint NOT NULL,
    chunk_id uuid NOT NULL,
    document_id uuid NOT NULL,
    is_searched boolean NOT NULL,
    cell integer DEFAULT 0 NOT NULL,
    embedding public.halfvec NOT NULL,
    code bit varying GENERATED ALWAYS AS (public.code_of(embedding)) STORED NOT NULL,
    CONSTRAINT embeddings_cell_check CHECK ((cell >= 0))
)
WITH (toast_tuple_target='8160', autovacuum_vacuum_insert_scale_factor='0.01', autovacuum_vacuum_scale_factor='0.02');

ALTER TABLE ONLY public.embeddings FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.embeddings IS 'One row per chunk and embedding model.';

COMMENT ON COLUMN public.embeddings.document_id IS 'Copied from the chunk, so that searching needs no join.';

COMMENT ON COLUMN public.embeddings.is_searched IS 'As its document is_active, for the same reason.';

COMMENT ON COLUMN public.embeddings.cell IS 'Of cells; of no matter while it is below its set''s first_cell.';

COMMENT ON COLUMN public.embeddings.embedding IS 'Of unit length, in numbers of 16 bits, which halve what a search reads and change no order that matters; of what embedding_texts says about the chunk; as many dimensions as its set says.';

COMMENT ON COLUMN public.embeddings.code IS 'What is compared first: for every chunk of the organization, or of its nearest cells.';

CREATE TABLE public.eval_runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    chatbot_id uuid NOT NULL,
    version integer,
    questions_sha256 text NOT NULL,
    cases integer NOT NULL,
    times integer NOT NULL,
    passed_every_time integer NOT NULL,
    passed_once integer NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_microcents bigint,
    p50_ms integer NOT NULL,
    p95_ms integer NOT NULL,
    failed jsonb NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT eval_runs_cases_check CHECK ((cases > 0)),
    CONSTRAINT eval_runs_check CHECK (((passed_every_time >= 0) AND (passed_every_time <= cases))),
    CONSTRAINT eval_runs_check1 CHECK (((passed_once >= 0) AND (passed_once <= cases))),
    CONSTRAINT eval_runs_cost_microcents_check CHECK ((cost_microcents >= 0)),
    CONSTRAINT eval_runs_input_tokens_check CHECK ((input_tokens >= 0)),
    CONSTRAINT eval_runs_output_tokens_check CHECK ((output_tokens >= 0)),
    CONSTRAINT eval_runs_p50_ms_check CHECK ((p50_ms >= 0)),
    CONSTRAINT eval_runs_p95_ms_check CHECK ((p95_ms >= 0)),
    CONSTRAINT eval_runs_questions_sha256_check CHECK ((questions_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT eval_runs_times_check CHECK ((times > 0))
);

ALTER TABLE ONLY public.eval_runs FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.eval_runs IS 'One row per run of golden questions against a chatbot.';

COMMENT ON COLUMN public.eval_runs.version IS 'Null: the words in use, which no version was made of yet.';

COMMENT ON COLUMN public.eval_runs.passed_every_time IS 'pass^k: cases that passed all of `times` tries.';

COMMENT ON COLUMN public.eval_runs.failed IS 'Questions that did not pass every time, each with why.';

CREATE TABLE public.feedback (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    body text NOT NULL,
    given_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feedback_body_check CHECK (((length(body) >= 1) AND (length(body) <= 4000)))
);

ALTER TABLE ONLY public.feedback FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.feedback IS 'One row per feedback that a contact gave by command.';

CREATE TABLE public.handoffs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    reason text NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    note text,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    opened_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT handoffs_note_check CHECK (((length(note) >= 1) AND (length(note) <= 4000))),
    CONSTRAINT handoffs_reason_check CHECK ((reason ~ '^[a-z_]{3,40}$'::text)),
    CONSTRAINT handoffs_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'open'::text, 'ended'::text])))
);

ALTER TABLE ONLY public.handoffs FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.handoffs IS 'One row per turn after which a teammate is in charge.';

COMMENT ON COLUMN public.handoffs.reason IS 'asked_by_contact, low_confidence, out_of_rounds, unkept_promise, needs_approval, effect_unknown ...';

COMMENT ON COLUMN public.handoffs.state IS 'asked (the turn''s reply is still to be sent) -> open (the chatbot is silent) -> ended (the mode is bot again).';

COMMENT ON COLUMN public.handoffs.note IS 'What the teammate did, for the chatbot to know.';

ALTER TABLE public.inbound_messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inbound_messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.ingestion_chunks (
    organization_id uuid NOT NULL,
    ingestion_id uuid NOT NULL,
    "position" integer NOT NULL,
    heading_path text[] NOT NULL,
    page integer,
    content text NOT NULL,
    question text,
    embedding public.vector,
    CONSTRAINT ingestion_chunks_page_check CHECK ((page > 0)),
    CONSTRAINT ingestion_chunks_position_check CHECK (("position" >= 0))
);

ALTER TABLE ONLY public.ingestion_chunks FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.ingestion_chunks IS 'One row per chunk of a version that is being built, until it is searched.';

CREATE TABLE public.ingestion_sections (
    organization_id uuid NOT NULL,
    ingestion_id uuid NOT NULL,
    "position" integer NOT NULL,
    heading_path text[] NOT NULL,
    page integer,
    content text NOT NULL,
    question text,
    CONSTRAINT ingestion_sections_page_check CHECK ((page > 0)),
    CONSTRAINT ingestion_sections_position_check CHECK (("position" >= 0))
);

ALTER TABLE ONLY public.ingestion_sections FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.ingestion_sections IS 'One row per section that was read from an original, until it is split.';

CREATE TABLE public.installation_pulse (
    is_only boolean DEFAULT true NOT NULL,
    last_beat_at timestamp with time zone NOT NULL,
    up_since timestamp with time zone NOT NULL,
    sweeping_until timestamp with time zone,
    CONSTRAINT installation_pulse_is_only_check CHECK (is_only)
);

COMMENT ON TABLE public.installation_pulse IS 'One row per installation: since when schedules run without a gap, so webhooks can be received.';

CREATE TABLE public.messages (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    turn_id uuid,
    author text NOT NULL,
    "position" integer NOT NULL,
    body text NOT NULL,
    provider_message_id text,
    written_at timestamp with time zone NOT NULL,
    CONSTRAINT messages_author_check CHECK ((author = ANY (ARRAY['contact'::text, 'chatbot'::text, 'teammate'::text])))
);

ALTER TABLE ONLY public.messages FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.messages IS 'One row per line of a conversation as people see it.';

COMMENT ON COLUMN public.messages.turn_id IS 'Null for what a teammate wrote past us, from the business''s own app.';

ALTER TABLE public.messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.model_breakers (
    organization_id uuid NOT NULL,
    provider_key text NOT NULL,
    failures integer NOT NULL,
    open_until timestamp with time zone,
    CONSTRAINT model_breakers_failures_check CHECK ((failures > 0)),
    CONSTRAINT model_breakers_provider_key_check CHECK ((length(provider_key) = 16))
);

ALTER TABLE ONLY public.model_breakers FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.model_breakers IS 'One row per organization, address and key of a model''s vendor that failed the last time it was asked.';

COMMENT ON COLUMN public.model_breakers.provider_key IS 'A hash of the address and the key.';

COMMENT ON COLUMN public.model_breakers.open_until IS 'Until then nobody asks; after it one asks, and the others wait for what becomes of that.';

CREATE TABLE public.model_slots (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    chatbot_id uuid NOT NULL,
    purpose text DEFAULT 'usual'::text NOT NULL,
    tier integer DEFAULT 0 NOT NULL,
    weight integer DEFAULT 1 NOT NULL,
    kind text NOT NULL,
    model text NOT NULL,
    base_url text,
    sealed_key text,
    sees_pictures boolean,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT model_slots_base_url_check CHECK (((base_url ~ '^https?://'::text) AND (length(base_url) <= 500))),
    CONSTRAINT model_slots_kind_check CHECK ((kind ~ '^[a-z_]{2,30}$'::text)),
    CONSTRAINT model_slots_model_check CHECK (((length(model) >= 1) AND (length(model) <= 200))),
    CONSTRAINT model_slots_purpose_check CHECK ((purpose = ANY (ARRAY['usual'::text, 'economy'::text, 'transcription'::text]))),
    CONSTRAINT model_slots_tier_check CHECK (((tier >= 0) AND (tier <= 9))),
    CONSTRAINT model_slots_weight_check CHECK (((weight >= 1) AND (weight <= 100)))
);

ALTER TABLE ONLY public.model_slots FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.model_slots IS 'One row per model that may answer for a chatbot; without any, the installation''s own does.';

COMMENT ON COLUMN public.model_slots.purpose IS 'economy: from 95 % of the plan on; transcription: hears voice messages.';

COMMENT ON COLUMN public.model_slots.tier IS 'A turn begins in the lowest tier, at a slot drawn by weight, and goes on to the others and then to the next tier when one fails.';

COMMENT ON COLUMN public.model_slots.base_url IS 'Null: the vendor''s own.';

COMMENT ON COLUMN public.model_slots.sealed_key IS 'The vendor''s key, AES-256-GCM, bound to this row''s id (f/shared/crypto.py).';

COMMENT ON COLUMN public.model_slots.sees_pictures IS 'Null: told by the model''s name.';

CREATE TABLE public.organizations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    plan_id text NOT NULL,
    name text NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT organizations_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT organizations_time_zone_check CHECK ((('2000-01-01 00:00:00+00'::timestamp with time zone AT TIME ZONE time_zone) IS NOT NULL))
);

ALTER TABLE ONLY public.organizations FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.organizations IS 'One row per customer of this installation.';

COMMENT ON COLUMN public.organizations.time_zone IS 'IANA name; months, days and hours are counted in it.';

COMMENT ON COLUMN public.organizations.is_active IS 'The operator''s own off-switch; nothing else changes it.';

CREATE TABLE public.outgoing_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT outgoing_events_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT outgoing_events_kind_check CHECK ((kind = ANY (ARRAY['message.created'::text, 'conversation.handed_off'::text, 'conversation.released'::text]))),
    CONSTRAINT outgoing_events_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.outgoing_events FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.outgoing_events IS 'One row per event and endpoint, written in the transaction in which it happened.';

COMMENT ON COLUMN public.outgoing_events.state IS 'waiting -> sent (the endpoint took it) | failed (eight attempts, or the endpoint was switched off).';

CREATE TABLE public.plans (
    id text NOT NULL,
    name text NOT NULL,
    message_limit bigint NOT NULL,
    token_limit bigint NOT NULL,
    cost_limit_microcents bigint,
    source_limit integer,
    source_bytes_limit bigint,
    chunk_limit integer,
    CONSTRAINT plans_chunk_limit_check CHECK ((chunk_limit >= 0)),
    CONSTRAINT plans_cost_limit_microcents_check CHECK ((cost_limit_microcents >= 0)),
    CONSTRAINT plans_message_limit_check CHECK ((message_limit >= 0)),
    CONSTRAINT plans_source_bytes_limit_check CHECK ((source_bytes_limit >= 0)),
    CONSTRAINT plans_source_limit_check CHECK ((source_limit >= 0)),
    CONSTRAINT plans_token_limit_check CHECK ((token_limit >= 0))
);

COMMENT ON TABLE public.plans IS 'One row per plan: what an organization on it may use in a month.';

COMMENT ON COLUMN public.plans.message_limit IS 'Answered turns in a usage period.';

COMMENT ON COLUMN public.plans.token_limit IS 'Tokens of all model calls in a usage period.';

COMMENT ON COLUMN public.plans.cost_limit_microcents IS 'Cost of all model calls in a usage period; null: no limit.';

COMMENT ON COLUMN public.plans.source_limit IS 'Files, pages and sitemaps; null: no limit.';

COMMENT ON COLUMN public.plans.source_bytes_limit IS 'Of all originals together; null: no limit.';

COMMENT ON COLUMN public.plans.chunk_limit IS 'Of all searched and coming documents; null: no limit.';

CREATE TABLE public.prices (
    model text NOT NULL,
    valid_from date NOT NULL,
    input_microcents_per_token bigint NOT NULL,
    output_microcents_per_token bigint NOT NULL,
    CONSTRAINT prices_input_microcents_per_token_check CHECK (((input_microcents_per_token >= 0) AND (input_microcents_per_token <= 1000000000))),
    CONSTRAINT prices_output_microcents_per_token_check CHECK (((output_microcents_per_token >= 0) AND (output_microcents_per_token <= 1000000000)))
);

COMMENT ON TABLE public.prices IS 'One row per model and day from which its price holds. 1 cent = 1,000,000 microcents.';

CREATE TABLE public.question_groups (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    chatbot_id uuid NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    decided_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT question_groups_say_when CHECK (((state = 'open'::text) = (decided_at IS NULL))),
    CONSTRAINT question_groups_state_check CHECK ((state = ANY (ARRAY['open'::text, 'answered'::text, 'dismissed'::text])))
);

ALTER TABLE ONLY public.question_groups FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.question_groups IS 'One row per thing that contacts ask and no document answers.';

COMMENT ON COLUMN public.question_groups.state IS 'open -> answered (a source says it now; open again when it is asked in vain later) | dismissed (no document is to answer it).';

CREATE TABLE public.rate_buckets (
    channel_id uuid NOT NULL,
    subject text NOT NULL,
    organization_id uuid NOT NULL,
    tokens numeric NOT NULL,
    refilled_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_buckets_subject_check CHECK ((length(subject) <= 600))
);

ALTER TABLE ONLY public.rate_buckets FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.rate_buckets IS 'One row per rate that a vendor holds us to: of the account, of a contact, of a group.';

COMMENT ON COLUMN public.rate_buckets.subject IS 'account, or the address that is written to.';

CREATE TABLE public.robots (
    organization_id uuid NOT NULL,
    origin text NOT NULL,
    content text NOT NULL,
    read_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT robots_origin_check CHECK (((length(origin) >= 1) AND (length(origin) <= 300)))
);

ALTER TABLE ONLY public.robots FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.robots IS 'One row per site that pages were fetched from: its robots.txt (RFC 9309).';

COMMENT ON COLUMN public.robots.content IS 'Empty when the site has none.';

CREATE TABLE public.sign_ins (
    state_sha256 text NOT NULL,
    organization_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    turn_id uuid NOT NULL,
    tool_server_id uuid NOT NULL,
    terms jsonb NOT NULL,
    sealed_verifier text NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    sealed_tokens text,
    code_sha256 text,
    confirmed_turn_id uuid,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '00:15:00'::interval) NOT NULL,
    CONSTRAINT sign_ins_code_sha256_check CHECK ((code_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT sign_ins_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'returned'::text, 'signed_in'::text, 'confirmed'::text]))),
    CONSTRAINT sign_ins_state_sha256_check CHECK ((state_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT sign_ins_terms_check CHECK ((jsonb_typeof(terms) = 'object'::text))
);

ALTER TABLE ONLY public.sign_ins FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.sign_ins IS 'One row per link with which a contact was asked to sign in at an MCP server.';

COMMENT ON COLUMN public.sign_ins.turn_id IS 'The turn that asked; its question is answered after it.';

COMMENT ON COLUMN public.sign_ins.terms IS 'What the servers told of themselves when the link was made; nothing of it is asked again before the code is spent.';

COMMENT ON COLUMN public.sign_ins.state IS 'asked -> returned (the browser came back; whoever comes second is refused) -> signed_in (tokens are there) -> confirmed (the contact wrote the code).';

COMMENT ON COLUMN public.sign_ins.sealed_tokens IS 'Until the contact confirms; then they are contact_tokens.';

CREATE TABLE public.sources (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    media_type text,
    original bytea,
    size_bytes integer,
    sha256 text,
    state text DEFAULT 'waiting'::text NOT NULL,
    refusal_code text,
    refusal text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    kind text DEFAULT 'file'::text NOT NULL,
    url text,
    found_by uuid,
    etag text DEFAULT ''::text NOT NULL,
    last_modified text DEFAULT ''::text NOT NULL,
    is_reviewed boolean DEFAULT false NOT NULL,
    sync_hours integer,
    synced_at timestamp with time zone,
    due_at timestamp with time zone,
    is_taken boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    chunk_count integer DEFAULT 0 NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT sources_are_files_or_have_an_address CHECK (((kind = 'file'::text) = (url IS NULL))),
    CONSTRAINT sources_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT sources_chunk_count_check CHECK ((chunk_count >= 0)),
    CONSTRAINT sources_etag_check CHECK ((length(etag) <= 1000)),
    CONSTRAINT sources_kind_check CHECK ((kind = ANY (ARRAY['file'::text, 'page'::text, 'sitemap'::text]))),
    CONSTRAINT sources_last_modified_check CHECK ((length(last_modified) <= 100)),
    CONSTRAINT sources_name_check CHECK (((length(name) >= 1) AND (length(name) <= 300))),
    CONSTRAINT sources_say_why_they_were_refused CHECK (((state = 'refused'::text) = ((refusal_code IS NOT NULL) AND (refusal IS NOT NULL)))),
    CONSTRAINT sources_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT sources_size_bytes_check CHECK ((size_bytes >= 0)),
    CONSTRAINT sources_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'ready'::text, 'refused'::text]))),
    CONSTRAINT sources_sync_hours_check CHECK (((sync_hours >= 1) AND (sync_hours <= 8760))),
    CONSTRAINT sources_tags_check CHECK (((tags)::text = lower((tags)::text))),
    CONSTRAINT sources_url_check CHECK (((length(url) >= 1) AND (length(url) <= 2048)))
);

ALTER TABLE ONLY public.sources FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.sources IS 'One row per file, page or sitemap an organization gave us; pages of a sitemap too.';

COMMENT ON COLUMN public.sources.original IS 'As it was given, or as it was last fetched.';

COMMENT ON COLUMN public.sources.state IS 'waiting -> ready (its document is searchable) | refused (with a code and a sentence for the uploader).';

COMMENT ON COLUMN public.sources.refusal_code IS 'From the table in docs/error_codes.md.';

COMMENT ON COLUMN public.sources.found_by IS 'The sitemap that lists this page; null when a person gave it.';

COMMENT ON COLUMN public.sources.etag IS 'What the server called the version we have, for asking whether it changed.';

COMMENT ON COLUMN public.sources.last_modified IS 'The server''s own words, for the same purpose.';

COMMENT ON COLUMN public.sources.is_reviewed IS 'Its new versions are held until a person has seen what they change.';

COMMENT ON COLUMN public.sources.sync_hours IS 'How often a page or sitemap is looked at again; null: when asked.';

COMMENT ON COLUMN public.sources.synced_at IS 'When its content was last known to be what we have.';

COMMENT ON COLUMN public.sources.due_at IS 'When to start reading; while it is read, when somebody else may; null: nothing is to do.';

COMMENT ON COLUMN public.sources.is_taken IS 'Somebody reads it, unless due_at has passed.';

COMMENT ON COLUMN public.sources.attempts IS 'Starts since it last came any further.';

COMMENT ON COLUMN public.sources.chunk_count IS 'Of the version that is searched.';

COMMENT ON COLUMN public.sources.tags IS 'What it is for, in small letters: chatbots may be held to sources of some tags.';

CREATE TABLE public.template_sends (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    outbound_message_id uuid NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    provider_message_id text,
    error_code text,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT template_sends_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'sending'::text, 'sent'::text, 'failed'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.template_sends FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.template_sends IS 'One row per turn whose reply was held, on a channel with a template: it asks the contact to write again, once a turn.';

COMMENT ON COLUMN public.template_sends.outbound_message_id IS 'The reply that was held; its id goes to the vendor as our reference.';

COMMENT ON COLUMN public.template_sends.state IS 'ready -> sending (committed before the call) -> sent | failed (refused; alerted) | unknown (nobody can say; alerted); sending -> ready (surely not accepted). Ends are never tried again.';

CREATE TABLE public.ticket_key (
    is_only boolean DEFAULT true NOT NULL,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    CONSTRAINT ticket_key_inner_pad_check CHECK ((length(inner_pad) = 64)),
    CONSTRAINT ticket_key_is_only_check CHECK (is_only),
    CONSTRAINT ticket_key_outer_pad_check CHECK ((length(outer_pad) = 64))
);

COMMENT ON TABLE public.ticket_key IS 'One row per installation: the key of tickets, as the two padded blocks of HMAC-SHA256 (RFC 2104). No runtime role can read it.';

CREATE TABLE public.tool_calls (
    turn_id uuid NOT NULL,
    "position" integer NOT NULL,
    organization_id uuid NOT NULL,
    tool text NOT NULL,
    arguments jsonb NOT NULL,
    result jsonb NOT NULL,
    duration_ms integer NOT NULL,
    CONSTRAINT tool_calls_duration_ms_check CHECK ((duration_ms >= 0)),
    CONSTRAINT tool_calls_position_check CHECK (("position" >= 0))
);

ALTER TABLE ONLY public.tool_calls FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tool_calls IS 'One row per tool call of the attempt that answered the turn.';

CREATE TABLE public.tool_clients (
    tool_server_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    sealed_secret text,
    known_since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tool_clients_client_id_check CHECK (((length(client_id) >= 1) AND (length(client_id) <= 500))),
    CONSTRAINT tool_clients_issuer_check CHECK ((length(issuer) <= 500))
);

ALTER TABLE ONLY public.tool_clients FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tool_clients IS 'One row per MCP server whose authorization server knows us: entered by hand, or registered when the first contact is asked to sign in.';

COMMENT ON COLUMN public.tool_clients.issuer IS 'A server that names another authorization server than this one is refused until a person has looked at it.';

COMMENT ON COLUMN public.tool_clients.sealed_secret IS 'AES-256-GCM, bound to the server''s id; null: the client has none.';

CREATE TABLE public.tool_confirmations (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    tool_id uuid NOT NULL,
    needs text NOT NULL,
    arguments jsonb NOT NULL,
    arguments_sha256 text NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    confirmed_by text,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone,
    used_turn_id uuid,
    used_position integer,
    CONSTRAINT tool_confirmations_arguments_sha256_check CHECK ((arguments_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT tool_confirmations_confirmed_by_check CHECK (((length(confirmed_by) >= 1) AND (length(confirmed_by) <= 100))),
    CONSTRAINT tool_confirmations_needs_check CHECK ((needs = ANY (ARRAY['contact'::text, 'teammate'::text]))),
    CONSTRAINT tool_confirmations_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'confirmed'::text, 'used'::text])))
);

ALTER TABLE ONLY public.tool_confirmations FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tool_confirmations IS 'One row per turn that asked whether a tool may be called with exactly these arguments.';

COMMENT ON COLUMN public.tool_confirmations.state IS 'asked -> confirmed (a teammate) -> used; asked -> used (the contact''s next message was a yes).';

CREATE TABLE public.tool_effects (
    turn_id uuid NOT NULL,
    "position" integer NOT NULL,
    organization_id uuid NOT NULL,
    tool text NOT NULL,
    class text NOT NULL,
    arguments_sha256 text NOT NULL,
    state text DEFAULT 'begun'::text NOT NULL,
    result jsonb,
    begun_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT tool_effects_arguments_sha256_check CHECK ((arguments_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT tool_effects_class_check CHECK ((class = ANY (ARRAY['own'::text, 'write'::text, 'money'::text]))),
    CONSTRAINT tool_effects_position_check CHECK (("position" >= 0)),
    CONSTRAINT tool_effects_state_check CHECK ((state = ANY (ARRAY['begun'::text, 'done'::text, 'refused'::text, 'needs_sign_in'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.tool_effects FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tool_effects IS 'One row per call of a tool that changes something, written before it is called: turn and position are the key that the tool is given.';

COMMENT ON COLUMN public.tool_effects.class IS 'own: rows of ours; write, money: of a system outside.';

COMMENT ON COLUMN public.tool_effects.state IS 'begun -> done | refused (nothing was changed) | needs_sign_in (nor was it here, the server took the contact''s token no more; made only where this turn is taken up again and they may call by then) | unknown (its worker or its answer was lost: a person looks).';

CREATE TABLE public.tool_servers (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    sealed_token text,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    callback_url text,
    CONSTRAINT tool_servers_callback_url_check CHECK (((callback_url ~ '^https://'::text) AND (length(callback_url) <= 500))),
    CONSTRAINT tool_servers_name_check CHECK ((name ~ '^[a-z][a-z0-9]{0,19}$'::text)),
    CONSTRAINT tool_servers_url_check CHECK (((url ~ '^https?://'::text) AND (length(url) <= 2000)))
);

ALTER TABLE ONLY public.tool_servers FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tool_servers IS 'One row per MCP server of an organization, over streamable HTTP.';

COMMENT ON COLUMN public.tool_servers.name IS 'Goes before the names of its tools, so that two servers may have one of the same name.';

COMMENT ON COLUMN public.tool_servers.sealed_token IS 'Bearer token, AES-256-GCM, bound to this row''s id; sent to this address alone.';

COMMENT ON COLUMN public.tool_servers.callback_url IS 'Where contacts come back to after they signed in: its tools are called for the contact who asks. Null: for the organization, with its token.';

CREATE TABLE public.tools (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    chatbot_id uuid NOT NULL,
    tool_server_id uuid,
    kind text NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    target text NOT NULL,
    pinned_hash text,
    definition jsonb NOT NULL,
    definition_sha256 text NOT NULL,
    class text NOT NULL,
    bindings jsonb DEFAULT '{}'::jsonb NOT NULL,
    honours_key boolean DEFAULT false NOT NULL,
    state text DEFAULT 'approved'::text NOT NULL,
    approved_by text NOT NULL,
    approved_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tools_approved_by_check CHECK (((length(approved_by) >= 1) AND (length(approved_by) <= 100))),
    CONSTRAINT tools_bindings_check CHECK ((jsonb_typeof(bindings) = 'object'::text)),
    CONSTRAINT tools_class_check CHECK ((class = ANY (ARRAY['read'::text, 'write'::text, 'money'::text]))),
    CONSTRAINT tools_definition_check CHECK ((jsonb_typeof(definition) = 'object'::text)),
    CONSTRAINT tools_definition_sha256_check CHECK ((definition_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT tools_kind_check CHECK ((kind ~ '^[a-z]{2,20}$'::text)),
    CONSTRAINT tools_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{1,60}$'::text)),
    CONSTRAINT tools_pinned_hash_check CHECK (((length(pinned_hash) >= 8) AND (length(pinned_hash) <= 100))),
    CONSTRAINT tools_state_check CHECK ((state = ANY (ARRAY['approved'::text, 'changed'::text, 'off'::text]))),
    CONSTRAINT tools_target_check CHECK (((length(target) >= 1) AND (length(target) <= 300))),
    CONSTRAINT tools_title_check CHECK (((length(title) >= 1) AND (length(title) <= 100)))
);

ALTER TABLE ONLY public.tools FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tools IS 'One row per tool that a person approved for a chatbot.';

COMMENT ON COLUMN public.tools.title IS 'What a contact reads when asked for a yes.';

COMMENT ON COLUMN public.tools.target IS 'Path of a script, or the tool''s name on its server.';

COMMENT ON COLUMN public.tools.pinned_hash IS 'Version of the script that was approved.';

COMMENT ON COLUMN public.tools.definition IS 'What was approved: name, description, inputSchema, outputSchema, annotations.';

COMMENT ON COLUMN public.tools.class IS 'read: changes nothing; write: needs the contact''s fresh yes; money: needs a teammate''s.';

COMMENT ON COLUMN public.tools.bindings IS 'Arguments that we fill in and no model sees: {"customer": "contact_key"}.';

COMMENT ON COLUMN public.tools.honours_key IS 'Called twice with one key, it does its work once.';

COMMENT ON COLUMN public.tools.state IS 'approved -> changed (its server tells another definition than was approved) -> approved again; off: by hand.';

CREATE TABLE public.turn_citations (
    turn_id uuid NOT NULL,
    number integer NOT NULL,
    organization_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    title text NOT NULL,
    heading_path text NOT NULL,
    score double precision,
    how text NOT NULL,
    CONSTRAINT turn_citations_how_check CHECK ((how = ANY (ARRAY['number'::text, 'words'::text]))),
    CONSTRAINT turn_citations_number_check CHECK ((number > 0))
);

ALTER TABLE ONLY public.turn_citations FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.turn_citations IS 'One row per passage that a reply rests on.';

COMMENT ON COLUMN public.turn_citations.number IS 'Its place among the passages that were found in the turn.';

COMMENT ON COLUMN public.turn_citations.chunk_id IS 'The chunk as it was then; a newer version of its source may have replaced it.';

COMMENT ON COLUMN public.turn_citations.how IS 'number: the model named it; words: the reply says a sentence of it.';

CREATE TABLE public.turn_prompts (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    version text NOT NULL,
    sha256 text NOT NULL,
    sealed_prompt text NOT NULL,
    written_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT turn_prompts_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT turn_prompts_version_check CHECK (((length(version) >= 1) AND (length(version) <= 100)))
);

ALTER TABLE ONLY public.turn_prompts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.turn_prompts IS 'One row per turn that a model answered: everything that it was given at first.';

COMMENT ON COLUMN public.turn_prompts.version IS 'Of our own rules in it: changes with their words.';

COMMENT ON COLUMN public.turn_prompts.sha256 IS 'Of the prompt before it was sealed.';

COMMENT ON COLUMN public.turn_prompts.sealed_prompt IS 'JSON of messages and tools, AES-256-GCM, bound to the turn (f/shared/crypto.py).';

CREATE TABLE public.unanswered_questions (
    turn_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    chatbot_id uuid NOT NULL,
    group_id uuid,
    embedding_model text,
    embedding public.vector,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT unanswered_questions_are_grouped_by_a_vector CHECK (((group_id IS NULL) OR ((embedding_model IS NOT NULL) AND (embedding IS NOT NULL))))
);

ALTER TABLE ONLY public.unanswered_questions FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.unanswered_questions IS 'One row per turn whose question the documents did not answer; its words are those of the turn''s messages, and go with them.';

COMMENT ON COLUMN public.unanswered_questions.embedding IS 'Of the question, of unit length: as personal as its words.';

CREATE TABLE public.usage_warnings (
    organization_id uuid NOT NULL,
    starts_on date NOT NULL,
    meter text NOT NULL,
    level text NOT NULL,
    raised_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT usage_warnings_level_check CHECK ((level = ANY (ARRAY['near_limit'::text, 'spent'::text, 'price_unknown'::text]))),
    CONSTRAINT usage_warnings_meter_check CHECK ((meter = ANY (ARRAY['messages'::text, 'tokens'::text, 'cost'::text, 'plan'::text])))
);

ALTER TABLE ONLY public.usage_warnings FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.usage_warnings IS 'One row per organization, period, meter and level that was alerted. Alerts may be raised again once posted; this row is why these are not.';

CREATE TABLE public.web_lines (
    conversation_id uuid NOT NULL,
    number bigint NOT NULL,
    organization_id uuid NOT NULL,
    inbound_message_id bigint,
    outbound_message_id uuid,
    message_id bigint,
    CONSTRAINT web_lines_number_check CHECK ((number > 0))
);

ALTER TABLE ONLY public.web_lines FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.web_lines IS 'One row per line that a page shows, in the order in which lines became final: the words are the message''s that it names.';

COMMENT ON COLUMN public.web_lines.number IS 'Counted in the conversation, committed in this order: a page that asks for what came after one misses nothing.';

COMMENT ON COLUMN public.web_lines.message_id IS 'What a teammate wrote.';

CREATE TABLE public.web_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    token_hash text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '7 days'::interval) NOT NULL,
    CONSTRAINT web_sessions_token_hash_check CHECK ((token_hash ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE ONLY public.web_sessions FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.web_sessions IS 'One row per time that a page was let in: who shows its token speaks for its contact.';

COMMENT ON COLUMN public.web_sessions.token_hash IS 'SHA-256 of the token, in hexadecimal; only the page has the token.';

COMMENT ON COLUMN public.web_sessions.expires_at IS 'Being active does not put it off.';

CREATE TABLE public.web_uploads (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    file_name text NOT NULL,
    media_type text NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT web_uploads_content_check CHECK (((length(content) >= 1) AND (length(content) <= 10485760))),
    CONSTRAINT web_uploads_file_name_check CHECK (((length(file_name) >= 1) AND (length(file_name) <= 200))),
    CONSTRAINT web_uploads_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE ONLY public.web_uploads FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.web_uploads IS 'One row per file that a visitor sent; its id is the provider_media_id of a message.';

COMMENT ON COLUMN public.web_uploads.media_type IS 'Told by the bytes, not by the visitor.';

CREATE TABLE public.webhook_deliveries (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    body text NOT NULL,
    reference uuid,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    accepted_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    attempted_at timestamp with time zone,
    outcome jsonb
);

ALTER TABLE ONLY public.webhook_deliveries FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.webhook_deliveries IS 'One row per webhook with a valid signature, as received; forgotten a week after it was accepted.';

COMMENT ON COLUMN public.webhook_deliveries.reference IS 'Our id of an outbound message, from the address that its status was posted to.';

COMMENT ON COLUMN public.webhook_deliveries.attempts IS 'How often the sweep tried to accept it; after five an alert asks for a person.';

COMMENT ON COLUMN public.webhook_deliveries.outcome IS 'Counts of what it held: new, duplicate, receipt, refused, group_chatter, and ignored with its reasons.';

CREATE TABLE public.words (
    organization_id uuid NOT NULL,
    word text NOT NULL,
    chunk_count integer NOT NULL,
    chunk_ids uuid[],
    CONSTRAINT words_chunk_count_check CHECK ((chunk_count >= 0))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.words FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.words IS 'One row per form of a word in an organization''s active documents: how much it tells, and where it stands.';

COMMENT ON COLUMN public.words.chunk_ids IS 'The chunks that hold it while they are few (at most rare_word_chunks()), else null.';

ALTER TABLE ONLY public.alert_outlet
    ADD CONSTRAINT alert_outlet_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_once_per_fingerprint UNIQUE NULLS NOT DISTINCT (organization_id, fingerprint);

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.answer_drafts
    ADD CONSTRAINT answer_drafts_are_made_once UNIQUE (turn_id);

ALTER TABLE ONLY public.answer_drafts
    ADD CONSTRAINT answer_drafts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_pkey PRIMARY KEY (conversation_id, inbound_message_id);

ALTER TABLE ONLY public.cached_answers
    ADD CONSTRAINT cached_answers_pkey PRIMARY KEY (chatbot_id, fingerprint);

ALTER TABLE ONLY public.cells
    ADD CONSTRAINT cells_pkey PRIMARY KEY (organization_id, chunk_set_id, number);

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_are_connected_once UNIQUE (kind, account_id);

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_have_their_own_url UNIQUE (url_key);

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.chatbot_days
    ADD CONSTRAINT chatbot_days_pkey PRIMARY KEY (chatbot_id, day);

ALTER TABLE ONLY public.chatbot_versions
    ADD CONSTRAINT chatbot_versions_pkey PRIMARY KEY (chatbot_id, version);

ALTER TABLE ONLY public.chatbots
    ADD CONSTRAINT chatbots_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.chatbots
    ADD CONSTRAINT chatbots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.chunk_sets
    ADD CONSTRAINT chunk_sets_pkey PRIMARY KEY (organization_id, id);

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_in_document_once UNIQUE (document_id, "position");

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contact_days
    ADD CONSTRAINT contact_days_pkey PRIMARY KEY (contact_id, day);

ALTER TABLE ONLY public.contact_facts
    ADD CONSTRAINT contact_facts_pkey PRIMARY KEY (contact_id, name);

ALTER TABLE ONLY public.contact_tokens
    ADD CONSTRAINT contact_tokens_pkey PRIMARY KEY (contact_id, tool_server_id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_are_known_once UNIQUE (channel_id, contact_key);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_in_organization UNIQUE (id, organization_id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversation_summaries
    ADD CONSTRAINT conversation_summaries_pkey PRIMARY KEY (conversation_id);

ALTER TABLE ONLY public.conversation_work
    ADD CONSTRAINT conversation_work_pkey PRIMARY KEY (conversation_id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_are_one_per_contact UNIQUE (channel_id, contact_id, group_key);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_in_organization UNIQUE (id, organization_id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.delivery_receipts
    ADD CONSTRAINT delivery_receipts_pkey PRIMARY KEY (channel_id, provider_message_id, status, participant);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_have_one_row_per_version UNIQUE (source_id, version);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.embeddings
    ADD CONSTRAINT embeddings_pkey PRIMARY KEY (organization_id, chunk_id, chunk_set_id);

ALTER TABLE ONLY public.eval_runs
    ADD CONSTRAINT eval_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.feedback
    ADD CONSTRAINT feedback_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.handoffs
    ADD CONSTRAINT handoffs_are_asked_once UNIQUE (turn_id);

ALTER TABLE ONLY public.handoffs
    ADD CONSTRAINT handoffs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_are_stored_once UNIQUE (channel_id, provider_message_id);

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ingestion_chunks
    ADD CONSTRAINT ingestion_chunks_pkey PRIMARY KEY (organization_id, ingestion_id, "position");

ALTER TABLE ONLY public.ingestion_sections
    ADD CONSTRAINT ingestion_sections_pkey PRIMARY KEY (organization_id, ingestion_id, "position");

ALTER TABLE ONLY public.ingestions
    ADD CONSTRAINT ingestions_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.ingestions
    ADD CONSTRAINT ingestions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.installation_pulse
    ADD CONSTRAINT installation_pulse_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_are_remembered_once UNIQUE (turn_id, author, "position");

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_of_teammates_are_told_once UNIQUE (conversation_id, provider_message_id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.model_breakers
    ADD CONSTRAINT model_breakers_pkey PRIMARY KEY (organization_id, provider_key);

ALTER TABLE ONLY public.model_calls
    ADD CONSTRAINT model_calls_are_booked_once UNIQUE (turn_id, call_id);

ALTER TABLE ONLY public.model_calls
    ADD CONSTRAINT model_calls_pkey PRIMARY KEY (turn_id, draft, "position");

ALTER TABLE ONLY public.model_slots
    ADD CONSTRAINT model_slots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outbound_messages
    ADD CONSTRAINT outbound_messages_are_written_once UNIQUE (turn_id, "position");

ALTER TABLE ONLY public.outbound_messages
    ADD CONSTRAINT outbound_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outgoing_events
    ADD CONSTRAINT outgoing_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (model, valid_from);

ALTER TABLE ONLY public.question_groups
    ADD CONSTRAINT question_groups_in_organization UNIQUE (id, organization_id);

ALTER TABLE ONLY public.question_groups
    ADD CONSTRAINT question_groups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rate_buckets
    ADD CONSTRAINT rate_buckets_pkey PRIMARY KEY (channel_id, subject);

ALTER TABLE ONLY public.robots
    ADD CONSTRAINT robots_pkey PRIMARY KEY (organization_id, origin);

ALTER TABLE ONLY public.sign_ins
    ADD CONSTRAINT sign_ins_pkey PRIMARY KEY (state_sha256);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_are_given_once UNIQUE (organization_id, name, sha256);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.template_sends
    ADD CONSTRAINT template_sends_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.ticket_key
    ADD CONSTRAINT ticket_key_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY public.tool_calls
    ADD CONSTRAINT tool_calls_pkey PRIMARY KEY (turn_id, "position");

ALTER TABLE ONLY public.tool_clients
    ADD CONSTRAINT tool_clients_pkey PRIMARY KEY (tool_server_id);

ALTER TABLE ONLY public.tool_confirmations
    ADD CONSTRAINT tool_confirmations_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.tool_effects
    ADD CONSTRAINT tool_effects_pkey PRIMARY KEY (turn_id, "position");

ALTER TABLE ONLY public.tool_servers
    ADD CONSTRAINT tool_servers_are_named_once UNIQUE (organization_id, name);

ALTER TABLE ONLY public.tool_servers
    ADD CONSTRAINT tool_servers_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.tool_servers
    ADD CONSTRAINT tool_servers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_are_named_once UNIQUE (chatbot_id, name);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_in_organization UNIQUE (organization_id, id);

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.turn_citations
    ADD CONSTRAINT turn_citations_pkey PRIMARY KEY (turn_id, number);

ALTER TABLE ONLY public.turn_prompts
    ADD CONSTRAINT turn_prompts_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_in_conversation UNIQUE (conversation_id, organization_id, id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_in_organization UNIQUE (id, organization_id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT unanswered_questions_in_organization UNIQUE (turn_id, organization_id);

ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT unanswered_questions_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.usage_events
    ADD CONSTRAINT usage_events_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.usage_holds
    ADD CONSTRAINT usage_holds_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.usage_periods
    ADD CONSTRAINT usage_periods_pkey PRIMARY KEY (organization_id, starts_on);

ALTER TABLE ONLY public.usage_warnings
    ADD CONSTRAINT usage_warnings_pkey PRIMARY KEY (organization_id, starts_on, meter, level);

ALTER TABLE ONLY public.web_lines
    ADD CONSTRAINT web_lines_pkey PRIMARY KEY (conversation_id, number);

ALTER TABLE ONLY public.web_sessions
    ADD CONSTRAINT web_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.web_uploads
    ADD CONSTRAINT web_uploads_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_in_organization UNIQUE (id, organization_id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.words
    ADD CONSTRAINT words_pkey PRIMARY KEY (organization_id, word);

CREATE INDEX alerts_due_at_idx ON public.alerts USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX answer_drafts_group_id_idx ON public.answer_drafts USING btree (group_id, organization_id);

CREATE UNIQUE INDEX answer_drafts_one_waiting ON public.answer_drafts USING btree (group_id) WHERE (state = 'waiting'::text);

CREATE INDEX answer_drafts_source_id_idx ON public.answer_drafts USING btree (source_id, organization_id);

CREATE INDEX answer_drafts_turn_id_idx ON public.answer_drafts USING btree (turn_id, organization_id);

CREATE INDEX attachments_conversation_id_idx ON public.attachments USING btree (conversation_id, organization_id, created_at);

CREATE INDEX attachments_created_at_idx ON public.attachments USING btree (created_at);

CREATE INDEX attachments_inbound_message_id_idx ON public.attachments USING btree (inbound_message_id, organization_id);

CREATE INDEX cached_answers_chatbot_id_idx ON public.cached_answers USING btree (chatbot_id, organization_id);

CREATE INDEX cached_answers_written_at_idx ON public.cached_answers USING btree (written_at);

CREATE INDEX channels_chatbot_id_idx ON public.channels USING btree (organization_id, chatbot_id);

CREATE INDEX chatbot_days_chatbot_id_idx ON public.chatbot_days USING btree (organization_id, chatbot_id);

CREATE INDEX chatbot_versions_chatbot_id_idx ON public.chatbot_versions USING btree (chatbot_id, organization_id);

CREATE UNIQUE INDEX chatbot_versions_one_published ON public.chatbot_versions USING btree (chatbot_id) WHERE (state = 'published'::text);

CREATE UNIQUE INDEX chunk_sets_one_building ON public.chunk_sets USING btree (organization_id) WHERE (state = 'building'::text);

CREATE UNIQUE INDEX chunk_sets_one_searched ON public.chunk_sets USING btree (organization_id) WHERE (state = 'searched'::text);

CREATE INDEX chunks_document_id_idx ON public.chunks USING btree (organization_id, document_id);

CREATE INDEX contact_days_contact_id_idx ON public.contact_days USING btree (contact_id, organization_id);

CREATE INDEX contact_facts_contact_id_idx ON public.contact_facts USING btree (contact_id, organization_id);

CREATE INDEX contact_facts_turn_id_idx ON public.contact_facts USING btree (turn_id, organization_id);

CREATE INDEX contact_tokens_contact_id_idx ON public.contact_tokens USING btree (contact_id, organization_id);

CREATE INDEX contact_tokens_tool_server_id_idx ON public.contact_tokens USING btree (tool_server_id, organization_id);

CREATE INDEX contacts_address_idx ON public.contacts USING btree (channel_id, address);

CREATE INDEX contacts_channel_id_idx ON public.contacts USING btree (channel_id, organization_id);

CREATE INDEX conversation_summaries_conversation_id_idx ON public.conversation_summaries USING btree (conversation_id, organization_id);

CREATE INDEX conversation_work_due_idx ON public.conversation_work USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX conversation_work_organization_id_idx ON public.conversation_work USING btree (conversation_id, organization_id);

CREATE INDEX conversations_channel_id_idx ON public.conversations USING btree (channel_id, organization_id);

CREATE INDEX conversations_contact_id_idx ON public.conversations USING btree (contact_id, organization_id);

CREATE INDEX conversations_silent_until_idx ON public.conversations USING btree (silent_until) WHERE (silent_until IS NOT NULL);

CREATE INDEX delivery_receipts_channel_id_idx ON public.delivery_receipts USING btree (channel_id, organization_id);

CREATE INDEX delivery_receipts_of_unreached ON public.delivery_receipts USING btree (received_at) WHERE ((participant <> ''::text) AND (status = ANY (ARRAY['failed'::text, 'undelivered'::text])));

CREATE UNIQUE INDEX documents_one_active_version ON public.documents USING btree (source_id) WHERE is_active;

CREATE UNIQUE INDEX documents_one_held_version ON public.documents USING btree (source_id) WHERE is_held;

CREATE INDEX documents_source_id_idx ON public.documents USING btree (organization_id, source_id);

CREATE INDEX embeddings_codes_idx ON public.embeddings USING btree (organization_id, chunk_set_id, cell) INCLUDE (chunk_id, document_id, is_searched, code);

CREATE INDEX eval_runs_chatbot_id_idx ON public.eval_runs USING btree (chatbot_id, organization_id);

CREATE INDEX feedback_conversation_id_idx ON public.feedback USING btree (conversation_id, organization_id);

CREATE INDEX feedback_turn_id_idx ON public.feedback USING btree (turn_id, organization_id);

CREATE INDEX handoffs_conversation_id_idx ON public.handoffs USING btree (conversation_id, organization_id, turn_id);

CREATE INDEX inbound_messages_channel_id_idx ON public.inbound_messages USING btree (channel_id, organization_id);

CREATE INDEX inbound_messages_conversation_id_idx ON public.inbound_messages USING btree (conversation_id, organization_id);

CREATE INDEX inbound_messages_received_at_idx ON public.inbound_messages USING btree (channel_id, received_at);

CREATE INDEX inbound_messages_turn_id_idx ON public.inbound_messages USING btree (turn_id, organization_id);

CREATE INDEX inbound_messages_waiting ON public.inbound_messages USING btree (conversation_id) WHERE (state = 'waiting'::text);

CREATE INDEX ingestion_chunks_not_embedded_idx ON public.ingestion_chunks USING btree (organization_id, ingestion_id, "position") WHERE (embedding IS NULL);

CREATE INDEX ingestions_document_id_idx ON public.ingestions USING btree (organization_id, document_id);

CREATE UNIQUE INDEX ingestions_one_open ON public.ingestions USING btree (source_id) WHERE (state <> 'ended'::text);

CREATE INDEX ingestions_source_id_idx ON public.ingestions USING btree (organization_id, source_id);

CREATE INDEX messages_conversation_id_idx ON public.messages USING btree (conversation_id, organization_id, id);

CREATE INDEX messages_turn_id_idx ON public.messages USING btree (turn_id, organization_id);

CREATE INDEX model_calls_turn_id_idx ON public.model_calls USING btree (turn_id, organization_id);

CREATE INDEX model_slots_chatbot_id_idx ON public.model_slots USING btree (organization_id, chatbot_id);

CREATE INDEX organizations_plan_id_idx ON public.organizations USING btree (plan_id);

CREATE INDEX outbound_messages_conversation_id_idx ON public.outbound_messages USING btree (conversation_id, organization_id);

CREATE INDEX outbound_messages_provider_id_idx ON public.outbound_messages USING btree (provider_message_id);

CREATE INDEX outbound_messages_turn_id_idx ON public.outbound_messages USING btree (turn_id, organization_id);

CREATE INDEX outgoing_events_conversation_id_idx ON public.outgoing_events USING btree (conversation_id, organization_id);

CREATE INDEX outgoing_events_due_at_idx ON public.outgoing_events USING btree (due_at) WHERE (state = 'waiting'::text);

CREATE INDEX outgoing_events_endpoint_id_idx ON public.outgoing_events USING btree (endpoint_id, organization_id);

CREATE INDEX question_groups_chatbot_id_idx ON public.question_groups USING btree (chatbot_id, organization_id);

CREATE INDEX rate_buckets_channel_id_idx ON public.rate_buckets USING btree (channel_id, organization_id);

CREATE INDEX sign_ins_contact_id_idx ON public.sign_ins USING btree (contact_id, organization_id);

CREATE INDEX sign_ins_expires_at_idx ON public.sign_ins USING btree (expires_at);

CREATE INDEX sign_ins_tool_server_id_idx ON public.sign_ins USING btree (tool_server_id, organization_id);

CREATE INDEX sign_ins_turn_id_idx ON public.sign_ins USING btree (turn_id, organization_id);

CREATE INDEX sources_due_at_idx ON public.sources USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX sources_found_by_idx ON public.sources USING btree (organization_id, found_by);

CREATE UNIQUE INDEX sources_one_per_url ON public.sources USING btree (organization_id, url);

CREATE INDEX template_sends_conversation_id_idx ON public.template_sends USING btree (conversation_id, organization_id);

CREATE INDEX template_sends_outbound_message_id_idx ON public.template_sends USING btree (outbound_message_id);

CREATE INDEX template_sends_turn_id_idx ON public.template_sends USING btree (turn_id, organization_id);

CREATE INDEX tool_calls_turn_id_idx ON public.tool_calls USING btree (turn_id, organization_id);

CREATE INDEX tool_clients_tool_server_id_idx ON public.tool_clients USING btree (tool_server_id, organization_id);

CREATE INDEX tool_confirmations_conversation_id_idx ON public.tool_confirmations USING btree (conversation_id, organization_id, turn_id);

CREATE INDEX tool_confirmations_tool_id_idx ON public.tool_confirmations USING btree (tool_id, organization_id);

CREATE INDEX tool_effects_turn_id_idx ON public.tool_effects USING btree (turn_id, organization_id);

CREATE INDEX tools_chatbot_id_idx ON public.tools USING btree (organization_id, chatbot_id);

CREATE INDEX tools_tool_server_id_idx ON public.tools USING btree (organization_id, tool_server_id);

CREATE INDEX turn_citations_chunk_id_idx ON public.turn_citations USING btree (chunk_id, organization_id);

CREATE INDEX turn_citations_turn_id_idx ON public.turn_citations USING btree (turn_id, organization_id);

CREATE INDEX turn_prompts_turn_id_idx ON public.turn_prompts USING btree (turn_id, organization_id);

CREATE INDEX turns_conversation_id_idx ON public.turns USING btree (conversation_id, organization_id);

CREATE UNIQUE INDEX turns_one_open_per_conversation ON public.turns USING btree (conversation_id) WHERE (state = ANY (ARRAY['thinking'::text, 'answered'::text]));

CREATE INDEX unanswered_questions_chatbot_id_idx ON public.unanswered_questions USING btree (chatbot_id, organization_id);

CREATE INDEX unanswered_questions_group_id_idx ON public.unanswered_questions USING btree (group_id, organization_id);

CREATE INDEX unanswered_questions_not_grouped_idx ON public.unanswered_questions USING btree (asked_at) WHERE (group_id IS NULL);

CREATE INDEX usage_events_period_idx ON public.usage_events USING btree (organization_id, period_starts_on);

CREATE INDEX usage_holds_expires_at_idx ON public.usage_holds USING btree (expires_at);

CREATE INDEX usage_holds_period_idx ON public.usage_holds USING btree (organization_id, period_starts_on);

CREATE INDEX usage_periods_not_reported ON public.usage_periods USING btree (starts_on) WHERE (reported_at IS NULL);

CREATE INDEX web_lines_conversation_id_idx ON public.web_lines USING btree (conversation_id, organization_id);

CREATE INDEX web_sessions_channel_id_idx ON public.web_sessions USING btree (channel_id, organization_id);

CREATE INDEX web_sessions_conversation_id_idx ON public.web_sessions USING btree (conversation_id, organization_id);

CREATE INDEX web_uploads_conversation_id_idx ON public.web_uploads USING btree (conversation_id, organization_id);

CREATE INDEX web_uploads_created_at_idx ON public.web_uploads USING btree (created_at);

CREATE INDEX webhook_deliveries_accepted_at_idx ON public.webhook_deliveries USING btree (accepted_at);

CREATE INDEX webhook_deliveries_channel_id_idx ON public.webhook_deliveries USING btree (channel_id, organization_id);

CREATE INDEX webhook_deliveries_not_accepted ON public.webhook_deliveries USING btree (received_at) WHERE (accepted_at IS NULL);

CREATE INDEX webhook_endpoints_organization_id_idx ON public.webhook_endpoints USING btree (organization_id);

CREATE TRIGGER _100_catch_up BEFORE UPDATE OF state ON public.outbound_messages FOR EACH ROW WHEN (((new.state = 'sent'::text) AND (old.state = ANY (ARRAY['sending'::text, 'unknown'::text])))) EXECUTE FUNCTION public.tg_outbound_messages__catch_up();

COMMENT ON TRIGGER _100_catch_up ON public.outbound_messages IS 'States move forward only.';

CREATE TRIGGER _200_find_cell BEFORE INSERT ON public.embeddings FOR EACH ROW EXECUTE FUNCTION public.tg_embeddings__find_cell();

COMMENT ON TRIGGER _200_find_cell ON public.embeddings IS 'Whoever inserts needs to know nothing of cells.';

CREATE TRIGGER _400_keep_limits BEFORE INSERT OR UPDATE OF size_bytes ON public.sources FOR EACH ROW EXECUTE FUNCTION public.tg_sources__keep_limits();

COMMENT ON TRIGGER _400_keep_limits ON public.sources IS 'The wall behind whoever adds sources.';

CREATE TRIGGER _400_refuse_overshoot BEFORE UPDATE ON public.usage_periods FOR EACH ROW WHEN (((((new.messages_used + new.messages_reserved) > new.message_limit) AND ((new.messages_used + new.messages_reserved) > (old.messages_used + old.messages_reserved))) OR (((new.tokens_used + new.tokens_reserved) > new.token_limit) AND ((new.tokens_used + new.tokens_reserved) > (old.tokens_used + old.tokens_reserved))) OR (((new.cost_microcents + new.cost_reserved_microcents) > new.cost_limit_microcents) AND ((new.cost_microcents + new.cost_reserved_microcents) > (old.cost_microcents + old.cost_reserved_microcents))) OR (new.messages_used < old.messages_used) OR (new.tokens_used < old.tokens_used) OR (new.tokens_overrun < old.tokens_overrun) OR (new.cost_microcents < old.cost_microcents) OR (new.cost_overrun_microcents < old.cost_overrun_microcents))) EXECUTE FUNCTION public.tg_usage_periods__refuse_overshoot();

COMMENT ON TRIGGER _400_refuse_overshoot ON public.usage_periods IS 'Whoever writes the row, use never grows past a limit and what was used never shrinks.';

CREATE TRIGGER _500_end_handoff AFTER UPDATE OF mode ON public.conversations FOR EACH ROW WHEN (((new.mode = 'bot'::text) AND (old.mode <> 'bot'::text))) EXECUTE FUNCTION public.tg_conversations__end_handoff();

COMMENT ON TRIGGER _500_end_handoff ON public.conversations IS 'A handoff lasts as long as the mode.';

CREATE TRIGGER _500_forget_attachment AFTER UPDATE OF state ON public.inbound_messages FOR EACH ROW WHEN (((new.state = 'revoked'::text) AND (old.state <> 'revoked'::text))) EXECUTE FUNCTION public.tg_inbound_messages__forget_attachment();

COMMENT ON TRIGGER _500_forget_attachment ON public.inbound_messages IS 'What was taken back is nowhere any more.';

CREATE TRIGGER _500_forget_words BEFORE DELETE ON public.documents FOR EACH ROW WHEN (old.is_active) EXECUTE FUNCTION public.tg_documents__index_words();

COMMENT ON TRIGGER _500_forget_words ON public.documents IS 'With the document go the counts of its words.';

CREATE TRIGGER _500_index_words AFTER UPDATE OF is_active ON public.documents FOR EACH ROW WHEN ((old.is_active <> new.is_active)) EXECUTE FUNCTION public.tg_documents__index_words();

COMMENT ON TRIGGER _500_index_words ON public.documents IS 'In the same statement that shows or hides a version.';

CREATE TRIGGER _500_make_due BEFORE INSERT OR UPDATE OF state ON public.sources FOR EACH ROW WHEN ((new.state = 'waiting'::text)) EXECUTE FUNCTION public.tg_sources__make_due();

COMMENT ON TRIGGER _500_make_due ON public.sources IS 'A new or replaced file is read soon.';

CREATE TRIGGER _500_note_unanswered AFTER UPDATE OF receipt ON public.turns FOR EACH ROW WHEN ((new.receipt @> '{"is_unanswered": true}'::jsonb)) EXECUTE FUNCTION public.tg_turns__note_unanswered();

COMMENT ON TRIGGER _500_note_unanswered ON public.turns IS 'In the transaction that commits the reply: no such question is lost, none is counted twice.';

CREATE TRIGGER _500_raise_alert AFTER INSERT ON public.handoffs FOR EACH ROW EXECUTE FUNCTION public.tg_handoffs__raise_alert();

COMMENT ON TRIGGER _500_raise_alert ON public.handoffs IS 'No handoff goes unseen.';

CREATE TRIGGER _500_raise_alert AFTER UPDATE OF state ON public.outbound_messages FOR EACH ROW WHEN (((old.state <> new.state) AND ((new.state = 'unknown'::text) OR ((new.state = 'failed'::text) AND (COALESCE(new.error_code, ''::text) <> ALL (ARRAY['teammate_took_over'::text, 'turn_buried'::text, 'contact_gone'::text, 'contact_opted_out'::text, 'reply_ended'::text])))))) EXECUTE FUNCTION public.tg_outbound_messages__raise_alert();

COMMENT ON TRIGGER _500_raise_alert ON public.outbound_messages IS 'One occurrence per message and end; what we chose not to send is none.';

CREATE TRIGGER _500_raise_alert AFTER UPDATE OF state ON public.template_sends FOR EACH ROW WHEN (((new.state = ANY (ARRAY['failed'::text, 'unknown'::text])) AND (old.state <> new.state) AND (COALESCE(new.error_code, ''::text) <> ALL (ARRAY['contact_gone'::text, 'not_wanted'::text])))) EXECUTE FUNCTION public.tg_template_sends__raise_alert();

COMMENT ON TRIGGER _500_raise_alert ON public.template_sends IS 'One occurrence per template and end.';

CREATE TRIGGER _500_raise_alert AFTER INSERT ON public.tool_confirmations FOR EACH ROW WHEN ((new.needs = 'teammate'::text)) EXECUTE FUNCTION public.tg_tool_confirmations__raise_alert();

COMMENT ON TRIGGER _500_raise_alert ON public.tool_confirmations IS 'No approval goes unseen.';

CREATE TRIGGER _500_raise_alert AFTER UPDATE OF state ON public.turns FOR EACH ROW WHEN ((((new.state = 'buried'::text) AND (old.state <> 'buried'::text)) OR ((new.outcome = 'failure_notice'::text) AND (old.outcome IS NULL)))) EXECUTE FUNCTION public.tg_turns__raise_alert();

COMMENT ON TRIGGER _500_raise_alert ON public.turns IS 'One occurrence per buried turn.';

CREATE TRIGGER _500_raise_alert AFTER UPDATE OF attempts ON public.webhook_deliveries FOR EACH ROW WHEN (((new.attempts = 5) AND (old.attempts < 5) AND (new.accepted_at IS NULL))) EXECUTE FUNCTION public.tg_webhook_deliveries__raise_alert();

COMMENT ON TRIGGER _500_raise_alert ON public.webhook_deliveries IS 'One occurrence per delivery.';

CREATE TRIGGER _500_raise_alerts AFTER UPDATE ON public.usage_periods FOR EACH ROW WHEN ((((new.messages_percent >= 80) AND (new.messages_percent > old.messages_percent)) OR ((new.tokens_percent >= 80) AND (new.tokens_percent > old.tokens_percent)) OR ((new.cost_percent >= 80) AND (new.cost_percent > old.cost_percent)))) EXECUTE FUNCTION public.tg_usage_periods__raise_alerts();

COMMENT ON TRIGGER _500_raise_alerts ON public.usage_periods IS 'Runs once for each percent from 80 on, so that it costs the turns in between nothing.';

CREATE TRIGGER _500_refuse_template AFTER INSERT ON public.delivery_receipts FOR EACH ROW WHEN (((new.error_code IS NOT NULL) AND (new.client_reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text))) EXECUTE FUNCTION public.tg_delivery_receipts__refuse_template();

COMMENT ON TRIGGER _500_refuse_template ON public.delivery_receipts IS 'Refusals alone are looked at.';

CREATE TRIGGER _500_release_usage BEFORE DELETE ON public.turns FOR EACH ROW EXECUTE FUNCTION public.tg_turns__release_usage();

COMMENT ON TRIGGER _500_release_usage ON public.turns IS 'No message of the month is lost with an erased conversation.';

CREATE TRIGGER _500_set_period_limits AFTER UPDATE OF plan_id ON public.organizations FOR EACH ROW EXECUTE FUNCTION public.tg_organizations__set_period_limits();

COMMENT ON TRIGGER _500_set_period_limits ON public.organizations IS 'What was used in the month stays used.';

CREATE TRIGGER _500_set_period_limits AFTER UPDATE OF message_limit, token_limit, cost_limit_microcents ON public.plans FOR EACH ROW EXECUTE FUNCTION public.tg_plans__set_period_limits();

COMMENT ON TRIGGER _500_set_period_limits ON public.plans IS 'Nobody has to wait for the next month, or to run anything.';

CREATE TRIGGER _500_tag_documents AFTER UPDATE OF tags ON public.sources FOR EACH ROW WHEN ((new.tags <> old.tags)) EXECUTE FUNCTION public.tg_sources__tag_documents();

COMMENT ON TRIGGER _500_tag_documents ON public.sources IS 'After the source is locked, which whoever builds a version of it holds meanwhile.';

CREATE TRIGGER _600_alert_held AFTER UPDATE OF is_held ON public.documents FOR EACH ROW WHEN ((new.is_held AND (NOT old.is_held))) EXECUTE FUNCTION public.tg_documents__alert_held();

COMMENT ON TRIGGER _600_alert_held ON public.documents IS 'A version that nobody looks at would wait for ever.';

CREATE TRIGGER _600_end_reply AFTER UPDATE OF state ON public.outbound_messages FOR EACH ROW WHEN (((new.state = ANY (ARRAY['failed'::text, 'held'::text])) AND (old.state <> new.state))) EXECUTE FUNCTION public.tg_outbound_messages__end_reply();

COMMENT ON TRIGGER _600_end_reply ON public.outbound_messages IS 'A reply ends with the piece that was refused.';

CREATE TRIGGER _600_open_handoff AFTER UPDATE OF state ON public.turns FOR EACH ROW WHEN (((new.state = ANY (ARRAY['finished'::text, 'buried'::text, 'held'::text])) AND (old.state <> new.state))) EXECUTE FUNCTION public.tg_turns__open_handoff();

COMMENT ON TRIGGER _600_open_handoff ON public.turns IS 'However the turn ends, a person was promised.';

CREATE TRIGGER _650_give_up_template AFTER UPDATE OF state ON public.turns FOR EACH ROW WHEN (((new.state = 'buried'::text) AND (old.state <> 'buried'::text))) EXECUTE FUNCTION public.tg_turns__give_up_template();

COMMENT ON TRIGGER _650_give_up_template ON public.turns IS 'No template is left without an end.';

CREATE TRIGGER _700_publish AFTER UPDATE OF mode ON public.conversations FOR EACH ROW WHEN (((old.mode <> new.mode) AND (('human'::text = old.mode) OR ('human'::text = new.mode)))) EXECUTE FUNCTION public.tg_conversations__publish();

COMMENT ON TRIGGER _700_publish ON public.conversations IS 'When a teammate takes over, and when they give it back.';

CREATE TRIGGER _700_publish AFTER INSERT ON public.inbound_messages FOR EACH ROW EXECUTE FUNCTION public.tg_inbound_messages__publish();

COMMENT ON TRIGGER _700_publish ON public.inbound_messages IS 'Once per message: deliveries that come again insert nothing.';

CREATE TRIGGER _700_publish AFTER INSERT ON public.messages FOR EACH ROW WHEN ((new.author = 'teammate'::text)) EXECUTE FUNCTION public.tg_messages__publish();

COMMENT ON TRIGGER _700_publish ON public.messages IS 'Lines of a turn were published when they were received and sent.';

CREATE TRIGGER _700_publish AFTER UPDATE OF state ON public.outbound_messages FOR EACH ROW WHEN (((new.state = ANY (ARRAY['sent'::text, 'delivered'::text, 'read'::text])) AND (old.state <> ALL (ARRAY['sent'::text, 'delivered'::text, 'read'::text])))) EXECUTE FUNCTION public.tg_outbound_messages__publish();

COMMENT ON TRIGGER _700_publish ON public.outbound_messages IS 'When it became certain that it was sent.';

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.answer_drafts
    ADD CONSTRAINT answer_drafts_organization_id_group_id_fkey FOREIGN KEY (organization_id, group_id) REFERENCES public.question_groups(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.answer_drafts
    ADD CONSTRAINT answer_drafts_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES public.sources(organization_id, id) ON DELETE SET NULL (source_id);

ALTER TABLE ONLY public.answer_drafts
    ADD CONSTRAINT answer_drafts_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.unanswered_questions(organization_id, turn_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_organization_id_inbound_message_id_fkey FOREIGN KEY (organization_id, inbound_message_id) REFERENCES public.inbound_messages(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cached_answers
    ADD CONSTRAINT cached_answers_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cells
    ADD CONSTRAINT cells_organization_id_chunk_set_id_fkey FOREIGN KEY (organization_id, chunk_set_id) REFERENCES public.chunk_sets(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chatbot_days
    ADD CONSTRAINT chatbot_days_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chatbot_versions
    ADD CONSTRAINT chatbot_versions_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chatbots
    ADD CONSTRAINT chatbots_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chunk_sets
    ADD CONSTRAINT chunk_sets_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_organization_id_document_id_fkey FOREIGN KEY (organization_id, document_id) REFERENCES public.documents(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_days
    ADD CONSTRAINT contact_days_organization_id_contact_id_fkey FOREIGN KEY (organization_id, contact_id) REFERENCES public.contacts(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_facts
    ADD CONSTRAINT contact_facts_organization_id_contact_id_fkey FOREIGN KEY (organization_id, contact_id) REFERENCES public.contacts(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_facts
    ADD CONSTRAINT contact_facts_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE SET NULL (turn_id);

ALTER TABLE ONLY public.contact_tokens
    ADD CONSTRAINT contact_tokens_organization_id_contact_id_fkey FOREIGN KEY (organization_id, contact_id) REFERENCES public.contacts(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_tokens
    ADD CONSTRAINT contact_tokens_organization_id_tool_server_id_fkey FOREIGN KEY (organization_id, tool_server_id) REFERENCES public.tool_servers(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_organization_id_channel_id_fkey FOREIGN KEY (organization_id, channel_id) REFERENCES public.channels(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversation_summaries
    ADD CONSTRAINT conversation_summaries_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversation_work
    ADD CONSTRAINT conversation_work_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_organization_id_channel_id_fkey FOREIGN KEY (organization_id, channel_id) REFERENCES public.channels(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_organization_id_contact_id_fkey FOREIGN KEY (organization_id, contact_id) REFERENCES public.contacts(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.delivery_receipts
    ADD CONSTRAINT delivery_receipts_organization_id_channel_id_fkey FOREIGN KEY (organization_id, channel_id) REFERENCES public.channels(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES public.sources(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embeddings
    ADD CONSTRAINT embeddings_organization_id_chunk_id_fkey FOREIGN KEY (organization_id, chunk_id) REFERENCES public.chunks(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embeddings
    ADD CONSTRAINT embeddings_organization_id_chunk_set_id_fkey FOREIGN KEY (organization_id, chunk_set_id) REFERENCES public.chunk_sets(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.eval_runs
    ADD CONSTRAINT eval_runs_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.feedback
    ADD CONSTRAINT feedback_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.feedback
    ADD CONSTRAINT feedback_turn_id_organization_id_fkey FOREIGN KEY (turn_id, organization_id) REFERENCES public.turns(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handoffs
    ADD CONSTRAINT handoffs_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handoffs
    ADD CONSTRAINT handoffs_organization_id_conversation_id_turn_id_fkey FOREIGN KEY (organization_id, conversation_id, turn_id) REFERENCES public.turns(organization_id, conversation_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_organization_id_channel_id_fkey FOREIGN KEY (organization_id, channel_id) REFERENCES public.channels(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE SET NULL (turn_id);

ALTER TABLE ONLY public.ingestion_chunks
    ADD CONSTRAINT ingestion_chunks_organization_id_ingestion_id_fkey FOREIGN KEY (organization_id, ingestion_id) REFERENCES public.ingestions(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ingestion_sections
    ADD CONSTRAINT ingestion_sections_organization_id_ingestion_id_fkey FOREIGN KEY (organization_id, ingestion_id) REFERENCES public.ingestions(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ingestions
    ADD CONSTRAINT ingestions_organization_id_document_id_fkey FOREIGN KEY (organization_id, document_id) REFERENCES public.documents(organization_id, id) ON DELETE SET NULL (document_id);

ALTER TABLE ONLY public.ingestions
    ADD CONSTRAINT ingestions_organization_id_source_id_fkey FOREIGN KEY (organization_id, source_id) REFERENCES public.sources(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_breakers
    ADD CONSTRAINT model_breakers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_calls
    ADD CONSTRAINT model_calls_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_slots
    ADD CONSTRAINT model_slots_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES public.plans(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.outbound_messages
    ADD CONSTRAINT outbound_messages_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outbound_messages
    ADD CONSTRAINT outbound_messages_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outgoing_events
    ADD CONSTRAINT outgoing_events_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outgoing_events
    ADD CONSTRAINT outgoing_events_endpoint_id_organization_id_fkey FOREIGN KEY (endpoint_id, organization_id) REFERENCES public.webhook_endpoints(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.question_groups
    ADD CONSTRAINT question_groups_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rate_buckets
    ADD CONSTRAINT rate_buckets_channel_id_organization_id_fkey FOREIGN KEY (channel_id, organization_id) REFERENCES public.channels(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.robots
    ADD CONSTRAINT robots_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_ins
    ADD CONSTRAINT sign_ins_organization_id_contact_id_fkey FOREIGN KEY (organization_id, contact_id) REFERENCES public.contacts(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_ins
    ADD CONSTRAINT sign_ins_organization_id_tool_server_id_fkey FOREIGN KEY (organization_id, tool_server_id) REFERENCES public.tool_servers(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_ins
    ADD CONSTRAINT sign_ins_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_organization_id_found_by_fkey FOREIGN KEY (organization_id, found_by) REFERENCES public.sources(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.template_sends
    ADD CONSTRAINT template_sends_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.template_sends
    ADD CONSTRAINT template_sends_turn_id_organization_id_fkey FOREIGN KEY (turn_id, organization_id) REFERENCES public.turns(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tool_calls
    ADD CONSTRAINT tool_calls_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tool_clients
    ADD CONSTRAINT tool_clients_organization_id_tool_server_id_fkey FOREIGN KEY (organization_id, tool_server_id) REFERENCES public.tool_servers(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tool_confirmations
    ADD CONSTRAINT tool_confirmations_organization_id_conversation_id_turn_id_fkey FOREIGN KEY (organization_id, conversation_id, turn_id) REFERENCES public.turns(organization_id, conversation_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tool_confirmations
    ADD CONSTRAINT tool_confirmations_organization_id_tool_id_fkey FOREIGN KEY (organization_id, tool_id) REFERENCES public.tools(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tool_effects
    ADD CONSTRAINT tool_effects_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tool_servers
    ADD CONSTRAINT tool_servers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tools
    ADD CONSTRAINT tools_organization_id_tool_server_id_fkey FOREIGN KEY (organization_id, tool_server_id) REFERENCES public.tool_servers(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.turn_citations
    ADD CONSTRAINT turn_citations_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.turn_prompts
    ADD CONSTRAINT turn_prompts_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_organization_id_conversation_id_fkey FOREIGN KEY (organization_id, conversation_id) REFERENCES public.conversations(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT unanswered_questions_organization_id_chatbot_id_fkey FOREIGN KEY (organization_id, chatbot_id) REFERENCES public.chatbots(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT unanswered_questions_organization_id_group_id_fkey FOREIGN KEY (organization_id, group_id) REFERENCES public.question_groups(organization_id, id) ON DELETE SET NULL (group_id);

ALTER TABLE ONLY public.unanswered_questions
    ADD CONSTRAINT unanswered_questions_organization_id_turn_id_fkey FOREIGN KEY (organization_id, turn_id) REFERENCES public.turns(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_events
    ADD CONSTRAINT usage_events_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_events
    ADD CONSTRAINT usage_events_organization_id_period_starts_on_fkey FOREIGN KEY (organization_id, period_starts_on) REFERENCES public.usage_periods(organization_id, starts_on);

ALTER TABLE ONLY public.usage_holds
    ADD CONSTRAINT usage_holds_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_holds
    ADD CONSTRAINT usage_holds_organization_id_period_starts_on_fkey FOREIGN KEY (organization_id, period_starts_on) REFERENCES public.usage_periods(organization_id, starts_on);

ALTER TABLE ONLY public.usage_periods
    ADD CONSTRAINT usage_periods_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_warnings
    ADD CONSTRAINT usage_warnings_organization_id_starts_on_fkey FOREIGN KEY (organization_id, starts_on) REFERENCES public.usage_periods(organization_id, starts_on) ON DELETE CASCADE;

ALTER TABLE ONLY public.web_lines
    ADD CONSTRAINT web_lines_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.web_sessions
    ADD CONSTRAINT web_sessions_channel_id_organization_id_fkey FOREIGN KEY (channel_id, organization_id) REFERENCES public.channels(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.web_sessions
    ADD CONSTRAINT web_sessions_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.web_uploads
    ADD CONSTRAINT web_uploads_conversation_id_organization_id_fkey FOREIGN KEY (conversation_id, organization_id) REFERENCES public.conversations(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_organization_id_channel_id_fkey FOREIGN KEY (organization_id, channel_id) REFERENCES public.channels(organization_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.words
    ADD CONSTRAINT words_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE public.alerts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.answer_drafts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.attachments ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cached_answers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cells ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.channels ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.chatbot_days ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.chatbot_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.chatbots ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.chunk_sets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.chunks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_days ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_facts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversation_summaries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversation_work ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.delivery_receipts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.embeddings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.eval_runs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.feedback ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.handoffs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.inbound_messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ingestion_chunks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ingestion_sections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ingestions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.model_breakers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.model_calls ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.model_slots ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outbound_messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outgoing_events ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_organization ON public.alerts USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.answer_drafts USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.attachments USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.cached_answers USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.cells USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.channels USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.chatbot_days USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.chatbot_versions USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.chatbots USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.chunk_sets USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.chunks USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.contact_days USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.contact_facts USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.contact_tokens USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.contacts USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.conversation_summaries USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.conversation_work USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.conversations USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.delivery_receipts USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.documents USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.embeddings USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.eval_runs USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.feedback USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.handoffs USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.inbound_messages USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.ingestion_chunks USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.ingestion_sections USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.ingestions USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.messages USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.model_breakers USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.model_calls USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.model_slots USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.organizations USING ((id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.outbound_messages USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.outgoing_events USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.question_groups USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.rate_buckets USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.robots USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.sign_ins USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.sources USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.template_sends USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.tool_calls USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.tool_clients USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.tool_confirmations USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.tool_effects USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.tool_servers USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.tools USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.turn_citations USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.turn_prompts USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.turns USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.unanswered_questions USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.usage_events USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.usage_holds USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.usage_periods USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.usage_warnings USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.web_lines USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.web_sessions USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.web_uploads USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.webhook_deliveries USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.webhook_endpoints USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

CREATE POLICY own_organization ON public.words USING ((organization_id = ( SELECT public.proved_organization() AS proved_organization))) WITH CHECK ((organization_id = ( SELECT public.proved_organization() AS proved_organization)));

ALTER TABLE public.question_groups ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rate_buckets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.robots ENABLE ROW LEVEL SECURITY;

CREATE POLICY scheduler ON public.alerts TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.answer_drafts TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.attachments TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.cached_answers TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.cells TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.channels TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.chatbot_days TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.chatbot_versions TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.chatbots TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.chunk_sets TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.chunks TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.contact_days TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.contact_facts TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.contact_tokens TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.contacts TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.conversation_summaries TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.conversation_work TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.conversations TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.delivery_receipts TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.documents TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.embeddings TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.eval_runs TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.feedback TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.handoffs TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.inbound_messages TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.ingestion_chunks TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.ingestion_sections TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.ingestions TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.messages TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.model_breakers TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.model_calls TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.model_slots TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.organizations TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.outbound_messages TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.outgoing_events TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.question_groups TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.rate_buckets TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.robots TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.sign_ins TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.sources TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.template_sends TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.tool_calls TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.tool_clients TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.tool_confirmations TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.tool_effects TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.tool_servers TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.tools TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.turn_citations TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.turn_prompts TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.turns TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.unanswered_questions TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.usage_events TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.usage_holds TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.usage_periods TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.usage_warnings TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.web_lines TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.web_sessions TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.web_uploads TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.webhook_deliveries TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.webhook_endpoints TO chatmill_scheduler USING (true) WITH CHECK (true);

CREATE POLICY scheduler ON public.words TO chatmill_scheduler USING (true) WITH CHECK (true);

ALTER TABLE public.sign_ins ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sources ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.template_sends ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tool_calls ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tool_clients ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tool_confirmations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tool_effects ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tool_servers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tools ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.turn_citations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.turn_prompts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.turns ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.unanswered_questions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_holds ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_periods ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_warnings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.web_lines ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.web_sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.web_uploads ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_endpoints ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.words ENABLE ROW LEVEL SECURITY;
