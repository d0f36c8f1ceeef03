-- Finishing: the reply is committed with the end of thinking; sending, saving and charging are
-- stamped one by one, and the last stamp releases the conversation.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function commit_turn(
  p_turn_id uuid, p_fence bigint, p_replies text[], p_receipt jsonb, p_may_drop boolean
) returns text as $$
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
$$ language plpgsql volatile;
comment on function commit_turn is
  'Ends thinking: replies into the outbox if the fence is the newest, no teammate took over and the contact did not write on. Returns the turn''s state, or draft_dropped: think again, with everything.';

create table installation_pulse (
  is_only boolean primary key default true check (is_only),
  last_beat_at timestamptz not null,
  up_since timestamptz not null,
  sweeping_until timestamptz
);
comment on table installation_pulse is
  'One row per installation: since when schedules run without a gap, so webhooks can be received.';

create function beat() returns void as $$
  insert into installation_pulse (last_beat_at, up_since) values (now(), now())
  on conflict (is_only) do update
    set up_since = case
          when now() - installation_pulse.last_beat_at > interval '20 seconds' then now()
          else installation_pulse.up_since
        end,
        last_beat_at = now();
$$ language sql volatile;
comment on function beat is 'The sweep''s sign of life, every few seconds.';

create function begin_sweep() returns boolean as $$
begin
  perform beat();
  update installation_pulse set sweeping_until = now() + interval '3 seconds'
   where coalesce(sweeping_until, '-infinity') < now();
  return found;
end;
$$ language plpgsql volatile;
comment on function begin_sweep is
  'False while another sweep is at work. One that was lost or frozen holds up the others for less than their interval; Windmill''s no_flow_overlap would for a minute.';

create function end_sweep() returns void as $$
  update installation_pulse set sweeping_until = null;
$$ language sql volatile;
comment on function end_sweep is 'Lets the next sweep begin at once.';

create function grace_left_seconds(p_message outbound_messages) returns numeric as $$
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
$$ language sql stable;
comment on function grace_left_seconds is
  'How long a receipt of a send that was cut off may still take to come; 0: long enough.';

create function claim_outbound_message(p_turn_id uuid, p_fence bigint)
returns table (outcome text, id uuid, body text, wait_seconds numeric, attempt integer,
               start_within_seconds numeric) as $$
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
$$ language plpgsql volatile;
comment on function claim_outbound_message is
  'The turn''s next message, marked as being sent before it is: send; wait (so many seconds for a receipt) or unknown when an earlier call was cut off; done when none is left. A send has to begin within so many seconds of its mark.';

create function may_send_again(p_message outbound_messages) returns boolean as $$
  select p_message.attempts < 2 and channels.after_silence = 'resend_once'
    from conversations join channels on channels.id = conversations.channel_id
   where conversations.id = p_message.conversation_id;
$$ language sql stable;
comment on function may_send_again is
  'Whether a cut-off send that no receipt came for is sent once more: on channels that send receipts.';

create function complete_turn(p_turn_id uuid, p_fence bigint, p_part text) returns numeric as $$
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
$$ language plpgsql volatile;
comment on function complete_turn is
  'Stamps one part (sent, saved, charged). The last one finishes the turn and releases the conversation; returns seconds until the next flow, or null.';

create function charge_turn(p_turn_id uuid, p_fence bigint) returns bigint as $$
begin
  perform enter_turn(p_turn_id, p_fence);
  return settle_usage(p_turn_id);
end;
$$ language plpgsql volatile;
comment on function charge_turn is 'Settles the turn''s reservation with what its model calls really used, once.';

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

create function postpone_turn(p_turn_id uuid, p_fence bigint, p_wait_seconds numeric)
returns numeric as $$
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
$$ language plpgsql volatile;
comment on function postpone_turn is 'Frees the conversation until a receipt had time to come.';

create function limit_thinking(p_turn_id uuid, p_seconds double precision) returns void as $$
  update turns set think_until = coalesce(think_until, now() + make_interval(secs => p_seconds))
   where id = p_turn_id and state = 'thinking';
$$ language sql volatile;
comment on function limit_thinking is
  'The models failed: all attempts of the turn together have so many seconds left. The first one''s word stands.';

create function seconds_before_retry(p_work conversation_work) returns numeric as $$
  select least(2 * 4 ^ least(p_work.failures, 3)::numeric, (
           -- Where the models failed, the last attempt needs five seconds to ask one more.
           select greatest(extract(epoch from think_until - now()) - 5, 2) from turns
            where conversation_id = p_work.conversation_id
              and state = 'thinking' and think_until is not null));
$$ language sql stable;
comment on function seconds_before_retry is
  'After 0, 1, 2, 3 failures 2, 8, 32, 128 seconds; sooner where the time to think would end before.';

create function give_back_turn(p_conversation_id uuid, p_fence bigint) returns numeric as $$
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
$$ language sql volatile security definer set search_path = public, pg_temp;
comment on function give_back_turn is
  'After a failure: frees the conversation and makes it due again after a while; null for a worker that lost it already.';

create function conversations_left_behind(p_limit integer)
returns table (conversation_id uuid, fence bigint) as $$
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
$$ language sql volatile security definer set search_path = public, pg_temp;
comment on function conversations_left_behind is
  'Conversations that are due, held by nobody and expected by nobody: start a flow for each, then expect_flows. A sweep that dies in between has kept nobody waiting.';

create function conversations_in_doubt(p_limit integer)
returns table (conversation_id uuid, wait_seconds numeric) as $$
  select conversation_id, extract(epoch from greatest(lease_until, nudged_until) - now())
    from conversation_work
   where due_at < now()
     and (
       lease_until between now() and now() + lease() / 2
       or (lease_until is null or lease_until < now())
          and nudged_until between now() and now() + interval '3 seconds'
     )
   order by due_at limit p_limit;
$$ language sql stable security definer set search_path = public, pg_temp;
comment on function conversations_in_doubt is
  'Whose lease was not renewed for two beats (f/chat/lease.py), or whose flow is late: probably lost. A flow started for the end of the lease, or of the wait for the other flow, takes over without waiting for another sweep; it is not expected, for it comes too early where the worker lives.';

create function expect_flows(p_conversation_ids uuid[], p_fences bigint[]) returns void as $$
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
$$ language sql volatile security definer set search_path = public, pg_temp;
comment on function expect_flows is
  'Notes that a flow was just started for each of these conversations, where it has not come already.';
