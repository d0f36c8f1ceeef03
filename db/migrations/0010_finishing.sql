-- Finishing: the reply is committed with the end of thinking; sending, saving and charging are
-- stamped one by one, and the last stamp releases the conversation.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function commit_turn(
  p_turn_id uuid, p_fence bigint, p_replies text[], p_receipt jsonb,
  p_model text, p_model_calls integer, p_input_tokens bigint, p_output_tokens bigint
) returns text as $$
declare
  v_turn turns;
  v_mode text;
begin
  select * into strict v_turn from turns where id = p_turn_id;
  perform require_fence(v_turn.conversation_id, p_fence);
  if v_turn.state <> 'thinking' then
    return v_turn.state;
  end if;
  -- for share: a teammate who takes over at this moment waits, or we see that they did.
  select mode into strict v_mode from conversations where id = v_turn.conversation_id for share;
  if v_mode <> 'bot' then
    perform end_turn(v_turn, 'held');
    perform release_conversation(v_turn.conversation_id, v_turn.arrivals_seen);
    return 'held';
  end if;
  insert into outbound_messages (organization_id, conversation_id, turn_id, position, body)
  select v_turn.organization_id, v_turn.conversation_id, v_turn.id, reply.number - 1, reply.body
    from unnest(p_replies) with ordinality as reply (body, number);
  update inbound_messages set state = 'answered' where turn_id = v_turn.id and state = 'taken';
  update turns
     set state = 'answered', attempts = 1, answered_at = now(), receipt = p_receipt, model = p_model,
         model_calls = p_model_calls, input_tokens = p_input_tokens, output_tokens = p_output_tokens
   where id = v_turn.id;
  return 'answered';
end;
$$ language plpgsql volatile;
comment on function commit_turn is
  'Ends thinking: replies into the outbox if the fence is the newest and no teammate took over. Returns the turn''s state.';

create function claim_outbound_message(p_turn_id uuid, p_fence bigint, p_grace_seconds integer)
returns table (outcome text, id uuid, body text) as $$
#variable_conflict use_column
declare
  v_turn turns;
  v_message outbound_messages;
begin
  select * into strict v_turn from turns where turns.id = p_turn_id;
  perform require_fence(v_turn.conversation_id, p_fence);
  select * into v_message from outbound_messages
   where turn_id = p_turn_id and state in ('ready', 'sending') order by position limit 1;
  if not found then
    return query select 'done', null::uuid, null::text;
  elsif v_message.state = 'ready' and exists (
    -- for share: a takeover waits for this look, or is seen by it.
    select from conversations
     where conversations.id = v_turn.conversation_id and mode <> 'bot' for share
  ) then
    update outbound_messages set state = 'failed', error_code = 'teammate_took_over'
     where turn_id = p_turn_id and state = 'ready';
    return query select 'done', null::uuid, null::text;
  elsif v_message.state = 'ready' then
    update outbound_messages set state = 'sending', sending_at = now(), attempts = attempts + 1
     where outbound_messages.id = v_message.id;
    return query select 'send', v_message.id, v_message.body;
  elsif v_message.sending_at < now() - make_interval(secs => p_grace_seconds) then
    -- No receipt came. Sending again might double it, so we say that we don't know.
    update outbound_messages set state = 'unknown' where outbound_messages.id = v_message.id;
    perform raise_alert(v_message.organization_id, 'error', 'delivery_unknown', v_message.id::text,
      format('nobody can say whether message %s reached the contact', v_message.id));
    return query select 'unknown', v_message.id, null::text;
  else
    return query select 'wait', v_message.id, null::text;
  end if;
end;
$$ language plpgsql volatile;
comment on function claim_outbound_message is
  'The turn''s next message, marked as being sent before it is: send; wait or unknown when an earlier call was cut off; done when none is left.';

create function complete_turn(p_turn_id uuid, p_fence bigint, p_part text) returns numeric as $$
declare
  v_turn turns;
begin
  select * into strict v_turn from turns where id = p_turn_id;
  perform require_fence(v_turn.conversation_id, p_fence);
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
  return release_conversation(v_turn.conversation_id, v_turn.arrivals_seen);
end;
$$ language plpgsql volatile;
comment on function complete_turn is
  'Stamps one part (sent, saved, charged). The last one finishes the turn and releases the conversation; returns seconds until the next flow, or null.';

create function charge_turn(p_turn_id uuid, p_fence bigint) returns bigint as $$
declare
  v_turn turns;
  v_cost_microcents bigint;
begin
  select * into strict v_turn from turns where id = p_turn_id;
  perform require_fence(v_turn.conversation_id, p_fence);
  v_cost_microcents := price_of(v_turn.model, v_turn.input_tokens, v_turn.output_tokens);
  insert into usage_events (
    turn_id, organization_id, period_starts_on, model, model_calls,
    input_tokens, output_tokens, cost_microcents
  ) values (
    v_turn.id, v_turn.organization_id, v_turn.period_starts_on, v_turn.model, v_turn.model_calls,
    v_turn.input_tokens, v_turn.output_tokens, v_cost_microcents
  ) on conflict on constraint usage_events_pkey do nothing;
  if found then
    update usage_periods
       set tokens_reserved = tokens_reserved - v_turn.reserved_tokens,
           tokens_used = tokens_used + v_turn.input_tokens + v_turn.output_tokens,
           cost_microcents = cost_microcents + coalesce(v_cost_microcents, 0)
     where organization_id = v_turn.organization_id and starts_on = v_turn.period_starts_on;
  end if;
  return v_cost_microcents;
end;
$$ language plpgsql volatile;
comment on function charge_turn is 'Settles the turn''s reservation with what it really used, once.';

create function save_turn_messages(p_turn_id uuid) returns void as $$
  insert into messages (organization_id, conversation_id, turn_id, author, position, body, written_at)
  select organization_id, conversation_id, turn_id, 'contact',
         row_number() over (order by sent_at, id), body, sent_at
    from inbound_messages where turn_id = p_turn_id
  union all
  select organization_id, conversation_id, turn_id, 'chatbot', position, body, created_at
    from outbound_messages where turn_id = p_turn_id
  order by 7, 5
  on conflict on constraint messages_are_remembered_once do nothing;
$$ language sql volatile;
comment on function save_turn_messages is 'Writes a turn''s lines into the history, once.';

create function give_back_turn(p_conversation_id uuid, p_fence bigint) returns numeric as $$
  update conversation_work
     set lease_until = null,
         nudged_until = null,
         due_at = now() + make_interval(secs => 5 * 3 ^ coalesce((
           select least(turns.attempts, 5) from turns
            where turns.conversation_id = p_conversation_id
              and turns.state in ('thinking', 'answered')
         ), 1))
   where conversation_id = p_conversation_id
     and fence = p_fence
     and due_at is not null
  returning extract(epoch from due_at - now());
$$ language sql volatile;
comment on function give_back_turn is
  'After a failure: frees the conversation and makes it due again after 15, 45, 135 ... seconds; null for a worker that lost it already.';

create function conversations_left_behind(p_limit integer)
returns table (conversation_id uuid) as $$
  -- The belt: nothing should wait in a conversation that is not due.
  update conversation_work set due_at = now()
   where due_at is null
     and conversation_id in (
       select inbound_messages.conversation_id from inbound_messages
        where state = 'waiting' and received_at < now() - interval '30 seconds'
     );
  update conversation_work
     set nudged_until = now() + interval '30 seconds'
   where conversation_id in (
     select conversation_id from conversation_work
      where due_at < now()
        and (lease_until is null or lease_until < now())
        and (nudged_until is null or nudged_until < now())
      order by due_at limit p_limit
      for update skip locked
   )
  returning conversation_id;
$$ language sql volatile;
comment on function conversations_left_behind is
  'Conversations that are due, held by nobody and expected by nobody: start a flow for each.';
