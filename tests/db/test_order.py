"""What order messages come in, and who waits for whom."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.conftest import CHANNEL_ID, connected
from tests.db.turns import claim, commit, finish, gather

ACCEPT = (
    "select outcome from accept_message(%s, %s, null, null, %s, 'text', %s, null, null,"
    " now() - %s * interval '1 second')"
)
WEB_CHANNEL = "(select id from channels where kind = 'web')"
QUESTION = (
    "select string_agg(body, ' ' order by sent_at, id) from inbound_messages group by turn_id"
)


def answer(query, conversation_id):
    _, fence, arrivals = claim(query, conversation_id)
    decision, reason, turn_id = gather(query, conversation_id, fence, arrivals)
    if decision == "answer":
        commit(query, turn_id, fence)
        finish(query, turn_id, fence)
    return decision, reason


def test_o02_messages_that_overtook_each_other_are_read_in_the_order_they_were_written(
    query, arrive
):
    query(ACCEPT, CHANNEL_ID, "15550001", "wamid.2", "second", 1)
    query(ACCEPT, CHANNEL_ID, "15550001", "wamid.1", "first", 2)
    [(conversation_id,)] = query("select id from conversations")
    query("update conversation_work set due_at = now()")
    _, fence, arrivals = claim(query, conversation_id)

    gather(query, conversation_id, fence, arrivals)

    assert query(QUESTION) == [("first second",)]


def test_o03_the_first_messages_of_a_new_contact_at_once_open_one_conversation(query, database):
    barrier = Barrier(50)

    def write(number: int) -> str:
        with connected(database) as connection, connection.cursor() as cursor:
            barrier.wait()
            cursor.execute(ACCEPT, (CHANNEL_ID, "15550001", f"wamid.{number % 25}", "Hi", 0))
            connection.commit()
            return cursor.fetchone()[0]

    with ThreadPoolExecutor(50) as pool:
        outcomes = sorted(pool.map(write, range(50)))

    assert outcomes == ["duplicate"] * 25 + ["new"] * 25
    assert query("select count(*) from contacts") == query("select count(*) from conversations")
    assert query("select arrivals from conversation_work") == [(25,)]


def test_o05_one_person_on_two_channels_has_two_conversations_and_gets_each_reply_where_they_asked(
    query,
):
    query(ACCEPT, CHANNEL_ID, "15550001", "wamid.1", "Hi", 0)
    query(ACCEPT.replace("%s", WEB_CHANNEL, 1), "15550001", "web.1", "Hello", 0)
    query("update conversation_work set due_at = now()")

    for (conversation_id,) in query("select id from conversations"):
        answer(query, conversation_id)

    assert query(
        "select kind, count(*) from outbound_messages"
        " join conversations on conversations.id = conversation_id"
        " join channels on channels.id = channel_id group by kind order by kind"
    ) == [("web", 1), ("whatsapp", 1)]


def test_o06_a_conversation_that_hangs_keeps_no_other_waiting(query, database, thinking, arrive):
    _, turn_id, fence = thinking
    others = [arrive("Hi?", contact_key=f"1666{number:04d}")[1] for number in range(20)]

    with connected(database) as hanging, hanging.cursor() as cursor:
        cursor.execute("select from enter_turn(%s, %s)", (turn_id, fence))
        query("set lock_timeout = '200ms'")
        answered = [answer(query, conversation_id) for conversation_id in others]

    assert answered == [("answer", "messages_waiting")] * 20


@pytest.mark.parametrize("limit", [1, 3])
def test_w16_a_contact_who_floods_is_answered_within_their_limit_and_told_once(
    query, arrive, limit
):
    query("update chatbots set contact_daily_message_limit = %s, debounce_seconds = 0", limit)
    decisions = []
    for _ in range(limit + 3):
        for _ in range(20):
            _, conversation_id, _ = arrive("Hi?")
        decisions.append(answer(query, conversation_id))

    assert decisions[: limit + 1] == [("answer", "messages_waiting")] * limit + [
        ("answer", "contact_limit")
    ]
    assert decisions[limit + 1 :] == [("refuse", "contact_limit")] * 2
    assert query("select count(*) from outbound_messages") == [(limit + 1,)]


def test_k07_a_commit_that_is_cut_off_leaves_no_half_of_itself(query, database, thinking):
    _, turn_id, fence = thinking
    with connected(database) as dying, dying.cursor() as cursor:
        cursor.execute("select commit_turn(%s, %s, '{Soon.}', '{}', false)", (turn_id, fence))
        query("select pg_terminate_backend(%s, 5000)", dying.info.backend_pid)

    assert query("select state from turns") == [("thinking",)]
    assert query("select count(*) from outbound_messages") == [(0,)]
    assert query("select state from inbound_messages") == [("taken",)]
    assert commit(query, turn_id, fence) == "answered"
