"""What goes out: sent once, told apart when nobody knows, settled by receipts, remembered."""

import pytest

from tests.db.turns import claim, commit, gather

NEXT_MESSAGE = "select outcome from claim_outbound_message(%s, %s)"


def let_the_grace_pass(query):
    query("update channels set receipt_grace_seconds = 1")
    query("update outbound_messages set sending_at = now() - interval '3 minutes'")


def test_k09_a_cut_off_send_without_a_receipt_is_sent_once_more_and_then_unknown(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)

    outcomes = [query(NEXT_MESSAGE, turn_id, fence)[0][0] for _ in range(2)]
    for _ in range(2):
        let_the_grace_pass(query)
        outcomes += [query(NEXT_MESSAGE, turn_id, fence)[0][0]]

    assert outcomes == ["send", "wait", "send", "unknown"]
    assert query("select code from alerts") == [("delivery_unknown",)]


def test_a_channel_without_receipts_never_repeats_a_cut_off_send(query, thinking):
    _, turn_id, fence = thinking
    query("update channels set after_silence = 'unknown'")
    commit(query, turn_id, fence)
    query(NEXT_MESSAGE, turn_id, fence)
    let_the_grace_pass(query)

    outcomes = [query(NEXT_MESSAGE, turn_id, fence)[0][0] for _ in range(2)]

    assert outcomes == ["unknown", "done"]


@pytest.mark.parametrize(
    "outage",
    [
        # Schedules began again a moment ago: until then no webhook could be received either.
        "insert into installation_pulse values (true, now(), now())",
        "insert into installation_pulse values (true, now() - interval '1 minute', '-infinity')",
        "insert into webhook_deliveries (organization_id, channel_id, body, received_at)"
        " select organization_id, id, '{}', now() - interval '1 hour' from channels"
        " where kind = 'whatsapp'",
    ],
    ids=["just up again", "down", "not read yet"],
)
def test_d03_the_grace_does_not_run_while_no_receipt_could_come(query, thinking, outage):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query(NEXT_MESSAGE, turn_id, fence)
    let_the_grace_pass(query)

    query(outage)

    assert query(NEXT_MESSAGE, turn_id, fence) == [("wait",)]


def test_what_came_after_the_grace_is_not_waited_for(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query(NEXT_MESSAGE, turn_id, fence)
    let_the_grace_pass(query)

    query(
        "insert into webhook_deliveries (organization_id, channel_id, body)"
        " select organization_id, id, '{}' from channels where kind = 'whatsapp'"
    )

    assert query(NEXT_MESSAGE, turn_id, fence) == [("send",)]


def test_waiting_for_a_receipt_is_no_failed_attempt(query, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query("select begin_attempt(%s, %s)", turn_id, fence)

    query("select postpone_turn(%s, %s, 2)", turn_id, fence)

    assert query("select attempts from turns") == [(0,)]
    assert claim(query, conversation_id)[0] == "too_early"


def test_a_receipt_wakes_whoever_waits_for_it(query, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence)
    message_id = query("select id from claim_outbound_message(%s, %s)", turn_id, fence)[0][0]
    query("select postpone_turn(%s, %s, 100)", turn_id, fence)

    query(
        "select accept_receipt((select id from channels where kind = 'whatsapp'),"
        " 'wamid.out', 'delivered', %s, null, now())",
        str(message_id),
    )

    assert claim(query, conversation_id)[0] == "claimed"


def test_k10_k11_a_receipt_settles_a_cut_off_send(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    message_id = query("select id from claim_outbound_message(%s, %s)", turn_id, fence)[0][0]

    query(
        "select accept_receipt((select id from channels where kind = 'whatsapp'),"
        " 'wamid.out', 'delivered', %s, null, now())",
        str(message_id),
    )

    assert query("select state, provider_message_id from outbound_messages") == [
        ("delivered", "wamid.out")
    ]


def test_w18_a_late_receipt_never_moves_a_message_backwards(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    message_id = str(query("select id from outbound_messages")[0][0])
    receive = (
        "select accept_receipt((select id from channels where kind = 'whatsapp'),"
        " 'wamid.out', %s, %s, null, now())"
    )

    for status in ("read", "delivered", "sent", "read"):
        query(receive, status, message_id)

    assert query("select state from outbound_messages") == [("read",)]
    assert query("select count(*) from delivery_receipts") == [(3,)]


def test_history_is_written_once_and_in_order(query, arrive, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence, ("Soon.", "Anything else?"))

    for _ in range(2):
        query("select save_turn_messages(%s)", turn_id)

    assert query("select author, body from messages order by id") == [
        ("contact", "Where is my order?"),
        ("chatbot", "Soon."),
        ("chatbot", "Anything else?"),
    ]


def test_a_delivery_that_failed_after_it_was_sent_is_an_alert(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    message_id = str(query("select id from outbound_messages")[0][0])

    for _ in range(2):
        query(
            "select accept_receipt((select id from channels where kind = 'whatsapp'),"
            " 'wamid.out', 'failed', %s, '131026', now())",
            message_id,
        )

    assert query("select state, error_code from outbound_messages") == [("failed", "131026")]
    assert query("select code, occurrences from alerts") == [("delivery_refused", 1)]


def test_a_buried_turn_leaves_no_message_that_looks_as_if_it_were_on_its_way(query, thinking):
    conversation_id, turn_id, fence = thinking
    commit(query, turn_id, fence, ("One.", "Two."))
    query("select claim_outbound_message(%s, %s)", turn_id, fence)
    query("update turns set attempts = 5")
    query("update conversation_work set lease_until = now() - interval '1 second'")
    _, fence, arrivals = claim(query, conversation_id)

    gather(query, conversation_id, fence, arrivals)

    assert query("select state from outbound_messages order by position") == [
        ("unknown",),
        ("failed",),
    ]


def test_another_channels_receipt_changes_nothing(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    message_id = str(query("select id from outbound_messages")[0][0])

    query(
        "select accept_receipt((select id from channels where kind = 'web'),"
        " 'wamid.out', 'read', %s, null, now())",
        message_id,
    )

    assert query("select state from outbound_messages") == [("ready",)]
