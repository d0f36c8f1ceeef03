-- Functions of earlier migrations go back to whoever migrates, as plain ones that anybody may call.
do $$
declare
  v_row record;
begin
  for v_row in
    select pg_proc.oid::regprocedure as name from pg_proc
     where pronamespace = 'public'::regnamespace
       and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
  loop
    execute format('alter function %s owner to current_user', v_row.name);
    execute format('revoke all on function %s from chatmill_scheduler, chatmill_ingress,
      chatmill_worker, chatmill_operations, chatmill_knowledge', v_row.name);
    execute format('grant execute on function %s to public', v_row.name);
  end loop;
  for v_row in select polname as policy, polrelid::regclass as name from pg_policy loop
    execute format('drop policy %I on %s', v_row.policy, v_row.name);
    execute format('alter table %s disable row level security, no force row level security',
      v_row.name);
  end loop;
end
$$;
revoke all on all tables in schema public from chatmill_scheduler, chatmill_ingress,
  chatmill_worker, chatmill_operations, chatmill_knowledge;
revoke usage on schema public from chatmill_scheduler, chatmill_ingress, chatmill_worker,
  chatmill_operations, chatmill_knowledge;
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select oid from pg_proc
     where pronamespace = 'pg_catalog'::regnamespace
       and proname ~ '^(lo_.*|loread|lowrite|pg_terminate_backend|pg_cancel_backend)$'
       and proname not in ('lo_import', 'lo_export')
  loop
    execute format('grant execute on function %s to public', v_function);
  end loop;
exception when insufficient_privilege then
  null;  -- then nobody had revoked it
end
$$;
drop function apply_access;
drop function runtime_settings;
drop function raise_conversation_alert;
drop function enter_outbound_message;
drop function enter_organization;
drop function enter_source;
drop function forget_accepted_deliveries;
drop function take_left_behind_delivery;
drop function finish_delivery;
drop function store_delivery;
drop function find_channel_of_delivery;
drop function find_sibling_channel;
drop function find_channel;
