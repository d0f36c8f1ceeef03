-- Whose rows a transaction may touch is proved, not claimed. A function that checked something
-- nobody can guess (a turn's id with its newest fence, a channel's id) writes a ticket into the
-- transaction: the organization with a MAC over it and this transaction's id, which never comes
-- again. Every policy asks for that ticket. So SQL injected into a step can set the setting, but
-- it can't make a ticket for another organization, nor keep one for another transaction.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

-- Roles belong to the whole cluster and stay behind on rollback: other databases may use them.
-- Whoever migrates is a member of the scheduler, whose policy lets them see every organization:
-- so an owner without superuser and without BYPASSRLS can seed, and hand functions over.
do $$
declare
  v_role text;
begin
  foreach v_role in array array[
    'chatmill_scheduler', 'chatmill_ingress', 'chatmill_worker', 'chatmill_operations',
    'chatmill_knowledge'
  ] loop
    if not exists (select from pg_roles where rolname = v_role) then
      begin
        execute format('create role %I nologin', v_role);
      exception when duplicate_object or unique_violation then
        null;  -- another database of this cluster is being migrated at this moment
      end;
    end if;
  end loop;
  if not pg_has_role('chatmill_scheduler', 'usage') then
    grant chatmill_scheduler to current_user;
  end if;
end
$$;

create table ticket_key (
  is_only boolean primary key default true check (is_only),
  inner_pad bytea not null check (length(inner_pad) = 64),
  outer_pad bytea not null check (length(outer_pad) = 64)
);
comment on table ticket_key is
  'One row per installation: the key of tickets, as the two padded blocks of HMAC-SHA256 (RFC 2104). No runtime role can read it.';

create function ticket_key_block(p_key bytea, p_pad integer) returns bytea as $$
declare
  v_block bytea := p_key || decode(repeat('00', 64 - length(p_key)), 'hex');
begin
  for v_byte in 0..63 loop
    v_block := set_byte(v_block, v_byte, get_byte(v_block, v_byte) # p_pad);
  end loop;
  return v_block;
end;
$$ language plpgsql immutable;
comment on function ticket_key_block is
  'The key, filled to 64 bytes and combined with one of HMAC''s two pads (RFC 2104).';

create function draw_ticket_key() returns void as $$
declare
  -- Two random uuids hold 244 bits that nobody can guess; core Postgres has no other source.
  v_key bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
begin
  insert into ticket_key (inner_pad, outer_pad)
  values (ticket_key_block(v_key, 54), ticket_key_block(v_key, 92))
  on conflict (is_only) do update
    set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad;
end;
$$ language plpgsql volatile;
comment on function draw_ticket_key is
  'Draws a new key. Tickets live for one transaction, so this disturbs only what runs just now.';

do $$ begin perform draw_ticket_key(); end $$;

create function ticket_for(p_organization_id text) returns text as $$
  -- Null as long as the transaction has no id: nothing was proved in it.
  select p_organization_id || '.' || encode(
    sha256(outer_pad || sha256(inner_pad || convert_to(
      p_organization_id || '.' || pg_current_xact_id_if_assigned(), 'UTF8'
    ))), 'hex')
    from ticket_key;
$$ language sql stable parallel restricted;
comment on function ticket_for is
  'The ticket of an organization in this transaction; for prove_organization and proved_organization alone.';

create function is_ticket(p_ticket text) returns boolean as $$
  -- Digests are compared, so that the time it takes says nothing about the right ticket.
  select coalesce(
    sha256(convert_to(p_ticket, 'UTF8'))
      = sha256(convert_to(ticket_for(split_part(p_ticket, '.', 1)), 'UTF8')), false);
$$ language sql stable parallel restricted;
comment on function is_ticket is 'Whether this transaction was given this ticket.';

create function prove_organization(p_organization_id uuid) returns void as $$
declare
  v_ticket constant text := current_setting('chatmill.ticket', true);
begin
  if split_part(v_ticket, '.', 1) <> p_organization_id::text and is_ticket(v_ticket) then
    raise exception 'this transaction has proved another organization'
      using errcode = 'insufficient_privilege';
  end if;
  perform pg_current_xact_id();  -- has the id assigned, to which the ticket is bound
  perform set_config('chatmill.ticket', ticket_for(p_organization_id::text), true);
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function prove_organization is
  'Opens this transaction to one organization, once. Only functions that checked a capability may call it.';

create function proved_organization() returns uuid as $$
declare
  v_ticket constant text := current_setting('chatmill.ticket', true);
begin
  -- Unset is null in a new connection and empty after a transaction that had one.
  if not is_ticket(v_ticket) then
    raise exception 'this transaction has proved no organization'
      using errcode = 'insufficient_privilege';
  end if;
  return split_part(v_ticket, '.', 1)::uuid;
end;
$$ language plpgsql stable parallel restricted security definer set search_path = public, pg_temp;
comment on function proved_organization is
  'The organization that this transaction proved; without one, error 42501 instead of no rows.';

create function isolate_table(p_table regclass, p_column name default 'organization_id')
returns void as $$
begin
  execute format('alter table %s enable row level security, force row level security', p_table);
  execute format(
    'create policy own_organization on %1$s using (%2$I = (select proved_organization()))
     with check (%2$I = (select proved_organization()))', p_table, p_column);
  execute format(
    'create policy scheduler on %s to chatmill_scheduler using (true) with check (true)', p_table);
end;
$$ language plpgsql volatile;
comment on function isolate_table is
  'Row-level security: a transaction sees the rows of the organization that it proved; functions of chatmill_scheduler see all.';

create function open_function(p_name text, p_roles text[]) returns void as $$
declare
  v_function regprocedure;
begin
  execute 'grant create on schema public to chatmill_scheduler';  -- whoever is given a function needs it
  for v_function in
    select oid from pg_proc where pronamespace = 'public'::regnamespace and proname = p_name
  loop
    execute format(
      'alter function %s security definer set search_path = public, pg_temp', v_function);
    execute format('alter function %s owner to chatmill_scheduler', v_function);
    execute format('revoke all on function %s from public', v_function);
    if p_roles <> '{}' then
      execute format(
        'grant execute on function %s to %s', v_function, array_to_string(p_roles, ', '));
    end if;
  end loop;
  execute 'revoke create on schema public from chatmill_scheduler';
end;
$$ language plpgsql volatile;
comment on function open_function is
  'Makes a function run as chatmill_scheduler, across organizations, and lets these roles call it.';
