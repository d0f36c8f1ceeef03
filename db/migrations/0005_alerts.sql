-- Things somebody should know. One row per fingerprint that is not posted yet: the same trouble
-- a thousand times is one row with a count, whoever raises it.
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
  first_raised_at timestamptz not null default now(),
  last_raised_at timestamptz not null default now(),
  posted_at timestamptz
);
create index alerts_organization_id_idx on alerts (organization_id);
create unique index alerts_once_until_posted on alerts (fingerprint) where posted_at is null;
comment on table alerts is 'One row per thing that somebody should know and was not told yet, with its count.';
comment on column alerts.fingerprint is 'Equal for equal trouble: code, organization and what it is about.';
comment on column alerts.summary is 'Codes and ids only: never a message''s text, a name or a secret.';

create function raise_alert(
  p_organization_id uuid, p_severity text, p_code text, p_subject text, p_summary text
) returns void as $$
  insert into alerts (organization_id, fingerprint, severity, code, summary)
  values (
    p_organization_id,
    left(concat_ws(':', p_code, coalesce(p_organization_id::text, 'installation'), p_subject), 300),
    p_severity, p_code, left(p_summary, 1000)
  )
  on conflict (fingerprint) where posted_at is null do update
    set occurrences = alerts.occurrences + 1,
        last_raised_at = now(),
        summary = excluded.summary;
$$ language sql volatile;
comment on function raise_alert is
  'Raises an alert, or counts it when the same one still waits to be posted.';
