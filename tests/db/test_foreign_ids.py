"""Ids of another organization, and of one that is gone, lead nowhere."""

import pytest

from bench.canaries import fill
from tests.channels.test_receive_webhook import post, text_message
from tests.conftest import CHANNEL_ID

RUNTIME_ROLES = ("ingress", "worker", "operations", "knowledge")
SETTINGS = ("plans", "prices", "organizations", "chatbots", "channels")
ROWS_OF = (
    "select relname from pg_class join pg_attribute on attrelid = pg_class.oid"
    " where attname = 'organization_id' and relkind = 'r'"
    " and relnamespace = 'public'::regnamespace"
)


@pytest.fixture
def world(conn):
    """Two organizations with a row in every table."""
    world = fill(conn, 2)
    conn.autocommit = True
    return world


def test_x05_an_address_of_another_organization_answers_as_one_that_is_none(
    query, windmill, whatsapp, world
):
    mine, foreign = world.rows["channels"]
    session = world.rows["web_sessions"][0]
    query("update channels set is_active = false where id = %s", foreign["id"])

    def found(channel_id: str) -> list:
        return query("select conversation_id::text from find_web_session(%s, %s, %s)",
                     channel_id, session["id"], session["token_hash"])  # fmt: skip

    posted = [post(text_message("Hi"), channel=key) for key in (foreign["url_key"], "nobody-here")]

    assert found(mine["id"]) == [(session["conversation_id"],)]
    assert found(foreign["id"]) == found("0c000000-0000-4000-8000-0000000000ff") == []
    assert posted[0] == posted[1] and posted[0]["windmill_status_code"] == 404


def test_x08_no_step_can_change_what_leaves_an_organization_and_where_to(query):
    may = "has_any_column_privilege(%s, %s, 'insert, update, references')"

    allowed = [
        (role, table)
        for role in RUNTIME_ROLES
        for table in SETTINGS
        if query(f"select {may} or has_table_privilege(%s, %s, 'delete, truncate, trigger')",
                 *[f"chatmill_{role}", table] * 2) != [(False,)]
    ]  # fmt: skip

    assert allowed == []


def test_x14_an_organization_that_is_deleted_leaves_nothing_to_who_comes_after(query, world):
    gone, _ = world.organizations
    channel = world.rows["channels"][0]
    query("delete from organizations where id = %s", gone)

    of_gone = "select from {} where organization_id = %s"
    left = [table for (table,) in query(ROWS_OF) if query(of_gone.format(table), gone)]
    query("update channels set url_key = %s, account_id = %s where id = %s",
          channel["url_key"], channel["account_id"], CHANNEL_ID)  # fmt: skip

    assert left == []
    assert query(
        "select organization_id <> %s from find_channel(%s)", gone, channel["url_key"]
    ) == [(True,)]
    assert query("select count(*) from conversations where channel_id = %s", CHANNEL_ID) == [(0,)]
