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

create function reserve_usage(p_organization_id uuid, p_tokens bigint) returns date as $$
declare
  v_starts_on date := open_usage_period(p_organization_id);
begin
  update usage_periods
     set messages_used = messages_used + 1,
         tokens_reserved = tokens_reserved + p_tokens
   where organization_id = p_organization_id
     and starts_on = v_starts_on
     and messages_used + 1 <= message_limit
     and tokens_used + tokens_reserved + p_tokens <= token_limit;
  return case when found then v_starts_on end;
end;
$$ language plpgsql volatile;
comment on function reserve_usage is
  'Takes one message and so many tokens from this month; null when the plan is used up.';

create function release_usage(p_organization_id uuid, p_period date, p_tokens bigint) returns void as $$
  update usage_periods
     set messages_used = messages_used - 1,
         tokens_reserved = tokens_reserved - p_tokens
   where organization_id = p_organization_id and starts_on = p_period;
$$ language sql volatile;
comment on function release_usage is 'Gives a reservation back: the turn was held or buried, nobody was answered.';

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
