"""One organization a transaction: proved, not claimed, and gone with the transaction."""

import psycopg2
import pytest

from f.shared.db import connect
from f.shared.errors import Misconfigured, UpstreamDown
from local import installation
from local.logins import role_resources
from local.migrations import migrate, roll_back
from local.postgres import data_source_name
from tests.conftest import CHANNEL_ID, ORGANIZATION_ID
from tests.db.statements import refused, run

REFUSED = "42501"


@pytest.fixture
def held(query, arrive, thinking):
    """(turn id, fence) of the demo's turn; another organization has a row in every place too."""
    other = query("insert into organizations (plan_id, name) values ('demo', 'Other') returning id")
    query(
        "insert into chatbots (organization_id, name, instructions, unknown_reply)"
        " values (%s, 'Canary', 'canary', 'canary')",
        other[0][0],
    )
    _, turn_id, fence = thinking
    return turn_id, fence


@pytest.fixture
def worker(database):
    connection = psycopg2.connect(data_source_name(database))
    yield connection
    connection.close()


def other_organization(query) -> str:
    return query("select id::text from organizations where name = 'Other'")[0][0]


def test_x01_a_turn_opens_its_own_organization_and_no_other(worker, held):
    run(worker, "select 1 from enter_turn(%s, %s)", *held)

    assert run(worker, "select id::text from organizations") == [(ORGANIZATION_ID,)]
    assert run(worker, "select name from chatbots where name = 'Canary' or true") == [("Nora",)]


def test_x02_without_a_proof_every_table_is_closed(worker, query):
    tables = query("select oid::regclass::text from pg_class where relrowsecurity")

    for (table,) in tables:
        assert refused(worker, f"select 1 from {table}") == REFUSED, table
        worker.rollback()
    assert len(tables) > 15


def test_x03_nothing_stays_in_a_connection_that_is_used_again(database):
    with connect(database) as first:
        run(
            first,
            "select set_config('statement_timeout', '1', false),"
            " set_config('chatmill.ticket', 'x', false)",
        )

    with connect(database) as second:
        left = run(
            second,
            "select current_setting('statement_timeout'), current_setting('chatmill.ticket', true)",
        )

    assert (first is second, left) == (True, [("5s", "")])


def test_x04_a_row_can_not_point_into_another_organization(worker, query, held):
    turn_id, fence = held
    run(worker, "select 1 from enter_turn(%s, %s)", turn_id, fence)
    insert = "insert into messages (organization_id, conversation_id, turn_id, author, position,"
    insert += " body, written_at) values (%s, gen_random_uuid(), %s, 'contact', 0, 'x', now())"

    assert refused(worker, insert, ORGANIZATION_ID, turn_id) == "23503"
    worker.rollback()
    run(worker, "select 1 from enter_turn(%s, %s)", turn_id, fence)
    assert refused(worker, insert, other_organization(query), turn_id) == REFUSED


@pytest.mark.parametrize("forge", ["", "x", "flipped", "of another", "of before"])
def test_x10_a_ticket_can_not_be_made_changed_or_kept(worker, query, held, forge):
    run(worker, "select 1 from enter_turn(%s, %s)", *held)
    ticket = run(worker, "select current_setting('chatmill.ticket')")[0][0]
    other = other_organization(query)
    forged = {
        "flipped": ticket[:-1] + ("0" if ticket[-1] != "0" else "1"),
        "of another": f"{other}.{ticket.split('.')[1]}",
        "of before": ticket,
    }.get(forge, forge)
    if forge == "of before":
        worker.commit()
    run(worker, "select set_config('chatmill.ticket', %s, true)", forged)

    assert refused(worker, "select 1 from messages") == REFUSED


def test_a_transaction_that_proved_one_organization_proves_no_other(worker, query, held):
    run(worker, "select 1 from enter_turn(%s, %s)", *held)

    assert refused(worker, "select prove_organization(%s)", other_organization(query)) == REFUSED
    both = "select prove_organization(%s), prove_organization(%s)"
    with pytest.raises(psycopg2.Error, match="has proved another organization"):
        query(both, ORGANIZATION_ID, other_organization(query))


def test_a_proof_is_taken_back_with_its_savepoint(worker, held):
    with worker.cursor() as cursor:
        cursor.execute("savepoint before")
        cursor.execute("select from enter_turn(%s, %s)", held)
        cursor.execute("rollback to before")

    assert refused(worker, "select 1 from messages") == REFUSED


@pytest.mark.parametrize(
    "statement",
    [
        "create table t ()",
        "create temporary table messages (body text)",
        "create function f() returns int as 'select 1' language sql",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
        "select * from ticket_key",
        "select ticket_for('0a000000-0000-4000-8000-000000000001')",
        "select draw_ticket_key()",
        "select apply_access()",
        "set role chatmill_scheduler",
        "set session authorization postgres",
        "alter role chatmill_worker bypassrls",
        "alter table messages disable row level security",
        "select rolpassword from pg_authid",
        "delete from messages",
        "truncate messages",
    ],
)
def test_a02_a_worker_does_only_what_turns_need(worker, statement):
    assert refused(worker, statement) == REFUSED


def test_query_texts_of_others_of_the_same_role_are_not_shown(worker, database, query):
    with connect(database) as other:
        run(other, "select 'what a contact wrote'")
        seen = run(worker, "select query from pg_stat_activity where usename = current_user")

    assert not any("contact" in text for (text,) in seen)


def test_what_receives_can_find_a_channel_and_read_nothing(databases, whatsapp):
    with connect(databases["f/channels/ingress_database"]) as ingress:
        assert run(ingress, "select id::text from find_channel('demo-whatsapp')") == [(CHANNEL_ID,)]
        assert run(ingress, "select 1 from find_channel('demo-whatsap')") == []
    for table in ("inbound_messages", "messages", "chunks", "channels", "webhook_deliveries"):
        with pytest.raises(Misconfigured), connect(databases["f/channels/ingress_database"]) as one:
            run(one, f"select 1 from {table}")


def test_d07_a_lock_that_does_not_come_is_worth_a_retry(database, conn, query, arrive, held):
    conn.autocommit = False
    query("select from turns for update")

    with pytest.raises(UpstreamDown), connect(database) as worker:
        run(worker, "set local lock_timeout = '10ms'; select 1 from enter_turn(%s, %s)", *held)
        run(worker, "update turns set state = state returning 1")
    conn.rollback()


def test_an_owner_without_superuser_migrates_seeds_and_installs(postgres, query, owner, conn):
    query("create role installer login createrole password 'x'")
    query("create database installed owner installer")
    with_extension, logins = {**owner, "dbname": "installed"}, {}
    try:
        with psycopg2.connect(data_source_name(with_extension)) as superuser:
            superuser.cursor().execute("create extension vector")
        superuser.close()
        for role in ("scheduler", "ingress", "worker", "operations", "knowledge"):
            query(f"grant chatmill_{role} to installer with admin option")
        resource = {**with_extension, "user": "installer", "password": "x"}

        assert len(migrate(resource)) > 10
        assert installation.channels_of(resource, installation.DEMO_ORGANIZATION)["web"].url_key
        installation.make_organization(resource)
        logins = role_resources(resource, "the installer's")
        with connect(logins["f/channels/ingress_database"]) as ingress:
            assert run(ingress, "select 1 from find_channel('demo-web-chat')") == [(1,)]
        assert len(roll_back(resource, 3)) == 3 and len(migrate(resource)) == 3
    finally:
        query("drop database installed with (force)")
        for login in logins.values():
            query(f"drop role {login['user']}")
        query("drop owned by installer; drop role installer")
