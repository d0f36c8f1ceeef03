"""A chat that is deleted leaves nothing; what is old is forgotten."""

from f.shared.db import connect
from tests.db.turns import claim, gather
from tests.local.web_chat import PNG, answered


def test_a_visitor_has_their_chat_deleted_with_everything_in_it(page, stranger, query):
    page.upload(PNG)
    page.say("My number is 4111")
    answered(query, "Noted.")
    stranger.say("Mine stays")
    used = query("select messages_used, tokens_used from usage_periods")

    assert page.call("DELETE", page.session).status == 204

    assert page.poll().code == "session_token_invalid"
    for table in ("inbound_messages", "webhook_deliveries"):
        assert query(f"select count(*) from {table}") == [(1,)]
    for table in ("outbound_messages", "messages", "turns", "web_uploads"):
        assert query(f"select count(*) from {table}") == [(0,)]
    assert query("select messages_used, tokens_used from usage_periods") == used


def test_a_chat_that_is_deleted_while_it_is_answered_gives_its_reservation_back(page, query):
    page.say("Hello")
    [(conversation_id,)] = query("select id::text from conversations")
    _, fence, arrivals = claim(query, conversation_id)
    gather(query, conversation_id, fence, arrivals)

    assert page.call("DELETE", page.session).status == 204
    assert query("select tokens_reserved, messages_used from usage_periods") == [(0, 0)]


def test_leftovers_are_forgotten(page, query, operations_database):
    page.upload(PNG)
    query("update web_sessions set expires_at = now() - interval '2 days'")
    query("update web_uploads set created_at = now() - interval '31 days'")
    query("update rate_buckets set refilled_at = now() - interval '2 days'")
    with connect(operations_database) as conn, conn.cursor() as cursor:
        cursor.execute("select forget_web_leftovers()")

    for table in ("web_sessions", "web_uploads", "rate_buckets"):
        assert query(f"select count(*) from {table}") == [(0,)]
