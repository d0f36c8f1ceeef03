"""What breaks the rules of access, found in the catalogue and said in plain words."""

OURS = "not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')"
RUNTIME = "('chatmill_ingress', 'chatmill_worker', 'chatmill_operations', 'chatmill_knowledge')"
# Readable without a proved organization: they hold nothing of any.
COMMON_TABLES = "('plans', 'prices', 'installation_pulse')"

# A unique index tells by its error that a row exists. One that begins with organization_id or a
# random uuid tells nothing that isn't known already; these begin otherwise, and why they may:
UNIQUE_AND_HARMLESS = {
    "channels_have_their_own_url": "no runtime role writes channels",
    "channels_are_connected_once": "no runtime role writes channels",
    "inbound_messages_pkey": "a running number: says how many there are, not what",
    "messages_pkey": "a running number: says how many there are, not what",
    "sign_ins_pkey": "a hash of 256 random bits: nobody guesses one",
    "alerts_pkey": "a running number: says how many there are, not what",
}

ISOLATED = """
select relname || ' has organization_id and no forced row-level security: its migration has to end'
       ' with apply_access()'
  from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
   and (relname = 'organizations' or exists (
     select from pg_attribute where attrelid = pg_class.oid and attname = 'organization_id'))
   and not (relrowsecurity and relforcerowsecurity)
"""
POLICIES = """
select relname || ' must have the two policies of isolate_table() and no others'
  from pg_class left join pg_policy on polrelid = pg_class.oid
 where relnamespace = 'public'::regnamespace and relrowsecurity
 group by pg_class.oid, relname
having count(*) filter (where polcmd = '*' and polpermissive
         and (polname = 'own_organization'
              and pg_get_expr(polqual, polrelid) = pg_get_expr(polwithcheck, polrelid)
              and pg_get_expr(polqual, polrelid) ~ '^\\((organization_id|id) = '
                '\\( SELECT proved_organization\\(\\) AS proved_organization\\)\\)$'
              or polname = 'scheduler' and polroles = array['chatmill_scheduler'::regrole::oid])
       ) <> 2 or count(*) <> 2
"""
OWNERS = f"""
select rolname || ' owns ' || objid::text || ' in ' || classid::regclass
       || ': a runtime role owns nothing'
  from pg_shdepend join pg_roles on pg_roles.oid = refobjid
 where deptype = 'o'
   and exists (select from pg_roles as runtime where runtime.rolname in {RUNTIME}
                and pg_has_role(pg_roles.oid, runtime.oid, 'member') and not pg_roles.rolsuper)
   and dbid in (0, (select oid from pg_database where datname = current_database()))
"""
POWERS = """
select rolname || ' may not be superuser, create roles or databases, or pass row-level security'
  from pg_roles
 where rolname ~ '^chatmill_'
   and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
union all
select member.rolname || ' is a member of ' || granted.rolname || ', which sees all organizations'
  from pg_auth_members
  join pg_roles as member on member.oid = pg_auth_members.member
  join pg_roles as granted on granted.oid = pg_auth_members.roleid
 where member.rolname ~ '^chatmill_'
   and granted.rolname !~ '^chatmill_(ingress|worker|operations|knowledge)$'
"""
VIEWS = """
select relname || ' must be a plain view, "with (security_invoker = true)": it would show its'
       ' owner''s rows'
  from pg_class
 where relnamespace = 'public'::regnamespace
   and (relkind = 'm'
        or relkind = 'v' and not coalesce('security_invoker=true' = any(reloptions), false))
"""
DEFINERS = f"""
select pg_proc.oid::regprocedure
       || ' is security definer (or the scheduler''s) and not opened: add it to apply_access()'
  from pg_proc
 where pronamespace = 'public'::regnamespace and {OURS}
   and (prosecdef or proowner = 'chatmill_scheduler'::regrole)
   and not (prosecdef and proowner = 'chatmill_scheduler'::regrole
            and coalesce('search_path=public, pg_temp' = any(proconfig), false))
"""
PUBLIC = f"""
select pg_proc.oid::regprocedure
       || ' may be called by everybody: its migration has to end with apply_access()'
  from pg_proc
 where pronamespace = 'public'::regnamespace and {OURS}
   and (proacl is null
        or exists (select from aclexplode(proacl) where grantee = 0))
"""
ORACLES = f"""
select indexrelid::regclass
       || ' is unique and begins with a value that can be guessed: its error tells what other'
          ' organizations have. Begin it with a random uuid, or give the reason in the test'
  from pg_index
  join pg_class on pg_class.oid = indrelid and relnamespace = 'public'::regnamespace
  left join pg_attribute on attrelid = indrelid and attnum = indkey[0]
 where indisunique and relrowsecurity and coalesce(atttypid, 0) <> 'uuid'::regtype
   and indexrelid::regclass::text not in ({", ".join(f"'{name}'" for name in UNIQUE_AND_HARMLESS)})
"""
TABLES = f"""
select rolname || ' reads ' || relname || ', which has no row-level security'
  from pg_class cross join pg_roles
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
   and rolname in {RUNTIME} and not relrowsecurity and relname not in {COMMON_TABLES}
   and (has_table_privilege(rolname, pg_class.oid, 'select, insert, update, delete, truncate')
        or has_any_column_privilege(rolname, pg_class.oid, 'select'))
"""
PLACES = f"""
select rolname || ' may create temporary tables, which a pooled connection keeps'
  from pg_roles where rolname in {RUNTIME}
   and has_database_privilege(rolname, current_database(), 'temporary')
union all
select rolname || ' may create in our schema' from pg_roles
 where rolname ~ '^chatmill_' and has_schema_privilege(rolname, 'public', 'create')
"""
NUMBERS = f"""
select rolname || ' may choose ' || attrelid::regclass || '.' || attname || ', a running number'
       ' that others wait for: grant insert and update by column'
  from pg_attribute join pg_class on pg_class.oid = attrelid
 cross join pg_roles
 where relnamespace = 'public'::regnamespace and relkind = 'r' and attidentity <> ''
   and rolname in {RUNTIME}
   and (has_column_privilege(rolname, attrelid, attnum, 'insert')
        or has_column_privilege(rolname, attrelid, attnum, 'update'))
"""
BEYOND = f"""
select rolname || ' may call ' || pg_proc.oid::regprocedure || ', which reaches other sessions'
  from pg_proc cross join pg_roles
 where pronamespace = 'pg_catalog'::regnamespace and rolname in {RUNTIME}
   and proname ~ '^(lo_.*|loread|lowrite|pg_terminate_backend|pg_cancel_backend)$'
   and has_function_privilege(rolname, pg_proc.oid, 'execute')
"""
TIMEOUTS = f"""
select rolname || ' has no ' || wanted
  from pg_roles
 cross join unnest(array[
   'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) as wanted
 where (rolname in {RUNTIME} or rolname ~ '^chatmill_[a-z]+_[0-9a-f]{{8}}$')
   and not exists (select from unnest(rolconfig) as setting where setting ~ ('^' || wanted || '='))
"""
CHECKS = [
    *(ISOLATED, POLICIES, OWNERS, POWERS, VIEWS, DEFINERS, PUBLIC, ORACLES, TABLES),
    *(PLACES, NUMBERS, BEYOND, TIMEOUTS),
]


def findings(query) -> list[str]:
    return [sentence for check in CHECKS for (sentence,) in query(check.replace("%", "%%"))]
