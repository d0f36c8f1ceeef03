"""What must hold of every table, function, trigger and key, asked from the catalogue."""

import re

from local.places import ROOT

OURS = "not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')"


def test_every_table_says_what_one_row_is(query):
    uncommented = query(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind = 'r' and relname !~ 'yoyo'"
        " and coalesce(obj_description(oid, 'pg_class'), '') !~ '^One row per '"
    )

    assert uncommented == []


def test_every_function_has_a_comment_and_no_volatile_default(query):
    uncommented = query(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        f" and {OURS} and obj_description(oid, 'pg_proc') is null"
    )

    assert uncommented == []


def test_every_trigger_has_a_number_and_a_comment(query):
    wrong = query(
        "select tgname from pg_trigger where not tgisinternal"
        " and (tgname !~ '^_[0-9]{3}_[a-z_]+$' or obj_description(oid, 'pg_trigger') is null)"
    )

    assert wrong == []


def test_every_state_column_explains_its_moves(query):
    unexplained = query(
        "select attrelid::regclass from pg_attribute join pg_class on pg_class.oid = attrelid"
        " where relnamespace = 'public'::regnamespace and relkind = 'r'"
        " and attname in ('state', 'mode') and col_description(attrelid, attnum) is null"
    )

    assert unexplained == []


def test_a_row_can_never_point_into_another_organization(query):
    loose = query(
        """
        select conrelid::regclass, conname from pg_constraint
         where contype = 'f' and connamespace = 'public'::regnamespace
           and confrelid not in ('plans'::regclass, 'organizations'::regclass)
           and not exists (
             select from pg_attribute
              where attrelid = conrelid and attnum = any(conkey) and attname = 'organization_id')
        """
    )

    assert loose == []


def test_every_row_of_an_organization_names_it(query):
    silent = query(
        """
        select relname from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r' and relname !~ 'yoyo'
           and relname not in ('plans', 'prices', 'organizations', 'ticket_key', 'alert_outlet',
                               'installation_pulse')
           and not exists (
             select from pg_attribute where attrelid = pg_class.oid and attname = 'organization_id')
        """
    )

    assert silent == []


def test_every_foreign_key_has_an_index_that_starts_with_it(query):
    bare = query(
        """
        select conrelid::regclass, conname from pg_constraint
         where contype = 'f' and connamespace = 'public'::regnamespace
           and not exists (
             select from pg_index
              where indrelid = conrelid
                and (string_to_array(indkey::text, ' ')::int2[])[1:cardinality(conkey)] @> conkey
                and (string_to_array(indkey::text, ' ')::int2[])[1:cardinality(conkey)] <@ conkey)
        """
    )

    assert bare == []


# Few rows in each organization, or asked for by organization and nothing else.
SMALL = (
    *("channels", "chatbot_days", "chatbot_versions", "chatbots", "chunks", "documents"),
    *("embeddings", "eval_runs", "ingestion_chunks"),
    *("ingestion_sections", "ingestions", "model_slots", "sources", "tool_servers", "tools"),
)


def test_no_index_of_a_table_that_grows_with_messages_begins_with_the_organization(query):
    """Row-level security gives every query the condition on the organization: such an index is
    read through for all of the organization's rows wherever the planner thinks that they are few,
    which it does for the largest organization. Put the other column first."""
    tempting = query(
        """
        select indexrelid::regclass::text
          from pg_index
          join pg_class on pg_class.oid = indrelid and relnamespace = 'public'::regnamespace
          join pg_attribute as first on first.attrelid = indrelid and first.attnum = indkey[0]
          join pg_attribute as second on second.attrelid = indrelid and second.attnum = indkey[1]
         where first.attname = 'organization_id' and second.atttypid = 'uuid'::regtype
           and relname <> all(%s)
        """,
        list(SMALL),
    )

    assert tempting == []


def test_every_code_our_sql_raises_is_listed_and_mapped():
    from f.shared.db import ERRORS_BY_SQLSTATE

    migrations = "".join(p.read_text() for p in (ROOT / "db" / "migrations").glob("*.sql"))
    raised = set(re.findall(r"errcode = '(\w{5})'", migrations))
    listed = (ROOT / "docs" / "error_codes.md").read_text()

    assert raised and raised <= set(ERRORS_BY_SQLSTATE)
    assert all(f"`{code}`" in listed for code in raised)
