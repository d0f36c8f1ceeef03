"""A committed reply on its way to the vendor: once, in no case twice, and told where it ends."""

import time
from types import SimpleNamespace

import pytest

import f.chat.outbox as outbox
from f.chat import send_reply
from f.shared.errors import DeliveryUnknown, Misconfigured, UpstreamBusy, UpstreamDown
from tests.conftest import SEALING_KEY
from tests.db.test_outbox import let_the_grace_pass


def test_a_question_becomes_one_reply_on_the_contacts_channel(database, whatsapp, answered):
    conversation_id, turn_id, fence = answered

    result = send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert result == {"sent": 1, "waits_for_receipt": False}
    assert [(sent["to"], sent["text"]["body"]) for sent in whatsapp.accepted] == [
        ("15550001", "Five working days.")
    ]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, 130429, UpstreamBusy),
        (500, 131000, UpstreamDown),
        (401, 190, Misconfigured),
    ],
)
def test_a_reply_the_vendor_surely_did_not_take_is_sent_by_the_next_try(
    database, whatsapp, answered, status, code, error
):
    conversation_id, turn_id, fence = answered
    whatsapp.will_fail(status, code)

    with pytest.raises(error):
        send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)
    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert len(whatsapp.accepted) == 1


def test_k11_a_reply_nobody_knows_about_is_not_sent_again(
    database, windmill, query, whatsapp, answered
):
    conversation_id, turn_id, fence = answered
    whatsapp.will_fail(502)

    with pytest.raises(DeliveryUnknown):
        send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)
    again = send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert again == {"sent": 0, "waits_for_receipt": True}
    assert whatsapp.accepted == []
    assert query("select state from outbound_messages") == [("sending",)]


def test_k11_that_a_reply_was_taken_is_known_though_the_database_starts_again(
    query, whatsapp, send, monkeypatch
):
    monkeypatch.setattr("f.shared.db.PAUSES_SECONDS", (0,))
    mark_sent, is_away = outbox.mark_sent, iter([True, False])

    def mark_or_fail(*arguments):
        if next(is_away):
            raise UpstreamDown("it starts again")
        mark_sent(*arguments)

    monkeypatch.setattr(outbox, "mark_sent", mark_or_fail)

    assert send() == {"sent": 1, "waits_for_receipt": False}
    assert query("select state from outbound_messages") == [("sent",)]


def test_w18_a_receipt_that_overtakes_the_vendors_answer_is_not_undone(query, conn, answered):
    _, turn_id, fence = answered
    message_id = str(query("select id from claim_outbound_message(%s, %s)", turn_id, fence)[0][0])
    query(
        "select accept_receipt((select id from channels where kind = 'whatsapp'),"
        " 'wamid.out', 'delivered', %s, null, now())",
        message_id,
    )

    outbox.mark_sent(conn, message_id, "wamid.out")

    assert query("select state from outbound_messages") == [("delivered",)]


def test_k10_who_slept_between_the_mark_and_the_call_marks_again_before_it(
    database, query, whatsapp, answered, monkeypatch
):
    conversation_id, turn_id, fence = answered
    woke_late = iter([0, 1000])
    clock = SimpleNamespace(monotonic=lambda: next(woke_late, 0), sleep=time.sleep)
    monkeypatch.setattr(send_reply, "time", clock)

    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert len(whatsapp.accepted) == 1
    assert query("select state, attempts from outbound_messages") == [("sent", 1)]


def test_k11_what_an_earlier_attempt_learned_frees_no_later_one(query, conn, answered):
    _, turn_id, fence = answered
    first = outbox.claim(conn, turn_id, fence)
    conn.commit()
    let_the_grace_pass(query)
    second = outbox.claim(conn, turn_id, fence)

    outbox.mark_ready(conn, second.id, first.attempt)
    conn.commit()

    assert (first.attempt, second.attempt) == (1, 2)
    assert query("select state, attempts from outbound_messages") == [("sending", 2)]


def test_k11_what_an_earlier_attempt_was_refused_for_ends_no_later_one(query, conn, answered):
    _, turn_id, fence = answered
    first = outbox.claim(conn, turn_id, fence)
    let_the_grace_pass(query)
    second = outbox.claim(conn, turn_id, fence)

    outbox.mark_failed(conn, first.id, first.attempt, "131026")
    assert query("select state from outbound_messages") == [("sending",)]

    outbox.mark_failed(conn, second.id, second.attempt, "131026")
    assert query("select state from outbound_messages") == [("failed",)]


def test_a_reply_refused_for_good_is_an_alert_and_ends_the_turn(
    database, query, whatsapp, answered
):
    conversation_id, turn_id, fence = answered
    whatsapp.will_fail(400, 131026)

    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert query("select state, error_code from outbound_messages") == [("failed", "131026")]
    assert query("select code from alerts") == [("delivery_refused",)]


def test_what_was_not_sent_yet_is_not_sent_to_a_contact_who_opted_out_since(query, whatsapp, send):
    query("update contacts set opted_out_at = now()")

    assert send() == {"sent": 0, "waits_for_receipt": False}

    assert (whatsapp.accepted, query("select code from alerts")) == ([], [])
    assert query("select state, error_code from outbound_messages") == [
        ("failed", "contact_opted_out")
    ]


def test_a_command_is_answered_though_the_contact_opted_out(query, whatsapp, send):
    query("update contacts set opted_out_at = now()")
    query("update inbound_messages set command = 'stop'")

    assert send() == {"sent": 1, "waits_for_receipt": False}


def test_o10_a_teammate_who_takes_over_after_the_commit_stops_the_send(
    database, query, whatsapp, answered
):
    conversation_id, turn_id, fence = answered
    query("update conversations set mode = 'human'")

    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert whatsapp.accepted == []
    assert query("select state, error_code from outbound_messages") == [
        ("failed", "teammate_took_over")
    ]
