"""Two connections at once, each interleaving that could lose a message or double a reply."""

import psycopg2
import pytest

from tests.conftest import CHANNEL_ID, connected
from tests.db.locks import ask, wait_until_blocked
from tests.db.turns import claim, commit, finish, gather

ARRIVE = (
    "select wait_seconds from accept_message(%s, '15550001', null, null, %s, 'text', 'more',"
    " null, null, now())"
)


def test_a_message_that_is_being_accepted_while_the_turn_ends_is_answered_next(
    query, other, later, thinking
):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    ask(other, ARRIVE, CHANNEL_ID, "wamid.race")

    # The release waits for the arrival's lock, and must see what the arrival wrote.
    ending = later(finish, query, turn_id, fence)
    wait_until_blocked(other)
    other.commit()

    assert ending.result()[-1] == 0


def test_a_message_accepted_while_the_turn_is_being_released_wakes_its_own_flow(
    query, other, later, database, thinking
):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query("update turns set sent_at = now(), saved_at = now()")
    ask(other, "select complete_turn(%s, %s, 'charged')", turn_id, fence)

    with connected(database) as third:
        arriving = later(ask, third, ARRIVE, CHANNEL_ID, "wamid.race")
        wait_until_blocked(other)
        other.commit()

        assert arriving.result() == (0,)
        third.commit()


def test_two_workers_never_have_the_same_conversation(query, other, later, arrive):
    _, conversation_id, _ = arrive("Hi")
    first = ask(other, "select outcome from claim_conversation(%s)", conversation_id)

    second = later(claim, query, conversation_id)
    wait_until_blocked(other)
    other.commit()

    assert (first, second.result()[0]) == (("claimed",), "busy")


def test_a_takeover_waits_for_a_commit_or_is_seen_by_it(query, other, later, thinking):
    _, turn_id, fence = thinking
    ask(other, "update conversations set mode = 'human' returning mode")

    committing = later(commit, query, turn_id, fence)
    wait_until_blocked(other)
    other.commit()

    assert committing.result() == "held"
    assert query("select count(*) from outbound_messages") == [(0,)]


def test_a_write_that_is_under_way_keeps_the_next_claim_waiting(query, other, later, thinking):
    conversation_id, turn_id, fence = thinking
    query("update conversation_work set lease_until = now() - interval '1 second'")
    ask(other, "select commit_turn(%s, %s, '{Soon.}', '{}', false)", turn_id, fence)

    claiming = later(claim, query, conversation_id)
    wait_until_blocked(other)
    other.commit()
    _, new_fence, arrivals = claiming.result()

    assert gather(query, conversation_id, new_fence, arrivals)[1] == "finish_again"


@pytest.mark.parametrize(
    "write",
    [
        "select gather_turn(%(conversation)s, %(fence)s, 1, 'm', 8000, 5)",
        "select commit_turn(%(turn)s, %(fence)s, '{x}', '{}', false)",
        "select claim_outbound_message(%(turn)s, %(fence)s)",
        "select complete_turn(%(turn)s, %(fence)s, 'sent')",
        "select charge_turn(%(turn)s, %(fence)s)",
    ],
)
def test_o07_k14_every_write_of_a_worker_that_came_late_is_refused(conn, query, thinking, write):
    conversation_id, turn_id, fence = thinking
    query("update conversation_work set lease_until = now() - interval '1 second'")
    claim(query, conversation_id)

    with pytest.raises(psycopg2.Error) as refused, conn.cursor() as cursor:
        cursor.execute(write, {"conversation": conversation_id, "turn": turn_id, "fence": fence})

    assert refused.value.pgcode == "STALE"
