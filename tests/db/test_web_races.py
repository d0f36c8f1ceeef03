"""Two connections at once at what pages read and at what is posted to organizations."""

import psycopg2
import pytest

from tests.conftest import connected

ADD_LINE = (
    "insert into messages (organization_id, conversation_id, author, position, body, written_at)"
    " select organization_id, id, 'teammate', 0, %s, now() from conversations"
)


@pytest.fixture
def conversation(query):
    """A visitor's, with nothing in it."""
    [(channel_id,)] = query("select id from channels where kind = 'web'")
    query("select * from start_web_session(%s, %s, null, null, null)", channel_id, "0" * 64)
    return query("select id::text from conversations")[0][0]


def ask(connection, text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchone() if cursor.description else None


def test_a_line_waits_for_the_one_before_it_so_a_page_misses_none(owner, query, conversation):
    with connected(owner) as first, connected(owner) as second:
        ask(first, ADD_LINE, "One")
        ask(second, "set lock_timeout = '50ms'")

        with pytest.raises(psycopg2.errors.LockNotAvailable):
            ask(second, ADD_LINE, "Two")

        first.commit()
        second.rollback()
        ask(second, ADD_LINE, "Two")
        second.commit()
    assert query(
        "select number, body from web_lines join messages on messages.id = message_id"
    ) == [
        (1, "One"),
        (2, "Two"),
    ]


def test_a_line_that_is_rolled_back_leaves_no_gap(owner, query, conversation):
    with connected(owner) as first:
        ask(first, ADD_LINE, "Never")
        first.rollback()
    query(ADD_LINE, "One")

    assert query("select number from web_lines") == [(1,)]


def test_conversations_of_vendors_have_no_lines(arrive, query):
    arrive("Hello")

    assert query("select count(*) from web_lines") == [(0,)]


def test_two_workers_never_post_the_same_event_at_once(owner, query, arrive):
    query(
        "insert into webhook_endpoints (organization_id, url, sealed_secret)"
        " select id, 'https://shop.example/', 'x' from organizations"
    )
    arrive("One")
    arrive("Two")
    with connected(owner) as first, connected(owner) as second:
        claimed = [ask(each, "select id from claim_outgoing_event()") for each in (first, second)]
        third = ask(second, "select id from claim_outgoing_event()")
        first.commit()
        second.commit()

    assert len(set(claimed)) == 2 and third is None


def test_an_event_is_there_only_if_what_happened_is(owner, query, arrive):
    query(
        "insert into webhook_endpoints (organization_id, url, sealed_secret)"
        " select id, 'https://shop.example/', 'x' from organizations"
    )
    arrive("One")
    with connected(owner) as first:
        ask(first, "update conversations set mode = 'human'")
        first.rollback()

    assert query("select kind from outgoing_events") == [("message.created",)]
