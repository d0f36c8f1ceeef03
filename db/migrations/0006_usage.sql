-- What an organization may use and has used. A period is a row, made from the plan when it is
-- first needed: there is no reset that could be missed or done twice. A turn reserves before the
-- model is called and settles after; one guarded update decides, so two turns at once can't pass
-- the limit together: the second waits for the row and re-reads it.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table usage_periods (
  organization_id uuid not null references organizations on delete cascade,
  starts_on date not null,
  message_limit bigint not null check (message_limit >= 0),
  token_limit bigint not null check (token_limit >= 0),
  messages_used bigint not null default 0 check (messages_used >= 0),
  tokens_used bigint not null default 0 check (tokens_used >= 0),
  tokens_reserved bigint not null default 0 check (tokens_reserved >= 0),
  cost_microcents bigint not null default 0 check (cost_microcents >= 0),
  primary key (organization_id, starts_on),
  constraint usage_periods_never_pass_the_limit check (messages_used <= message_limit)
);
comment on table usage_periods is
  'One row per organization and month, counted in the organization''s time zone.';
comment on column usage_periods.tokens_used is
  'As the models reported it: no turn begins without room for its reservation, but one that used more than that is charged what it used.';
comment on column usage_periods.tokens_reserved is 'Held by turns that are still being answered.';

create table prices (
  model text not null,
  valid_from date not null,
  input_microcents_per_token bigint not null check (input_microcents_per_token >= 0),
  output_microcents_per_token bigint not null check (output_microcents_per_token >= 0),
  primary key (model, valid_from)
);
comment on table prices is 'One row per model and day from which its price holds. 1 cent = 1,000,000 microcents.';

create table usage_events (
  turn_id uuid primary key,
  organization_id uuid not null,
  period_starts_on date not null,
  model text not null,
  model_calls integer not null check (model_calls >= 0),
  input_tokens bigint not null check (input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  cost_microcents bigint check (cost_microcents >= 0),
  charged_at timestamptz not null default now(),
  foreign key (organization_id, period_starts_on)
    references usage_periods (organization_id, starts_on) on delete cascade
);
create index usage_events_period_idx on usage_events (organization_id, period_starts_on);
comment on table usage_events is 'One row per charged turn: what its model calls used.';
comment on column usage_events.cost_microcents is 'Null when no price of the model is known.';

create function open_usage_period(p_organization_id uuid) returns date as $$
declare
  v_starts_on date;
begin
  select date_trunc('month', now() at time zone organizations.time_zone)::date
    into strict v_starts_on
    from organizations where id = p_organization_id;
  if not exists (
    select from usage_periods
    where organization_id = p_organization_id and starts_on = v_starts_on
  ) then
    insert into usage_periods (organization_id, starts_on, message_limit, token_limit)
    select organizations.id, v_starts_on, plans.message_limit, plans.token_limit
      from organizations join plans on plans.id = organizations.plan_id
     where organizations.id = p_organization_id
    on conflict on constraint usage_periods_pkey do nothing;
  end if;
  return v_starts_on;
end;
$$ language plpgsql volatile;
comment on function open_usage_period is 'Makes the organization''s row for this month if it is missing; returns its first day.';

create table usage_holds (
  turn_id uuid primary key,
  organization_id uuid not null,
  period_starts_on date not null,
  tokens bigint not null check (tokens >= 0),
  foreign key (organization_id, period_starts_on)
    references usage_periods (organization_id, starts_on) on delete cascade
);
create index usage_holds_period_idx on usage_holds (organization_id, period_starts_on);
comment on table usage_holds is 'One row per turn that is being answered: what is reserved for it.';

create function reserve_usage(
  p_conversation conversations, p_turn_id uuid, p_model text, p_tokens bigint
) returns text as $$
declare
  v_starts_on date := open_usage_period(p_conversation.organization_id);
begin
  update usage_periods
     set messages_used = messages_used + 1,
         tokens_reserved = tokens_reserved + p_tokens
   where organization_id = p_conversation.organization_id
     and starts_on = v_starts_on
     and messages_used + 1 <= message_limit
     and tokens_used + tokens_reserved + p_tokens <= token_limit;
  if not found then
    perform raise_alert(p_conversation.organization_id, 'error', 'usage_spent',
      'refused:' || current_date, 'a turn was refused: the plan has no room for it this month');
    return 'spent';
  end if;
  insert into usage_holds (turn_id, organization_id, period_starts_on, tokens)
  values (p_turn_id, p_conversation.organization_id, v_starts_on, p_tokens);
  return 'normal';
end;
$$ language plpgsql volatile;
comment on function reserve_usage is 'Takes one message and so many tokens from this month.';

create function claim_limit_notice(p_conversation conversations) returns text as $$
  select null::text;
$$ language sql volatile;
comment on function claim_limit_notice is 'The day''s one notice.';

create function release_expired_holds() returns bigint as $$
  select 0::bigint;
$$ language sql volatile;
comment on function release_expired_holds is 'Holds whose turn is gone.';

create function charge_hold(p_turn_id uuid, p_messages_back bigint) returns bigint as $$
declare
  v_hold usage_holds;
  v_used record;
begin
  delete from usage_holds where turn_id = p_turn_id returning * into v_hold;
  if not found then
    return (select cost_microcents from usage_events where turn_id = p_turn_id);
  end if;
  select max(model) as model, count(*) as calls, coalesce(sum(input_tokens), 0) as input_tokens,
         coalesce(sum(output_tokens), 0) as output_tokens,
         sum(price_of(model, input_tokens, output_tokens)) as cost_microcents
    into v_used from model_calls where turn_id = p_turn_id;
  update usage_periods
     set messages_used = messages_used - p_messages_back,
         tokens_reserved = tokens_reserved - v_hold.tokens,
         tokens_used = tokens_used + v_used.input_tokens + v_used.output_tokens,
         cost_microcents = cost_microcents + coalesce(v_used.cost_microcents, 0)
   where organization_id = v_hold.organization_id and starts_on = v_hold.period_starts_on;
  insert into usage_events (
    turn_id, organization_id, period_starts_on, model, model_calls,
    input_tokens, output_tokens, cost_microcents
  )
  select p_turn_id, v_hold.organization_id, v_hold.period_starts_on, v_used.model, v_used.calls,
         v_used.input_tokens, v_used.output_tokens, v_used.cost_microcents
   where v_used.calls > 0;
  return v_used.cost_microcents;
end;
$$ language plpgsql volatile;
comment on function charge_hold is 'Ends a hold.';

create function settle_usage(p_turn_id uuid) returns bigint as $$
  select charge_hold(p_turn_id, 0);
$$ language sql volatile;
comment on function settle_usage is 'Charges what the turn''s model calls used, once.';

create function release_usage(p_turn_id uuid) returns void as $$
  select charge_hold(p_turn_id, 1);
$$ language sql volatile;
comment on function release_usage is 'As settle_usage, but nobody was answered: the message is given back.';

create function price_of(p_model text, p_input_tokens bigint, p_output_tokens bigint) returns bigint as $$
  select input_microcents_per_token * p_input_tokens + output_microcents_per_token * p_output_tokens
    from prices
   where model = p_model and valid_from <= current_date
   order by valid_from desc limit 1;
$$ language sql stable;
comment on function price_of is 'Microcents of a call at today''s price; null when the model has none.';

-- Thresholds are rows here, so a new meter or level is one line.
create function tg_usage_periods__raise_alerts() returns trigger as $$
begin
  perform raise_alert(
    new.organization_id, threshold.severity, threshold.code, new.starts_on || ':' || meter.name,
    format('%s: %s of %s %s used', new.starts_on, meter.used, meter.quota, meter.name)
  )
  from (values
    ('messages', new.messages_used, old.messages_used, new.message_limit),
    ('tokens', new.tokens_used + new.tokens_reserved,
               old.tokens_used + old.tokens_reserved, new.token_limit)
  ) as meter (name, used, was, quota)
  cross join (values
    ('warning', 'usage_near_limit', 0.8), ('error', 'usage_spent', 1.0)
  ) as threshold (severity, code, share)
  -- Only the update that crosses the line tells; the rows after it would tell again.
  where meter.used >= meter.quota * threshold.share
    and meter.was < meter.quota * threshold.share;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_usage_periods__raise_alerts is
  'Tells us when an organization nears (80 %) or reaches its plan.';

create trigger _500_raise_alerts
  after update of messages_used, tokens_used, tokens_reserved on usage_periods
  for each row execute function tg_usage_periods__raise_alerts();
comment on trigger _500_raise_alerts on usage_periods is 'One alert per meter, level and crossing.';
