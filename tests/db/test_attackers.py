"""What somebody who can inject SQL into a step may not do to others: each was possible once, or
would be but for one line."""

import psycopg2
import pytest

from f.shared.db import connect
from local.logins import mend_settings
from local.postgres import data_source_name
from tests.conftest import ORGANIZATION_ID
from tests.db.statements import refused

REFUSED = "42501"


@pytest.fixture
def other(query) -> dict:
    """Another organization: ids of it, its chatbot and its channel."""
    [(organization_id,)] = query(
        "insert into organizations (plan_id, name) values ('demo', 'Other') returning id::text"
    )
    [(chatbot_id,)] = query(
        "insert into chatbots (organization_id, name, instructions, unknown_reply, limit_notice)"
        " values (%s, 'Canary', 'x', 'x', 'a secret of the other organization') returning id::text",
        organization_id,
    )
    [(channel_id,)] = query(
        "insert into channels (organization_id, chatbot_id, kind, name, url_key, account_id)"
        " values (%s, %s, 'web', 'x', 'other-channel', 'x') returning id::text",
        *(organization_id, chatbot_id),
    )
    return {"organization": organization_id, "channel": channel_id}


@pytest.fixture
def inside(database, thinking):
    """The worker's connection in a transaction that proved the demo's organization."""
    connection = psycopg2.connect(data_source_name(database))
    _, turn_id, fence = thinking
    with connection.cursor() as cursor:
        cursor.execute("select from enter_turn(%s, %s)", (turn_id, fence))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "call",
    [
        "claim_limit_notice(row(%(id)s, %(own)s, %(channel)s, {rest})::conversations)",
        "reserve_usage(row(%(id)s, %(own)s, %(channel)s, {rest})::conversations, %(id)s, 'm', 1)",
    ],
)
def test_a_conversation_that_was_made_up_opens_nothing_of_another_organization(
    query, inside, other, call
):
    columns = query("select attname from pg_attribute where attrelid = 'conversations'::regclass"
                    " and attnum > 0 and not attisdropped order by attnum")  # fmt: skip
    assert [name for (name,) in columns[:3]] == ["id", "organization_id", "channel_id"]
    [(contact_id,)] = query("select contact_id::text from conversations")
    rest = ", ".join(["%(contact)s" if n == "contact_id" else "null" for (n,) in columns[3:]])
    [(foreign,)] = query("select gen_random_uuid()::text")
    ids = {"id": foreign, "own": ORGANIZATION_ID, "channel": other["channel"]}

    with pytest.raises(psycopg2.Error) as error, inside.cursor() as cursor:
        cursor.execute("select " + call.format(rest=rest), {**ids, "contact": contact_id})

    assert error.value.pgcode == REFUSED


def test_an_alert_can_not_take_the_place_of_another_organizations(query, inside, other):
    of_other = f"usage_spent:{other['organization']}:2026-11-01"
    with inside.cursor() as cursor:
        cursor.execute(
            "insert into alerts (organization_id, fingerprint, severity, code, summary)"
            " values (%s, %s, 'info', 'usage_spent', 'x')",
            (ORGANIZATION_ID, of_other),
        )
    inside.commit()

    query("select raise_alert(%s, 'error', 'usage_spent', '2026-11-01', 'a secret')",
          other["organization"])  # fmt: skip

    told = query("select organization_id::text, summary, occurrences from alerts order by id")
    assert told == [(ORGANIZATION_ID, "x", 1), (other["organization"], "a secret", 1)]


@pytest.mark.parametrize(
    "insert",
    [
        "messages (id, organization_id, conversation_id, turn_id, author, position, body,"
        " written_at) overriding system value select 1000000, organization_id, conversation_id, id,"
        " 'contact', 99, 'x', now() from turns",
        "alerts (id, organization_id, fingerprint, severity, code, summary) overriding system value"
        " select 1000000, id, 'x', 'info', 'usage_spent', 'x' from organizations",
    ],
)
def test_nobody_takes_the_running_numbers_that_others_will_get(inside, insert):
    assert refused(inside, f"insert into {insert}") == REFUSED


@pytest.mark.parametrize(
    "statement",
    [
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select lo_creat(-1)",
        "select loread(lo_open(1, 262144), 10)",
        "select pg_terminate_backend(pg_backend_pid() + 1)",
        "select pg_cancel_backend(pg_backend_pid() + 1)",
        "drop owned by chatmill_worker",
        "select setval('messages_id_seq', 1)",
        "select nextval('messages_id_seq')",
        "select last_value from messages_id_seq",
        "create function pg_temp.f() returns int as 'select 1' language sql",
    ],
)
def test_no_step_does_what_reaches_beyond_its_transaction(inside, statement):
    assert refused(inside, statement) == REFUSED


LEFT_BEHIND = {
    "set role chatmill_worker": "select current_user = session_user",
    "select pg_advisory_lock(7)": "select count(*) = 0 from pg_locks"
    " where locktype = 'advisory' and pid = pg_backend_pid()",
    "set search_path = pg_catalog": "select current_setting('search_path') ~ 'public'",
    "set default_transaction_read_only = on": "select not current_setting("
    "'default_transaction_read_only')::boolean",
    "prepare stolen as select 1": "select count(*) = 0 from pg_prepared_statements",
    "declare kept cursor with hold for select 1": "select count(*) = 0 from pg_cursors",
    "listen canary": "select count(*) = 0 from pg_listening_channels()",
    "set time zone 'Asia/Tokyo'": "select current_setting('timezone') <> 'Asia/Tokyo'",
    "set client_encoding = 'LATIN1'": "select current_setting('client_encoding') <> 'LATIN1'",
}


@pytest.mark.parametrize("statement", LEFT_BEHIND)
def test_x03_what_one_transaction_left_in_its_session_is_gone_for_the_next(database, statement):
    with connect(database) as first:
        first.cursor().execute(statement)

    with connect(database) as second, second.cursor() as cursor:
        cursor.execute(LEFT_BEHIND[statement])
        assert (first is second, cursor.fetchone()) == (True, (True,))


def test_what_a_login_did_to_itself_is_taken_back_by_the_next_start(conn, database, query):
    with connect(database) as worker, worker.cursor() as cursor:
        cursor.execute("alter role current_user set search_path = pg_catalog")
        cursor.execute("alter role current_user set statement_timeout = 0")

    mend_settings(conn.cursor(), database["user"], "chatmill_worker")

    [(kept,)] = query("select rolconfig from pg_roles where rolname = %s", database["user"])
    assert sorted(kept) == sorted(query("select runtime_settings('chatmill_worker')")[0][0])
