"""What goes out: sent once, told apart when nobody knows, settled by receipts, remembered."""

from tests.db.turns import claim, commit, gather


def test_a_cut_off_send_is_never_repeated_and_ends_as_unknown(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    next_message = "select outcome from claim_outbound_message(%s, %s, 120)"

    outcomes = [query(next_message, turn_id, fence)[0][0] for _ in range(2)]
    query("update outbound_messages set sending_at = now() - interval '3 minutes'")
    outcomes += [query(next_message, turn_id, fence)[0][0] for _ in range(2)]

    assert outcomes == ["send", "wait", "unknown", "done"]
    assert query("select code from alerts") == [("delivery_unknown",)]


def test_a_receipt_settles_a_cut_off_send(query, thinking):
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    message_id = query("select id from claim_outbound_message(%s, %s, 120)", turn_id, fence)[0][0]

    query(
        "select accept_receipt((select id from channels where kind = 'whatsapp'),"
        " 'wamid.out', 'delivered', %s, null, now())",
        str(message_id),
    )

    assert query("select state, provider_message_id from outbound_messages") == [
        ("delivered", "wamid.out")
    ]


def test_a_late_receipt_never_moves_a_message_backwards(query, thinking):
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
    query("select claim_outbound_message(%s, %s, 120)", turn_id, fence)
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
