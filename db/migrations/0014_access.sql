-- Who may do what. Every table of organizations is isolated by row-level security; a runtime role
-- has the rights that the two tables in apply_access() give it and no others, owns nothing, and
-- runs nothing that looks across organizations except the functions listed there.
-- Managed Postgres: the migrating role needs CREATEROLE and owns the database; no superuser.
-- A later migration that makes a table or a function adds its line to apply_access() and ends with
-- `do $$ begin perform apply_access(); end $$;`.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function find_channel(p_url_key text) returns setof channels as $$
  select channels.*
    from channels join organizations on organizations.id = channels.organization_id
   where channels.url_key = p_url_key and channels.is_active and organizations.is_active;
$$ language sql stable;
comment on function find_channel is
  'The channel that a webhook''s address names; who knows the key may check its signature.';

create function find_sibling_channel(p_channel_id uuid, p_account_id text)
returns setof channels as $$
  select sibling.*
    from channels join channels as sibling
      on sibling.organization_id = channels.organization_id and sibling.kind = channels.kind
   where channels.id = p_channel_id and sibling.account_id = p_account_id and sibling.is_active;
$$ language sql stable;
comment on function find_sibling_channel is
  'Another account of the same organization and vendor: one app''s webhook brings the messages of all its numbers.';

create function find_channel_of_delivery(p_delivery_id uuid) returns setof channels as $$
  select channels.*
    from webhook_deliveries join channels on channels.id = webhook_deliveries.channel_id
   where webhook_deliveries.id = p_delivery_id;
$$ language sql stable;
comment on function find_channel_of_delivery is 'The channel that a stored delivery came through.';

create function store_delivery(p_channel_id uuid, p_body text, p_reference uuid default null)
returns uuid as $$
  insert into webhook_deliveries (organization_id, channel_id, body, reference)
  select organization_id, id, p_body, p_reference from channels where id = p_channel_id
  returning id;
$$ language sql volatile;
comment on function store_delivery is 'Keeps a verified delivery as it was received.';

create function finish_delivery(p_delivery_id uuid, p_outcome jsonb) returns void as $$
  update webhook_deliveries set accepted_at = now(), outcome = p_outcome where id = p_delivery_id;
$$ language sql volatile;
comment on function finish_delivery is 'Notes that everything in a delivery was accepted.';

create function take_left_behind_delivery()
returns table (id uuid, body text, reference uuid) as $$
  update webhook_deliveries set attempts = attempts + 1, attempted_at = now()
   where id = (
     select id from webhook_deliveries
      where accepted_at is null and attempts < 5
        -- Twice as long as a statement may take: whoever received it is gone.
        and received_at < now() - interval '10 seconds'
        and (attempted_at is null or attempted_at < now() - interval '1 minute')
      order by attempts, received_at limit 1 for update skip locked
   )
  returning id, body, reference;
$$ language sql volatile;
comment on function take_left_behind_delivery is
  'One delivery that nobody accepted for ten seconds. The attempt is counted before it is made, so that one that breaks its worker can''t keep the others waiting.';

create function forget_accepted_deliveries() returns bigint as $$
  with forgotten as (
    delete from webhook_deliveries where accepted_at < now() - interval '7 days' returning id
  )
  select count(*) from forgotten;
$$ language sql volatile;
comment on function forget_accepted_deliveries is
  'What was accepted is in other tables; the raw body, personal data of contacts, need not stay.';

create function enter_source(p_source_id uuid) returns uuid as $$
declare
  v_organization_id uuid;
begin
  select organization_id into v_organization_id from sources where id = p_source_id;
  if found then
    perform prove_organization(v_organization_id);
  end if;
  return v_organization_id;
end;
$$ language plpgsql volatile;
comment on function enter_source is
  'Opens the transaction to the organization of a source, by its id, a random uuid; null when it is gone.';

create function enter_organization(p_organization_id uuid) returns uuid as $$
declare
  v_organization_id uuid;
begin
  select id into v_organization_id from organizations where id = p_organization_id;
  if found then
    perform prove_organization(v_organization_id);
  end if;
  return v_organization_id;
end;
$$ language plpgsql volatile;
comment on function enter_organization is
  'Opens the transaction to an organization, by its id, a random uuid, for work on all that it gave us; null when it is gone.';

create function enter_outbound_message(p_message_id uuid) returns void as $$
  select prove_organization(organization_id) from outbound_messages where id = p_message_id;
$$ language sql volatile;
comment on function enter_outbound_message is
  'Opens the transaction to the organization of a message to send, by its id, a random uuid, without a fence: that it went out is true whoever holds the turn now.';

create function raise_conversation_alert(
  p_conversation_id uuid, p_severity text, p_code text, p_subject text, p_summary text
) returns void as $$
  -- Named only where it is known: anybody who may start a flow can give it any id.
  select raise_alert(max(organization_id::text)::uuid, p_severity, p_code, p_subject,
           concat_ws(' in conversation ', p_summary, max(id::text)))
    from conversations where id = p_conversation_id;
$$ language sql volatile;
comment on function raise_conversation_alert is
  'An alert of a worker that holds no turn, so can''t prove the conversation''s organization; the installation''s when there is no such conversation.';

create function runtime_settings(p_role text) returns text[] as $$
  -- No statement of a step may hold others up. Query texts of one session are not for the others of
  -- its role, who may be working for another organization; only a superuser can switch them off.
  -- A process that is frozen in a transaction may hold its organization's usage: not for long.
  select array[
    'statement_timeout=' || case p_role when 'chatmill_knowledge' then '60s' else '5s' end,
    'idle_in_transaction_session_timeout='
      || case p_role when 'chatmill_knowledge' then '10s' else '3s' end,
    'lock_timeout=2s', 'track_activities=off'
  ];
$$ language sql immutable;
comment on function runtime_settings is
  'The settings of a runtime role and of its logins. A role may change its own: each start of an installation brings its logins back to these (local/logins.py).';

create function apply_access() returns void as $$
declare
  v_runtime_roles constant text :=
    'chatmill_ingress, chatmill_worker, chatmill_operations, chatmill_knowledge';
  -- Of the installation alone: they draw keys, change rights, make tickets.
  v_internal constant text[] := array['ticket_key_block', 'draw_ticket_key', 'ticket_for',
    'is_ticket', 'isolate_table', 'open_function', 'runtime_settings', 'apply_access'];
  v_row record;
begin
  for v_row in
    select pg_class.oid::regclass as name
      from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'organization_id'
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
  loop
    perform isolate_table(v_row.name);
  end loop;

  -- Rights on tables; under row-level security a role sees the organization that it proved.
  execute format('revoke all on all tables in schema public from public, %s', v_runtime_roles);
  for v_row in
    select rights.role, rights.privileges, name
      from (values
        ('chatmill_worker', 'select', 'plans prices organizations chatbots channels contacts
          conversations documents chunks chunk_sets cells embeddings words turns model_calls
          inbound_messages conversation_work outbound_messages tool_calls messages alerts
          installation_pulse'),
        ('chatmill_worker', 'insert', 'turns model_calls outbound_messages tool_calls'),
        -- Not their running numbers: whoever takes those in advance keeps others from writing.
        ('chatmill_worker', 'insert (organization_id, conversation_id, turn_id, author, position,
          body, written_at)', 'messages'),
        ('chatmill_worker', 'insert (organization_id, fingerprint, severity, code, summary),
          update (occurrences, last_raised_at, severity, summary, due_at)', 'alerts'),
        ('chatmill_worker', 'update', 'turns conversation_work outbound_messages'),
        -- The body: of a voice message, once it was heard.
        ('chatmill_worker', 'update (state, turn_id, body)', 'inbound_messages'),
        ('chatmill_worker', 'select, insert, update', 'attachments'),
        ('chatmill_worker', 'select, insert, update', 'tool_effects handoffs contact_facts'),
        ('chatmill_worker', 'select', 'model_slots tool_servers tools'),
        ('chatmill_worker', 'update (state)', 'tools'),
        ('chatmill_worker', 'select, insert, update, delete', 'sign_ins contact_tokens'),
        ('chatmill_worker', 'select, insert', 'tool_clients'),
        ('chatmill_worker', 'select, insert, update',
          'tool_confirmations turn_prompts conversation_summaries turn_citations'),
        ('chatmill_worker', 'select, insert, update, delete', 'model_breakers cached_answers'),
        -- A share lock needs the right to write; teammates take over by this column.
        ('chatmill_worker', 'update (mode, silent_until, history_after)', 'conversations'),
        ('chatmill_worker', 'update (opted_out_at)', 'contacts'),
        ('chatmill_worker', 'select, insert, update', 'rate_buckets'),
        ('chatmill_worker', 'select, insert', 'feedback'),
        ('chatmill_worker', 'select, insert, update', 'template_sends'),
        ('chatmill_worker', 'select (organization_id, channel_id, received_at, accepted_at, attempts)',
          'webhook_deliveries'),
        ('chatmill_worker', 'select (organization_id, channel_id, provider_message_id, status)',
          'delivery_receipts'),
        ('chatmill_knowledge', 'select, insert, update', 'sources documents chunks'),
        ('chatmill_knowledge', 'delete', 'sources documents'),
        ('chatmill_knowledge', 'select, insert, update, delete', 'embeddings cells words
          ingestions ingestion_sections ingestion_chunks robots'),
        ('chatmill_knowledge', 'select, delete, update (state, first_cell,
          divided_chunks), insert (organization_id,
          embedding_model, embedding_dimensions, state)', 'chunk_sets'),
        ('chatmill_knowledge', 'select', 'organizations plans'),
        ('chatmill_worker', 'insert (turn_id, organization_id, chatbot_id)',
          'unanswered_questions'),
        ('chatmill_knowledge', 'select, insert, update',
          'question_groups unanswered_questions answer_drafts')
      ) as rights (role, privileges, tables)
     cross join regexp_split_to_table(rights.tables, '\s+') as name
     where to_regclass(name) is not null
  loop
    execute format('grant %s on %I to %s', v_row.privileges, v_row.name, v_row.role);
  end loop;

  -- A plain function can do what its caller may do; only these look across organizations, and
  -- their arguments are what the caller has to know.
  for v_row in
    select * from (values
      ('prove_organization', '{}'),
      ('proved_organization', '{chatmill_worker,chatmill_knowledge,chatmill_ingress,chatmill_operations}'),
      ('find_channel', '{chatmill_ingress}'),
      ('find_sibling_channel', '{chatmill_ingress,chatmill_operations}'),
      ('store_delivery', '{chatmill_ingress}'),
      ('enter_channel', '{}'),
      ('accept_message', '{chatmill_ingress,chatmill_operations}'),
      ('accept_receipt', '{chatmill_ingress,chatmill_operations}'),
      ('accept_failure', '{chatmill_ingress,chatmill_operations}'),
      ('accept_group_move', '{chatmill_ingress,chatmill_operations}'),
      ('accept_edit', '{chatmill_ingress,chatmill_operations}'),
      ('accept_revocation', '{chatmill_ingress,chatmill_operations}'),
      ('accept_reaction', '{chatmill_ingress,chatmill_operations}'),
      ('accept_watermark', '{chatmill_ingress,chatmill_operations}'),
      ('accept_echo', '{chatmill_ingress,chatmill_operations}'),
      ('accept_handover', '{chatmill_ingress,chatmill_operations}'),
      ('accept_identity', '{chatmill_ingress,chatmill_operations}'),
      ('accept_opt_out', '{chatmill_ingress,chatmill_operations}'),
      ('accept_notice', '{chatmill_ingress,chatmill_operations}'),
      ('last_reply', '{chatmill_ingress,chatmill_operations}'),
      ('earlier_of_album', '{chatmill_ingress,chatmill_operations}'),
      ('channels_to_check', '{chatmill_operations}'),
      ('report_channel_problem', '{chatmill_ingress,chatmill_operations}'),
      ('report_silent_channels', '{chatmill_operations}'),
      ('give_back_conversations', '{chatmill_operations}'),
      ('fail_unreached_replies', '{chatmill_operations}'),
      ('read_web_chatbot', '{chatmill_ingress}'),
      ('start_web_session', '{chatmill_ingress}'),
      ('find_web_session', '{chatmill_ingress}'),
      ('read_web_lines', '{chatmill_ingress}'),
      ('read_web_states', '{chatmill_ingress}'),
      ('store_web_upload', '{chatmill_ingress}'),
      ('find_web_upload', '{chatmill_ingress}'),
      ('read_web_upload', '{chatmill_worker}'),
      ('take_web_tokens', '{chatmill_ingress}'),
      ('write_as_teammate', '{chatmill_ingress}'),
      ('set_web_mode', '{chatmill_ingress}'),
      ('forget_web_contact', '{chatmill_ingress}'),
      ('forget_web_leftovers', '{chatmill_operations}'),
      ('claim_outgoing_event', '{chatmill_operations}'),
      ('settle_outgoing_event', '{chatmill_operations}'),
      ('forget_outgoing_events', '{chatmill_operations}'),
      ('tg_inbound_messages__publish', '{}'),
      ('tg_outbound_messages__publish', '{}'),
      ('tg_messages__publish', '{}'),
      ('tg_conversations__publish', '{}'),
      ('finish_delivery', '{chatmill_ingress,chatmill_operations}'),
      ('claim_conversation', '{chatmill_worker}'),
      ('enter_conversation', '{chatmill_worker}'),
      ('enter_turn', '{chatmill_worker}'),
      ('enter_sign_in', '{chatmill_worker}'),
      ('keep_renewed_tokens', '{chatmill_worker}'),
      ('give_back_turn', '{chatmill_worker}'),
      ('enter_outbound_message', '{chatmill_worker}'),
      ('raise_conversation_alert', '{chatmill_worker}'),
      ('reserve_usage', '{chatmill_worker}'),
      ('settle_usage', '{chatmill_worker}'),
      ('release_usage', '{chatmill_worker}'),
      ('book_lost_call', '{chatmill_worker}'),
      ('claim_limit_notice', '{chatmill_worker}'),
      ('set_period_limits', '{}'),
      ('tg_turns__release_usage', '{}'),
      ('enter_source', '{chatmill_knowledge}'),
      ('enter_ingestion', '{chatmill_knowledge}'),
      ('take_due_sources', '{chatmill_knowledge}'),
      ('reading_seconds', '{chatmill_knowledge}'),
      ('has_chunk_room', '{chatmill_knowledge}'),
      ('raise_source_alert', '{chatmill_knowledge}'),
      ('tg_sources__keep_limits', '{}'),
      ('tg_documents__alert_held', '{}'),
      ('enter_organization', '{chatmill_knowledge}'),
      ('organizations_with_new_questions', '{chatmill_knowledge}'),
      ('chunk_sets_to_divide', '{chatmill_knowledge}'),
      ('questions_to_group', '{chatmill_knowledge}'),
      ('draft_answers', '{chatmill_knowledge}'),
      ('forget_old_knowledge', '{chatmill_knowledge}'),
      ('beat', '{chatmill_operations}'),
      ('begin_sweep', '{chatmill_operations}'),
      ('end_sweep', '{chatmill_operations}'),
      ('conversations_left_behind', '{chatmill_operations}'),
      ('conversations_in_doubt', '{chatmill_operations}'),
      ('alert_stuck_turns', '{chatmill_operations}'),
      ('expect_flows', '{chatmill_operations}'),
      ('take_left_behind_delivery', '{chatmill_operations}'),
      ('find_channel_of_delivery', '{chatmill_operations}'),
      ('forget_accepted_deliveries', '{chatmill_operations}'),
      ('forget_attachments', '{chatmill_operations}'),
      ('forget_sign_ins', '{chatmill_operations}'),
      ('tg_inbound_messages__forget_attachment', '{}'),
      ('release_expired_holds', '{chatmill_operations}'),
      ('open_coming_usage_periods', '{chatmill_operations}'),
      ('report_ended_usage_periods', '{chatmill_operations}'),
      ('forget_usage_days', '{chatmill_operations}'),
      ('claim_alert', '{chatmill_operations}'),
      ('settle_alert', '{chatmill_operations}'),
      ('put_off_alerts', '{chatmill_operations}'),
      ('alerts_waiting', '{chatmill_operations}'),
      ('forget_alerts', '{chatmill_operations}')
    ) as opened (name, roles)
  loop
    perform open_function(v_row.name, v_row.roles::text[]);
  end loop;

  for v_row in
    select pg_proc.oid::regprocedure as name, proname = any(v_internal) as is_internal, prosecdef,
           array_to_string(proacl, ',') ~ '(^|,)=X' or proacl is null as is_public
      from pg_proc
     where pronamespace = 'public'::regnamespace
       and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
  loop
    if v_row.is_public then
      execute format('revoke all on function %s from public', v_row.name);
    end if;
    if not v_row.prosecdef and not v_row.is_internal then
      execute format(
        'grant execute on function %s to chatmill_worker, chatmill_knowledge', v_row.name);
    end if;
    execute format('grant execute on function %s to chatmill_scheduler', v_row.name);
  end loop;

  for v_row in
    select oid::regclass as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname !~ 'yoyo'
  loop
    execute format('grant select, insert, update, delete on %s to chatmill_scheduler', v_row.name);
  end loop;
end;
$$ language plpgsql volatile;
comment on function apply_access is
  'Isolates new tables and brings every right of the runtime roles to what its two tables say; a table or function that is not made yet is left out.';

do $$
begin
  perform isolate_table('organizations', 'id');
  perform apply_access();
end
$$;

grant usage on schema public
  to chatmill_scheduler, chatmill_ingress, chatmill_worker, chatmill_operations, chatmill_knowledge;

-- A temporary table would stay in a pooled connection and stand in for ours in the next
-- transaction; a table or function in our schema would do so for everybody.
do $$
begin
  execute format('revoke create, temporary on database %I from public', current_database());
  revoke create on schema public from public;
exception when insufficient_privilege then
  raise warning 'not the owner of the database: have its owner revoke CREATE and TEMPORARY from public';
end
$$;

-- Every role may call these, and they reach beyond a transaction and past row-level security:
-- large objects stay and are seen by all sessions of a login, and a session may end those of its
-- own login, which work for other organizations.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select oid from pg_proc
     where pronamespace = 'pg_catalog'::regnamespace
       and proname ~ '^(lo_.*|loread|lowrite|pg_terminate_backend|pg_cancel_backend)$'
  loop
    execute format('revoke execute on function %s from public', v_function);
  end loop;
exception when insufficient_privilege then
  raise warning 'no superuser: have one revoke EXECUTE on lo_*, loread, lowrite, pg_terminate_backend and pg_cancel_backend from public';
end
$$;

do $$
declare
  v_row record;
begin
  for v_row in
    select role, split_part(setting, '=', 1) as name, split_part(setting, '=', 2) as value
      from unnest(array['chatmill_ingress', 'chatmill_worker', 'chatmill_operations',
                        'chatmill_knowledge']) as role
     cross join lateral unnest(runtime_settings(role)) as setting
     where not exists (
       select from pg_roles where rolname = role and rolconfig @> array[setting]
     )
  loop
    begin
      execute format('alter role %I set %I = %L', v_row.role, v_row.name, v_row.value);
    exception when insufficient_privilege then
      raise warning 'role %: % could not be set to %', v_row.role, v_row.name, v_row.value;
    end;
  end loop;
end
$$;
