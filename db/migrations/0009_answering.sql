-- Answering: claim a conversation, gather its messages into one turn, commit the reply, finish.
-- The lease survives a crash by running out; the fence refuses whoever comes back late.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function lease() returns interval as $$
  select interval '90 seconds';
$$ language sql immutable;
comment on function lease is
  'For how long a worker has a conversation after its last write: longer than any step may take (60 s), so that only a lost worker is overtaken.';

create function claim_conversation(p_conversation_id uuid)
returns table (outcome text, fence bigint, arrivals bigint, wait_seconds numeric) as $$
#variable_conflict use_column
begin
  return query
    update conversation_work
       set fence = fence + 1,
           lease_until = now() + lease(),
           nudged_until = null
     where conversation_id = p_conversation_id
       and due_at <= now()
       and (lease_until is null or lease_until < now())
    returning 'claimed', fence, arrivals, 0::numeric;
  if found then
    return;
  end if;
  return query
    select case
             when lease_until >= now() then 'busy'
             when due_at > now() then 'too_early'
             else 'nothing_waiting'
           end,
           fence, arrivals, greatest(0, extract(epoch from due_at - now()))
      from conversation_work where conversation_id = p_conversation_id;
end;
$$ language plpgsql volatile;
comment on function claim_conversation is
  'Takes the conversation for a while: claimed, or why not (busy, too_early, nothing_waiting); no row when it never had work.';

create function release_conversation(p_conversation_id uuid, p_arrivals_seen bigint)
returns numeric as $$
declare
  v_work conversation_work;
begin
  update conversation_work
     set lease_until = null,
         due_at = case when arrivals = p_arrivals_seen then null else now() end
   where conversation_id = p_conversation_id
  returning * into v_work;
  return nudge_conversation(v_work);
end;
$$ language plpgsql volatile;
comment on function release_conversation is
  'Gives the conversation free; returns seconds after which to start a flow when more has arrived, else null.';

create function require_fence(p_conversation_id uuid, p_fence bigint) returns void as $$
begin
  -- A turn that was given back stays so: a branch that is still running may stamp its part, but
  -- must not take the lease again and keep the next try waiting.
  update conversation_work
     set lease_until = case when lease_until is not null then now() + lease() end
   where conversation_id = p_conversation_id and fence = p_fence;
  if not found then
    raise exception 'fence % of conversation % is not the newest', p_fence, p_conversation_id
      using errcode = 'STALE';
  end if;
end;
$$ language plpgsql volatile;
comment on function require_fence is
  'Locks the work row and renews the lease, or refuses a worker that lost the conversation (STALE).';

create function gather_turn(
  p_conversation_id uuid, p_fence bigint, p_arrivals bigint, p_reserve_tokens bigint,
  p_max_attempts integer
) returns table (decision text, reason text, turn_id uuid, wait_seconds numeric) as $$
#variable_conflict use_column
declare
  v_conversation conversations;
  v_turn turns;
begin
  perform require_fence(p_conversation_id, p_fence);
  select * into strict v_conversation from conversations where id = p_conversation_id;
  select * into v_turn from turns
   where conversation_id = p_conversation_id and state in ('thinking', 'answered');

  if v_turn.state = 'answered' and v_turn.attempts < p_max_attempts then
    -- A worker was lost after the reply was committed: only finishing is left.
    update turns set attempts = attempts + 1 where id = v_turn.id;
    return query select 'answer', 'finish_again', v_turn.id, null::numeric;
    return;
  end if;
  if v_turn.attempts >= p_max_attempts then
    perform bury_turn(v_turn, p_fence);
    -- What arrived after its messages were gathered still waits: the older count makes it due.
    return query select 'ignore', 'buried', v_turn.id,
      release_conversation(p_conversation_id, v_turn.arrivals_seen);
    return;
  end if;
  if v_conversation.mode <> 'bot' then
    update inbound_messages set state = 'held'
     where conversation_id = p_conversation_id and state = 'waiting';
    if v_turn.id is not null then
      perform end_turn(v_turn, 'held');
    end if;
    return query select 'hold', v_conversation.mode, v_turn.id,
      release_conversation(p_conversation_id, p_arrivals);
    return;
  end if;

  if v_turn.id is null then
    v_turn := open_turn(v_conversation, p_arrivals, p_reserve_tokens);
  else
    update turns set attempts = attempts + 1, arrivals_seen = p_arrivals where id = v_turn.id;
  end if;
  if v_turn.id is null then
    return query select 'ignore', 'nothing_waiting', null::uuid,
      release_conversation(p_conversation_id, p_arrivals);
    return;
  end if;
  update inbound_messages set state = 'taken', turn_id = v_turn.id
   where conversation_id = p_conversation_id and state = 'waiting';
  if v_turn.state = 'refused' then
    update inbound_messages set state = 'refused' where turn_id = v_turn.id;
    return query select 'refuse', 'usage_spent', v_turn.id,
      release_conversation(p_conversation_id, p_arrivals);
    return;
  end if;
  return query select 'answer', 'messages_waiting', v_turn.id, null::numeric;
end;
$$ language plpgsql volatile;
comment on function gather_turn is
  'Puts everything that waits into one turn and decides: answer, hold (a teammate is in charge), refuse (plan used up) or ignore. Whatever is not answered is released here; wait_seconds is then the time to the next flow, or null.';

create function open_turn(p_conversation conversations, p_arrivals bigint, p_reserve_tokens bigint)
returns turns as $$
declare
  v_period date;
  v_turn turns;
begin
  if not exists (
    select from inbound_messages
    where conversation_id = p_conversation.id and state = 'waiting'
  ) then
    return null;
  end if;
  v_period := reserve_usage(p_conversation.organization_id, p_reserve_tokens);
  if v_period is null then
    perform raise_alert(p_conversation.organization_id, 'error', 'usage_spent',
      'refused:' || current_date, 'a turn was refused: the plan has no room for it this month');
  end if;
  insert into turns (
    organization_id, conversation_id, state, arrivals_seen, period_starts_on, reserved_tokens
  ) values (
    p_conversation.organization_id, p_conversation.id,
    case when v_period is null then 'refused' else 'thinking' end,
    p_arrivals, v_period, case when v_period is null then 0 else p_reserve_tokens end
  ) returning * into v_turn;
  return v_turn;
end;
$$ language plpgsql volatile;
comment on function open_turn is
  'A new turn with its usage reserved; refused when the plan is used up; null when nothing waits.';

create function end_turn(p_turn turns, p_state text) returns void as $$
begin
  update inbound_messages set state = p_state where turn_id = p_turn.id and state = 'taken';
  update outbound_messages
     set state = case state when 'ready' then 'failed' else 'unknown' end,
         error_code = 'turn_buried'
   where turn_id = p_turn.id and state in ('ready', 'sending');
  update turns set state = p_state, reserved_tokens = 0 where id = p_turn.id;
  if p_turn.state = 'thinking' then
    perform release_usage(p_turn.organization_id, p_turn.period_starts_on, p_turn.reserved_tokens);
  end if;
end;
$$ language plpgsql volatile;
comment on function end_turn is 'Ends a turn that nobody was answered by (held or buried) and gives its reservation back.';

create function bury_turn(p_turn turns, p_fence bigint) returns void as $$
begin
  if p_turn.state = 'answered' then
    -- Its reply may have reached the contact, and the model was paid.
    perform save_turn_messages(p_turn.id);
    perform charge_turn(p_turn.id, p_fence);
  end if;
  perform end_turn(p_turn, 'buried');
  perform raise_alert(p_turn.organization_id, 'error', 'turn_buried', p_turn.id::text,
    format('turn %s was given up after %s attempts', p_turn.id, p_turn.attempts));
end;
$$ language plpgsql volatile;
comment on function bury_turn is
  'Gives a turn up after too many attempts, with an alert; what was answered is remembered and charged.';
