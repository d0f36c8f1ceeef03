"""The turn store's SQL functions: one turn at a time, nothing lost, nothing twice."""

import psycopg2
import pytest

from tests.conftest import connected
from tests.db.turns import claim, commit, finish, gather


def test_a_message_delivered_twice_is_stored_once(query, arrive):
    first = arrive("Hi", message_id="wamid.A")

    second = arrive("Hi", message_id="wamid.A")

    assert (first[0], second[0]) == ("new", "duplicate")
    assert query("select count(*) from inbound_messages") == [(1,)]
    assert second[2] is None


def test_a_second_message_needs_no_second_flow(arrive):
    _, _, first_wait = arrive("Hi")

    _, _, second_wait = arrive("are you open?")

    assert (first_wait, second_wait) == (0, None)


def test_one_turn_gathers_everything_that_waits(query, arrive):
    _, conversation_id, _ = arrive("Hi")
    arrive("are you open?")

    _, fence, arrivals = claim(query, conversation_id)
    decision, _, turn_id = gather(query, conversation_id, fence, arrivals)

    assert decision == "answer"
    assert query("select body from inbound_messages where turn_id = %s order by id", turn_id) == [
        ("Hi",),
        ("are you open?",),
    ]


def test_a_conversation_is_claimed_by_one_worker_at_a_time(query, thinking):
    conversation_id, _, _ = thinking

    outcome, _, _ = claim(query, conversation_id)

    assert outcome == "busy"


def test_a_message_that_waits_for_more_is_not_claimed_too_early(query, arrive):
    query("update chatbots set debounce_seconds = 1.5")
    _, conversation_id, wait_seconds = arrive("Hi")

    outcome, _, _ = claim(query, conversation_id)

    assert outcome == "too_early"
    assert 2.5 < wait_seconds <= 3


def test_of_two_flows_that_come_too_early_one_hands_on(query, arrive):
    query("update chatbots set debounce_seconds = 1.5")
    _, conversation_id, _ = arrive("Hi")
    query("update conversation_work set nudged_for = now()")

    waits = [
        query("select wait_seconds from claim_conversation(%s)", conversation_id)[0][0]
        for _ in range(2)
    ]

    assert 0 < waits[0] <= 3
    assert waits[1] is None


def test_o07_a_worker_that_lost_its_lease_can_write_nothing(query, thinking):
    conversation_id, turn_id, old_fence = thinking
    query("update conversation_work set lease_until = now() - interval '1 second'")
    claim(query, conversation_id)

    with pytest.raises(psycopg2.Error) as refused:
        commit(query, turn_id, old_fence)

    assert refused.value.pgcode == "STALE"
    assert query("select count(*) from outbound_messages") == [(0,)]


def test_a_reply_is_committed_once_however_often_the_step_runs(query, thinking):
    _, turn_id, fence = thinking

    states = [commit(query, turn_id, fence), commit(query, turn_id, fence, ("Other.",))]

    assert states == ["answered", "answered"]
    assert query("select body, state from outbound_messages") == [("Soon.", "ready")]


def test_o10_a_teammate_who_took_over_silences_the_bot(query, thinking):
    _, turn_id, fence = thinking
    query("update conversations set mode = 'human'")

    state = commit(query, turn_id, fence)

    assert state == "held"
    assert query("select count(*) from outbound_messages") == [(0,)]
    assert query("select state from inbound_messages") == [("held",)]
    assert query("select messages_used, tokens_reserved from usage_periods") == [(0, 0)]


def test_messages_for_a_teammate_are_held_and_nothing_is_due(query, arrive):
    _, conversation_id, _ = arrive("Hi")
    query("update conversations set mode = 'human'")
    _, fence, arrivals = claim(query, conversation_id)

    decision, reason, _ = gather(query, conversation_id, fence, arrivals)

    assert (decision, reason) == ("hold", "human")
    assert query("select due_at, lease_until from conversation_work") == [(None, None)]


def test_the_last_part_to_finish_releases_the_conversation(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)

    waits = finish(query, turn_id, fence)

    assert waits == [None, None, None]
    assert query("select state from turns") == [("finished",)]
    assert query("select due_at, lease_until from conversation_work") == [(None, None)]


def test_a_message_that_came_while_thinking_is_due_when_the_turn_ends(query, arrive, thinking):
    _, turn_id, fence = thinking
    arrive("And one more thing")
    commit(query, turn_id, fence)

    *_, wait_seconds = finish(query, turn_id, fence)

    assert wait_seconds == 0


def test_an_arrival_during_a_release_is_not_lost(database, query, arrive, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    with connected(database) as other, other.cursor() as cursor:
        cursor.execute(
            "select wait_seconds from accept_message("
            "(select id from channels where kind = 'whatsapp'), '15550001', null, null,"
            " 'wamid.race', 'text', 'one more', null, null, now())"
        )
        other.commit()

    *_, wait_seconds = finish(query, turn_id, fence)

    assert wait_seconds == 0


def test_a_contact_known_by_number_stays_the_same_when_a_lasting_id_comes(query):
    meet = (
        "select meet_contact(organization_id, id, %s, %s, %s)::text"
        " from channels where kind = 'whatsapp'"
    )

    by_number = query(meet, "15550001", "15550001", "Ada")
    by_lasting_id = query(meet, "US.1349", "15550001", None)
    number_hidden = query(meet, "US.1349", None, None)

    assert by_number == by_lasting_id == number_hidden
    assert query("select contact_key, address, name from contacts") == [
        ("US.1349", "15550001", "Ada")
    ]


def test_an_unknown_time_zone_is_refused_where_it_is_written(query):
    with pytest.raises(psycopg2.Error, match="not recognized"):
        query("update organizations set time_zone = 'Atlantis/Capital'")
