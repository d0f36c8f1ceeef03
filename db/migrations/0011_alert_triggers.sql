-- Ends that a person should know of raise their alert by themselves: whoever moves the row there,
-- on whatever path, can't forget to say so. A fingerprint names the channel and not the row: when a
-- vendor is away, five hundred messages are one alert with a count. The rows keep their state.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function tg_turns__raise_alert() returns trigger as $$
begin
  perform raise_alert(
    new.organization_id, 'error', 'turn_buried', conversations.channel_id::text,
    format('turn %s of conversation %s was given up after %s attempts',
           new.id, new.conversation_id, greatest(old.attempts, new.attempts))
  ) from conversations where conversations.id = new.conversation_id;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_turns__raise_alert is 'Tells us that a turn was given up: its messages wait for a person.';

create trigger _500_raise_alert
  after update of state on turns
  for each row when (
    new.state = 'buried' and old.state <> 'buried'
    or new.outcome = 'failure_notice' and old.outcome is null
  )
  execute function tg_turns__raise_alert();
comment on trigger _500_raise_alert on turns is 'One occurrence per buried turn.';

create function tg_outbound_messages__raise_alert() returns trigger as $$
declare
  v_channel_id uuid;
begin
  select channel_id into strict v_channel_id from conversations where id = new.conversation_id;
  if new.state = 'unknown' then
    perform raise_alert(
      new.organization_id, 'error', 'delivery_unknown', v_channel_id::text,
      format('nobody can say whether message %s of conversation %s reached the contact',
             new.id, new.conversation_id)
    );
  else
    perform raise_alert(
      new.organization_id, 'error', 'delivery_refused',
      v_channel_id || ':' || coalesce(new.error_code, 'no_code'),
      format('the vendor refused message %s of conversation %s with code %s',
             new.id, new.conversation_id, left(new.error_code, 60))
    );
  end if;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_outbound_messages__raise_alert is
  'Tells us of a reply that did not arrive, or of which nobody can say.';

create trigger _500_raise_alert
  after update of state on outbound_messages
  for each row when (
    old.state <> new.state
    and (
      new.state = 'unknown'
      -- Our own codes for what we chose not to send; every other one is the vendor's.
      or new.state = 'failed'
         and coalesce(new.error_code, '') not in (
           'teammate_took_over', 'turn_buried', 'contact_gone', 'contact_opted_out', 'reply_ended')
    )
  )
  execute function tg_outbound_messages__raise_alert();
comment on trigger _500_raise_alert on outbound_messages is
  'One occurrence per message and end; what we chose not to send is none.';

create function tg_webhook_deliveries__raise_alert() returns trigger as $$
begin
  perform raise_alert(
    new.organization_id, 'error', 'delivery_not_accepted', new.channel_id::text,
    format('delivery %s could not be accepted, and the %sth try is the last', new.id, new.attempts)
  );
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_webhook_deliveries__raise_alert is
  'Tells us of a stored delivery that will not be tried again.';

-- At the fifth try, not after it: the try may take its worker with it.
create trigger _500_raise_alert
  after update of attempts on webhook_deliveries
  for each row when (new.attempts = 5 and old.attempts < 5 and new.accepted_at is null)
  execute function tg_webhook_deliveries__raise_alert();
comment on trigger _500_raise_alert on webhook_deliveries is 'One occurrence per delivery.';

create function stuck_after() returns interval as $$
  select interval '10 minutes';
$$ language sql immutable;
comment on function stuck_after is
  'A failed attempt makes its conversation due anew, and a success ends it: what is due for so long is started again and again, and nothing is heard of it.';

create function alert_stuck_turns() returns bigint as $$
  -- Each conversation at the first sweep after it crossed the line, and at none later: when the
  -- alert was raised last, all who had crossed it were counted.
  with stuck as (
    select conversations.*, conversation_work.due_at
      from conversation_work
      join conversations on conversations.id = conversation_work.conversation_id
      left join alerts
        on alerts.organization_id = conversations.organization_id
       and fingerprint
         = alert_fingerprint('turn_stuck', conversations.organization_id, channel_id::text)
     where conversation_work.due_at <= now() - stuck_after()
       and conversation_work.due_at > coalesce(last_raised_at, '-infinity') - stuck_after()
  ), raised as (
    select raise_alert(organization_id, 'error', 'turn_stuck', channel_id::text,
             format('conversation %s has been due since %s UTC: it is started again and again, and nothing is heard of it',
                    id, to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')))
      from stuck
  )
  select count(*) from raised;
$$ language sql volatile;
comment on function alert_stuck_turns is
  'Tells of work that no failure was reported of and that does not end: the engine''s own errors run no failure module. Returns how many conversations came to it.';
