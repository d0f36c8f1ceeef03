-- Things somebody should know. One row per fingerprint: the same trouble a thousand times is one
-- row with a count, whoever raises it. It is told at once, and what comes after that at most once
-- per ten minutes. Slack being away changes a time and nothing else: counts grow, rows stay due.
-- Worst moment for a crash: after Slack took a message and before we noted it. It is then told
-- twice, because the other way round it might never be.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table alerts (
  id bigint primary key generated always as identity,
  organization_id uuid references organizations on delete cascade,
  fingerprint text not null check (length(fingerprint) between 1 and 300),
  severity text not null check (severity in ('info', 'warning', 'error')),
  code text not null check (code ~ '^[a-z][a-z0-9_]{2,60}$'),
  summary text not null check (length(summary) between 1 and 1000),
  occurrences integer not null default 1 check (occurrences > 0),
  occurrences_told integer not null default 0 check (occurrences_told >= 0),
  attempts integer not null default 0 check (attempts >= 0),
  first_raised_at timestamptz not null default now(),
  last_raised_at timestamptz not null default now(),
  due_at timestamptz default now(),
  posted_at timestamptz,
  -- By organization: a row of one can't take the place of another's, nor be told of what it says.
  constraint alerts_once_per_fingerprint
    unique nulls not distinct (organization_id, fingerprint)
);
create index alerts_due_at_idx on alerts (due_at) where due_at is not null;
comment on table alerts is 'One row per thing that somebody should know, with how often it happened.';
comment on column alerts.fingerprint is 'Equal for equal trouble: code, organization and what it is about.';
comment on column alerts.summary is 'Of the newest occurrence. Codes and ids only: never a message''s text, a name or a secret.';
comment on column alerts.occurrences_told is 'What the newest post said; whoever reads it knows of so many.';
comment on column alerts.attempts is 'Posts tried since the last that was taken: one that Slack refuses must not keep others waiting.';
comment on column alerts.due_at is 'When to tell; null: everything was told.';

create table alert_outlet (
  is_only boolean primary key default true check (is_only),
  next_post_at timestamptz not null default now(),
  failures integer not null default 0 check (failures >= 0),
  problem text check (length(problem) between 1 and 100)
);
insert into alert_outlet default values;
comment on table alert_outlet is 'One row per installation: when Slack may be called next, and why it did not take the last post.';
comment on column alert_outlet.next_post_at is
  'In the future while somebody posts, for a second after each post, and while Slack asked us to wait or is away.';
comment on column alert_outlet.failures is 'Posts since the last that Slack took.';

create function alert_fingerprint(p_code text, p_organization_id uuid, p_subject text)
returns text as $$
  select left(
    concat_ws(':', p_code, coalesce(p_organization_id::text, 'installation'), p_subject), 300);
$$ language sql immutable;
comment on function alert_fingerprint is 'What makes two alerts the same trouble.';

create function raise_alert(
  p_organization_id uuid, p_severity text, p_code text, p_subject text, p_summary text
) returns void as $$
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
$$ language sql volatile;
comment on function raise_alert is
  'Raises an alert, or counts it when it was raised before; an alert that was told is told again after ten minutes.';

create function claim_alert()
returns table (
  held_until timestamptz, id bigint, organization_id uuid, severity text, code text, summary text,
  occurrences integer, occurrences_told integer, first_raised_at timestamptz
) as $$
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
$$ language plpgsql volatile;
comment on function claim_alert is
  'The next alert to post, with the only right to post for half a minute; no row when nothing is due or Slack may not be called now.';

create function settle_alert(p_held_until timestamptz, p_id bigint, p_occurrences integer)
returns void as $$
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
$$ language plpgsql volatile;
comment on function settle_alert is
  'Notes that so many occurrences were told; what was raised meanwhile is told in ten minutes.';

create function put_off_alerts(p_held_until timestamptz, p_problem text, p_wait_seconds numeric)
returns void as $$
  update alert_outlet
     set failures = failures + 1,
         problem = p_problem,
         next_post_at = now() + make_interval(secs => least(coalesce(
           p_wait_seconds, least(30 * 2 ^ least(failures, 10), 600)
         ), 86400)::double precision)
   where next_post_at = p_held_until;
$$ language sql volatile;
comment on function put_off_alerts is
  'Slack did not take a post: nobody calls it for as long as it asked, else for 30, 60, 120 ... 600 seconds.';

create function alerts_waiting()
returns table (waiting jsonb, overdue_seconds integer, problem text) as $$
  select coalesce(
           (select jsonb_object_agg(severity, number)
              from (select severity, count(*) as number from alerts
                     where due_at <= now() group by severity) as counts), '{}'),
         (select extract(epoch from now() - greatest(
                   min(due_at), (select max(posted_at) from alerts)))::integer
            from alerts where due_at <= now()),
         alert_outlet.problem
    from alert_outlet;
$$ language sql stable;
comment on function alerts_waiting is
  'How many alerts of each severity are due, for how long none was posted though one was due, and what Slack said last.';

create function forget_alerts() returns void as $$
  delete from alerts where due_at is null and last_raised_at < now() - interval '30 days';
$$ language sql volatile;
comment on function forget_alerts is 'Forgets what was told and did not happen again for 30 days.';
