-- Answering: claim a conversation, gather its messages into one turn, store what was paid.
-- The lease survives a crash by running out; the fence refuses whoever comes back late.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function lease() returns interval as $$
  select interval '5 seconds';
$$ language sql immutable;
comment on function lease is
  'For how long a worker has a conversation after its last write. A step that works longer renews it (f/chat/lease.py), so that only a lost or frozen worker is overtaken, and soon.';

create function enter_conversation(p_conversation_id uuid, p_fence bigint) returns uuid as $$
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
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function enter_conversation is
  'Locks the work row, renews the lease and opens the transaction to the organization, or refuses a worker that lost the conversation (STALE).';

create function enter_turn(p_turn_id uuid, p_fence bigint) returns turns as $$
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
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function enter_turn is
  'How every write of a turn begins: enter_conversation by the turn''s id. Returns the turn as it is now.';

create function claim_conversation(p_conversation_id uuid)
returns table (outcome text, fence bigint, arrivals bigint, wait_seconds numeric) as $$
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
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function claim_conversation is
  'Takes the conversation for a while: claimed, or why not (busy, too_early, nothing_waiting); no row when it never had work. wait_seconds: when another flow has to come, where none is expected.';

create function release_conversation(p_conversation_id uuid, p_arrivals_seen bigint)
returns numeric as $$
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
$$ language plpgsql volatile;
comment on function release_conversation is
  'Gives the conversation free; returns seconds after which to start a flow when more has arrived, else null.';

create function has_paid_answer(p_turn turns) returns boolean as $$
  select exists (
    select from model_calls
     where turn_id = p_turn.id and draft = p_turn.drafts_dropped and not is_lost
  );
$$ language sql stable;
comment on function has_paid_answer is
  'Whether a model answered something of the turn''s present draft: it is served again when the turn is taken up again, so the model must be told the same.';

create function gather_turn(
  p_conversation_id uuid, p_fence bigint, p_arrivals bigint, p_model text,
  p_reserve_tokens bigint, p_max_attempts integer
) returns table (decision text, reason text, turn_id uuid, wait_seconds numeric) as $$
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
$$ language plpgsql volatile;
comment on function gather_turn is
  'Puts everything that waits into one turn and decides: answer, hold (a teammate is in charge, or nobody may answer), refuse (a limit) or ignore. What is not answered is released here; wait_seconds is then the time to the next flow, or null.';

create function is_instant(p_work conversation_work) returns boolean as $$
  select coalesce(p_work.waiting_since < p_work.last_sent_at + interval '3 seconds', false);
$$ language sql stable;
comment on function is_instant is
  'Whether what waits came faster after our last reply than a person can read it.';

create function reason_to_be_silent(p_conversation_id uuid) returns text as $$
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
$$ language sql stable;
comment on function reason_to_be_silent is
  'Why the chatbot does not answer here: human, muted, switched_off, opted_out, loop_suspected; null when it does.';

create function hold_messages(p_conversation_id uuid, p_turn turns, p_reason text)
returns void as $$
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
$$ language plpgsql volatile;
comment on function hold_messages is 'Keeps what waits, and what an open turn took, for a teammate.';

create function take_messages(p_turn turns, p_arrivals bigint) returns void as $$
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
$$ language plpgsql volatile;
comment on function take_messages is 'Puts everything that waits into the turn.';

create function open_turn(
  p_conversation_id uuid, p_arrivals bigint, p_model text, p_reserve_tokens bigint
) returns table (decision text, reason text, turn_id uuid, wait_seconds numeric) as $$
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
$$ language plpgsql volatile;
comment on function open_turn is
  'A new turn with its usage reserved: answer, or refuse where a limit is reached.';

create function refuse_turn(p_turn turns, p_reason text, p_notice text)
returns table (decision text, reason text, turn_id uuid, wait_seconds numeric) as $$
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
$$ language plpgsql volatile;
comment on function refuse_turn is
  'Ends a turn that a limit forbids, with the day''s one notice where it is still due.';

create function answer_turn(p_turn turns, p_outcome text, p_replies text[]) returns void as $$
begin
  insert into outbound_messages (organization_id, conversation_id, turn_id, position, body)
  select p_turn.organization_id, p_turn.conversation_id, p_turn.id, reply.number - 1, reply.body
    from unnest(p_replies) with ordinality as reply (body, number);
  update turns
     set state = 'answered', outcome = p_outcome, answered_at = now(),
         attempts = 0, attempt_fence = 0
   where id = p_turn.id;
end;
$$ language plpgsql volatile;
comment on function answer_turn is
  'Commits what the contact will read; from here on the turn is only sent, saved and charged.';

create function begin_attempt(p_turn_id uuid, p_fence bigint) returns turns as $$
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
$$ language plpgsql volatile;
comment on function begin_attempt is
  'Counts the attempt where the work begins: a flow that was overtaken while it queued has tried nothing.';

create function add_model_call(p_call model_calls) returns boolean as $$
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
$$ language plpgsql volatile;
comment on function add_model_call is
  'Keeps a paid call behind the others of its draft, once; false when it is kept already.';

create function store_model_call(
  p_turn_id uuid, p_fence bigint, p_draft integer, p_call_id uuid, p_request_sha256 text,
  p_model text, p_input_tokens bigint, p_output_tokens bigint, p_is_estimated boolean,
  p_response jsonb
) returns void as $$
declare
  v_turn turns := enter_turn(p_turn_id, p_fence);
  v_call model_calls;
begin
  select p_turn_id, p_draft, 0, v_turn.organization_id, p_call_id, p_request_sha256, false,
         p_model, p_input_tokens, p_output_tokens, p_is_estimated, p_response, now()
    into v_call;
  perform add_model_call(v_call);
end;
$$ language plpgsql volatile;
comment on function store_model_call is 'Keeps an answer that was just paid for.';

create function end_turn(p_turn turns, p_state text) returns void as $$
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
$$ language plpgsql volatile;
comment on function end_turn is
  'Ends a turn that nobody was answered by (held or buried) and gives its reservation back.';

create function bury_turn(p_turn turns, p_silence text)
returns table (decision text, reason text, turn_id uuid, wait_seconds numeric) as $$
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
$$ language plpgsql volatile;
comment on function bury_turn is
  'Gives a turn up after too many attempts: the contact reads the failure notice; where it was that which could not be sent, nothing more is tried.';
