-- How a turn's hold ends: settled when the turn was answered, given back when nobody was, and by
-- the clock when its worker was lost with the turn. And how a month ends: reported, once.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function is_plausible(p_call model_calls) returns boolean as $$
  -- More than any model can read or write in one call.
  select coalesce(p_call.input_tokens between 0 and 10000000
                  and p_call.output_tokens between 0 and 10000000, false);
$$ language sql immutable;
comment on function is_plausible is
  'Whether a call can have used what was told of it. All of a turn that can''t are charged together, as much as was held.';

create function cost_of(
  p_model text, p_input_tokens bigint, p_output_tokens bigint, p_day date,
  p_microcents_per_token bigint
) returns bigint as $$
  select coalesce(price_of(p_model, p_input_tokens, p_output_tokens, p_day),
                  (p_input_tokens + p_output_tokens) * p_microcents_per_token);
$$ language sql stable;
comment on function cost_of is
  'What a turn is charged for a call. A model without a price is charged as the one that was reserved for; null when that has none either.';

create function calls_of(p_hold usage_holds)
returns table (model text, input_tokens bigint, output_tokens bigint, is_estimated boolean, cost bigint) as $$
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
$$ language plpgsql stable;
comment on function calls_of is
  'The turn''s stored model calls, of all drafts and attempts, with what they are charged.';

create function event_of(p_hold usage_holds, p_is_answered boolean) returns usage_events as $$
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
$$ language plpgsql stable;
comment on function event_of is 'The charge of a turn that ends.';

create function charge_period(p_hold usage_holds, p_event usage_events) returns usage_periods as $$
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
$$ language plpgsql volatile;
comment on function charge_period is
  'Turns what was held into what was used; no more than was held, so that no limit is passed, and the rest beside it.';

create function alert_odd_charge(p_event usage_events) returns void as $$
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
$$ language plpgsql volatile;
comment on function alert_odd_charge is 'Tells of a turn that used more than it had reserved, or nobody knows how much.';

create function end_hold(p_turn_id uuid, p_is_answered boolean) returns bigint as $$
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
$$ language plpgsql volatile;
comment on function end_hold is
  'Ends a turn''s hold in the period and on the day that it was taken from, once; returns the cost, null when it is unknown.';

create function require_own_turn(p_turn_id uuid) returns void as $$
begin
  perform require_own(organization_id) from usage_holds where turn_id = p_turn_id
   union all
  select require_own(organization_id) from usage_events where turn_id = p_turn_id;
end;
$$ language plpgsql stable;
comment on function require_own_turn is 'Refuses the hold of another organization''s turn.';

create function settle_usage(p_turn_id uuid) returns bigint as $$
begin
  perform require_own_turn(p_turn_id);
  return end_hold(p_turn_id, true);
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function settle_usage is
  'The turn was answered: charges what its model calls used, once; returns microcents, or null when a price is unknown.';

create function release_usage(p_turn_id uuid) returns void as $$
begin
  perform require_own_turn(p_turn_id);
  perform end_hold(p_turn_id, false);
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function release_usage is
  'Nobody was answered: gives the message back, and of the tokens and the money what was not used, once.';

create function release_expired_holds() returns bigint as $$
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
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function release_expired_holds is
  'Ends holds that outlived their turn, in any organization; a turn that is still open keeps its own.';

create function tg_turns__release_usage() returns trigger as $$
begin
  -- An organization that goes takes its usage with it.
  if exists (select from organizations where id = old.organization_id) then
    perform end_hold(old.id, false);
  end if;
  return old;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function tg_turns__release_usage is
  'A turn that is erased gives its hold back. Before, while its model calls can still be read.';

create trigger _500_release_usage
  before delete on turns for each row execute function tg_turns__release_usage();
comment on trigger _500_release_usage on turns is 'No message of the month is lost with an erased conversation.';

create function open_coming_usage_periods() returns bigint as $$
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
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function open_coming_usage_periods is
  'Prepares the row of a month that begins within a day where the organization is; returns how many.';

create function report_usage(p_period usage_periods, p_time_zone text) returns void as $$
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
$$ language plpgsql volatile;
comment on function report_usage is 'Figures of an ended period, as an alert that is posted like every other.';

create function report_ended_usage_periods() returns bigint as $$
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
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function report_ended_usage_periods is
  'Raises the report of every period that ended and has none; returns how many.';

create function forget_usage_days() returns bigint as $$
declare
  v_forgotten bigint;
begin
  delete from contact_days where day < usage_now() - interval '62 days';
  get diagnostics v_forgotten = row_count;
  return v_forgotten;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function forget_usage_days is
  'Deletes the days of contacts once the month after theirs is over; returns how many. A chatbot''s days are few and stay.';
