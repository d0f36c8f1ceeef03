-- What an organization may use and has used. A period is a row, made from the plan when it is
-- first needed: there is no reset that could be missed or done twice. A turn reserves before the
-- model is called and settles after (0012, 0013); one guarded update decides, so two turns at once
-- can't pass the limit together: the second waits for the row and re-reads it. A trigger refuses
-- the same to whoever writes the row without asking the functions.
--
-- Locks are taken in one order: turn, contact's day, chatbot's day, period.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function percent_of(p_use bigint, p_limit bigint) returns integer as $$
  select case when p_limit is null then 0
              when p_limit = 0 then 100
              else least(floor(p_use::numeric * 100 / p_limit), 1000000)::integer
         end;
$$ language sql immutable;
comment on function percent_of is
  'Rounded down, so that 100 means spent; 0 where there is no limit, 100 where nothing is allowed.';

create table usage_periods (
  organization_id uuid not null references organizations on delete cascade,
  starts_on date not null check (extract(day from starts_on) = 1),
  message_limit bigint not null check (message_limit >= 0),
  token_limit bigint not null check (token_limit >= 0),
  cost_limit_microcents bigint check (cost_limit_microcents >= 0),
  messages_used bigint not null default 0 check (messages_used >= 0),
  messages_reserved bigint not null default 0 check (messages_reserved >= 0),
  tokens_used bigint not null default 0 check (tokens_used >= 0),
  tokens_reserved bigint not null default 0 check (tokens_reserved >= 0),
  tokens_overrun bigint not null default 0 check (tokens_overrun >= 0),
  cost_microcents bigint not null default 0 check (cost_microcents >= 0),
  cost_reserved_microcents bigint not null default 0 check (cost_reserved_microcents >= 0),
  cost_overrun_microcents bigint not null default 0 check (cost_overrun_microcents >= 0),
  messages_percent integer not null
    generated always as (percent_of(messages_used + messages_reserved, message_limit)) stored,
  tokens_percent integer not null generated always as (
    percent_of(tokens_used + tokens_reserved + tokens_overrun, token_limit)) stored,
  cost_percent integer not null generated always as (percent_of(
    cost_microcents + cost_reserved_microcents + cost_overrun_microcents,
    cost_limit_microcents)) stored,
  reported_at timestamptz,
  primary key (organization_id, starts_on)
);
create index usage_periods_not_reported on usage_periods (starts_on) where reported_at is null;
comment on table usage_periods is
  'One row per organization and month, counted in the organization''s time zone.';
comment on column usage_periods.message_limit is
  'From the plan, and again whenever the plan changes; an operator may change one month by hand.';
comment on column usage_periods.messages_used is 'Turns that were answered.';
comment on column usage_periods.messages_reserved is
  'Turns that are being answered: as many as rows of usage_holds. The other reserved columns are their sums.';
comment on column usage_periods.tokens_overrun is
  'Used beyond what a turn had reserved, with an alert. It takes room from the turns after it.';
comment on column usage_periods.messages_percent is 'Of the limit, used or held; 80 warns, 95 saves, 100 refuses.';
comment on column usage_periods.reported_at is 'When the report of the ended period was raised, once.';

create table usage_warnings (
  organization_id uuid not null,
  starts_on date not null,
  meter text not null check (meter in ('messages', 'tokens', 'cost', 'plan')),
  level text not null check (level in ('near_limit', 'spent', 'price_unknown')),
  raised_at timestamptz not null default now(),
  primary key (organization_id, starts_on, meter, level),
  foreign key (organization_id, starts_on) references usage_periods on delete cascade
);
comment on table usage_warnings is
  'One row per organization, period, meter and level that was alerted. Alerts may be raised again once posted; this row is why these are not.';

create table usage_holds (
  turn_id uuid primary key,
  organization_id uuid not null references organizations on delete cascade,
  period_starts_on date not null,
  chatbot_id uuid not null,
  contact_id uuid not null,
  held_on date not null,
  decision text not null check (decision in ('normal', 'economy')),
  model text not null,
  tokens bigint not null check (tokens between 0 and 1000000000),
  microcents_per_token bigint check (microcents_per_token >= 0),
  cost_microcents bigint not null check (cost_microcents >= 0),
  expires_at timestamptz not null,
  -- No cascade: a period that somebody uses can't be deleted and made again with nothing used.
  foreign key (organization_id, period_starts_on) references usage_periods (organization_id, starts_on)
);
create index usage_holds_period_idx on usage_holds (organization_id, period_starts_on);
create index usage_holds_expires_at_idx on usage_holds (expires_at);
comment on table usage_holds is
  'One row per turn that is being answered: what it took from its period and gives back or uses.';
comment on column usage_holds.held_on is 'The day, in the organization''s time zone, on which it counts.';
comment on column usage_holds.microcents_per_token is
  'The dearer of the model''s two prices; null when it has none and the plan has no cost limit.';

create table usage_events (
  turn_id uuid primary key,
  organization_id uuid not null references organizations on delete cascade,
  period_starts_on date not null,
  chatbot_id uuid not null,
  is_answered boolean not null,
  decision text not null,
  model text not null,
  model_calls integer not null check (model_calls >= 0),
  input_tokens bigint not null check (input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  is_estimated boolean not null,
  cost_microcents bigint check (cost_microcents >= 0),
  held_on date not null,
  tokens_held bigint not null check (tokens_held >= 0),
  cost_held_microcents bigint not null check (cost_held_microcents >= 0),
  microcents_per_token bigint check (microcents_per_token >= 0),
  charged_at timestamptz not null default now(),
  foreign key (organization_id, period_starts_on) references usage_periods (organization_id, starts_on)
);
create index usage_events_period_idx on usage_events (organization_id, period_starts_on);
comment on table usage_events is
  'One row per turn that ended after a reservation: what its model calls used, whether it was answered or not.';
comment on column usage_events.model is 'The models that were called, in words; without a call the one that was meant.';
comment on column usage_events.is_estimated is 'A model reported no usage, or one that can''t be true.';
comment on column usage_events.cost_microcents is 'Null when no price of a model is known.';
comment on column usage_events.tokens_held is
  'What its hold was, with the three columns beside it: a call that comes late is charged by the same rules.';

create table chatbot_days (
  chatbot_id uuid not null,
  day date not null,
  organization_id uuid not null,
  messages_used bigint not null default 0 check (messages_used >= 0),
  primary key (chatbot_id, day),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index chatbot_days_chatbot_id_idx on chatbot_days (organization_id, chatbot_id);
comment on table chatbot_days is 'One row per chatbot and day with a turn, in the organization''s time zone.';

create table contact_days (
  contact_id uuid not null,
  day date not null,
  organization_id uuid not null,
  messages_used bigint not null default 0 check (messages_used >= 0),
  notice_claimed_at timestamptz,
  primary key (contact_id, day),
  foreign key (organization_id, contact_id)
    references contacts (organization_id, id) on delete cascade
);
create index contact_days_contact_id_idx on contact_days (contact_id, organization_id);
comment on table contact_days is
  'One row per contact and day with a turn or a notice, in the organization''s time zone.';
comment on column contact_days.notice_claimed_at is 'When the contact was told, once a day, that a limit is reached.';

create table prices (
  model text not null,
  valid_from date not null,
  input_microcents_per_token bigint not null
    check (input_microcents_per_token between 0 and 1000000000),
  output_microcents_per_token bigint not null
    check (output_microcents_per_token between 0 and 1000000000),
  primary key (model, valid_from)
);
comment on table prices is 'One row per model and day from which its price holds. 1 cent = 1,000,000 microcents.';

create function price_of(
  p_model text, p_input_tokens bigint, p_output_tokens bigint, p_day date default current_date
) returns bigint as $$
  select input_microcents_per_token * p_input_tokens + output_microcents_per_token * p_output_tokens
    from prices
   where model = p_model and valid_from <= p_day
   order by valid_from desc limit 1;
$$ language sql stable;
comment on function price_of is 'Microcents of a call at the day''s price; null when the model has none.';

create function usage_now() returns timestamptz as $$
  select now();
$$ language sql stable;
comment on function usage_now is 'The clock of periods and days. It is a function so that a test can turn the month.';

create function usage_today(p_organization_id uuid) returns date as $$
  select (usage_now() at time zone time_zone)::date from organizations where id = p_organization_id;
$$ language sql stable;
comment on function usage_today is 'The date where the organization is.';

create function open_usage_period(p_organization_id uuid, p_day date) returns date as $$
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
$$ language plpgsql volatile;
comment on function open_usage_period is
  'Makes the organization''s row for the day''s month if it is missing; returns its first day.';

create function tg_usage_periods__refuse_overshoot() returns trigger as $$
begin
  raise exception 'usage of % in % would pass its limit or fall', new.organization_id, new.starts_on
    using errcode = 'check_violation', constraint = 'usage_periods_never_pass_the_limit';
end;
$$ language plpgsql;
comment on function tg_usage_periods__refuse_overshoot is
  'Refuses what its trigger''s condition found: a check that may look at the row before.';

-- A limit that an operator sets below what is used stays true: nothing more is let in, and what
-- is held may still end. A check can't say that, because it sees no row before.
create trigger _400_refuse_overshoot
  before update on usage_periods for each row
  when (
    (new.messages_used + new.messages_reserved > new.message_limit
      and new.messages_used + new.messages_reserved > old.messages_used + old.messages_reserved)
    or (new.tokens_used + new.tokens_reserved > new.token_limit
      and new.tokens_used + new.tokens_reserved > old.tokens_used + old.tokens_reserved)
    or (new.cost_microcents + new.cost_reserved_microcents > new.cost_limit_microcents
      and new.cost_microcents + new.cost_reserved_microcents
        > old.cost_microcents + old.cost_reserved_microcents)
    or new.messages_used < old.messages_used
    or new.tokens_used < old.tokens_used
    or new.tokens_overrun < old.tokens_overrun
    or new.cost_microcents < old.cost_microcents
    or new.cost_overrun_microcents < old.cost_overrun_microcents
  )
  execute function tg_usage_periods__refuse_overshoot();
comment on trigger _400_refuse_overshoot on usage_periods is
  'Whoever writes the row, use never grows past a limit and what was used never shrinks.';

create function warn_once(
  p_organization_id uuid, p_starts_on date, p_meter text, p_level text, p_summary text
) returns void as $$
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
$$ language plpgsql volatile;
comment on function warn_once is 'Raises a period''s alert of one meter and level, the first time only.';

create function tg_usage_periods__raise_alerts() returns trigger as $$
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
$$ language plpgsql volatile;
comment on function tg_usage_periods__raise_alerts is
  'Tells us when an organization nears (80 %) or reaches its plan.';

create trigger _500_raise_alerts
  after update on usage_periods for each row
  when (
    (new.messages_percent >= 80 and new.messages_percent > old.messages_percent)
    or (new.tokens_percent >= 80 and new.tokens_percent > old.tokens_percent)
    or (new.cost_percent >= 80 and new.cost_percent > old.cost_percent)
  )
  execute function tg_usage_periods__raise_alerts();
comment on trigger _500_raise_alerts on usage_periods is
  'Runs once for each percent from 80 on, so that it costs the turns in between nothing.';

create function set_period_limits(p_plan_id text, p_organization_id uuid) returns void as $$
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
$$ language sql volatile security definer set search_path = public, pg_temp;
comment on function set_period_limits is
  'Writes a plan''s limits into the open and prepared periods of its organizations, or of one. Ended months keep theirs.';

create function tg_plans__set_period_limits() returns trigger as $$
begin
  perform set_period_limits(new.id, null);
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_plans__set_period_limits is 'A plan that changes is in force at the next reservation.';

create trigger _500_set_period_limits
  after update of message_limit, token_limit, cost_limit_microcents on plans
  for each row execute function tg_plans__set_period_limits();
comment on trigger _500_set_period_limits on plans is 'Nobody has to wait for the next month, or to run anything.';

create function tg_organizations__set_period_limits() returns trigger as $$
begin
  perform set_period_limits(new.plan_id, new.id);
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_organizations__set_period_limits is 'An organization that changes its plan has it at once.';

create trigger _500_set_period_limits
  after update of plan_id on organizations
  for each row execute function tg_organizations__set_period_limits();
comment on trigger _500_set_period_limits on organizations is 'What was used in the month stays used.';
