"""The window, the rates and what a contact wants, looked at when a reply is sent."""

import json
import time

import pytest

from f.channels.refusals import Codes
from f.channels.rules import Rate, Rules
from f.chat import load_turn, run_agent, send_reply, typing_sign
from tests.chat.tools import MODEL
from tests.conftest import CHANNEL_ID, SEALING_KEY
from tests.scripted_model import says


def set_rules(monkeypatch, **rules) -> None:
    monkeypatch.setattr("f.channels.whatsapp.RULES", Rules(**rules))


def test_a_reply_after_the_window_is_held_with_an_alert(query, whatsapp, send):
    query("update inbound_messages set sent_at = now() - interval '25 hours'")

    assert send()["sent"] == 0

    assert whatsapp.accepted == []
    assert query("select state, error_code from outbound_messages") == [("held", "window_closed")]
    assert query("select code from alerts") == [("window_closed",)]


def test_after_the_window_an_approved_template_goes_out_once(query, whatsapp, send):
    query("update inbound_messages set sent_at = now() - interval '25 hours'")
    template = {"template": {"name": "we_have_an_answer", "language": "pt_PT"}}
    query("update channels set settings = %s where id = %s", json.dumps(template), CHANNEL_ID)

    send()
    send()

    assert [one["template"]["name"] for one in whatsapp.accepted] == ["we_have_an_answer"]
    assert query("select state from outbound_messages") == [("held",)]


def test_a_window_that_closes_at_the_vendor_first_holds_the_reply_too(query, whatsapp, send):
    whatsapp.will_fail(400, 131047)

    send()

    assert query("select state from outbound_messages") == [("held",)]


def test_one_members_message_opens_the_window_for_the_group(query, answered):
    conversation_id = answered[0]
    query("update inbound_messages set sent_at = now() - interval '25 hours'")
    query("update conversations set group_key = 'G'")
    query(
        "select accept_message(%s, '15550002', null, null, 'wamid.g', 'text', 'Hi', null, null,"
        " now(), 'G')",
        CHANNEL_ID,
    )

    assert query("select window_is_open(%s, 24)", conversation_id) == [(True,)]


def test_a_rate_that_is_used_up_frees_the_worker_until_it_allows_the_next(
    monkeypatch, query, whatsapp, send
):
    set_rules(monkeypatch, pair=Rate(1 / 60, 1))
    query("select take_tokens(%s, '{15550001}', '{0.0166}', '{1}')", CHANNEL_ID)

    result = send()

    assert result == {"sent": 0, "waits_for_receipt": True}
    assert query("select state, attempts from outbound_messages") == [("ready", 0)]
    assert query("select due_at > now() + interval '30 seconds' from conversation_work") == [
        (True,)
    ]


def test_the_topics_of_a_group_share_its_rate(monkeypatch, query, whatsapp, send):
    set_rules(monkeypatch, group=Rate(1 / 60, 1))
    query("update conversations set group_key = '-1005/42'")
    query("select take_tokens(%s, '{-1005}', '{0.0166}', '{1}')", CHANNEL_ID)

    assert send() == {"sent": 0, "waits_for_receipt": True}
    assert whatsapp.accepted == []


def test_a_short_wait_for_a_rate_is_waited_here(monkeypatch, query, whatsapp, send):
    set_rules(monkeypatch, account=Rate(20, 1))
    query("select take_tokens(%s, '{account}', '{20}', '{1}')", CHANNEL_ID)

    assert send()["sent"] == 1


def test_a_bucket_gives_its_burst_and_then_its_rate(query):
    take = "select take_tokens(%s, '{x}', '{0.1}', '{3}')"
    taken = [query(take, CHANNEL_ID)[0][0] for _ in range(5)]

    assert taken[:3] == [0, 0, 0]
    assert all(9 < wait <= 10 for wait in taken[3:])


def test_a_contact_who_is_gone_is_not_written_to_again(monkeypatch, query, whatsapp, send):
    monkeypatch.setattr("f.channels.whatsapp_sending.CODES", Codes(gone=(131026,)))
    whatsapp.will_fail(400, 131026)

    send()

    assert query("select state, error_code from outbound_messages") == [("failed", "contact_gone")]
    assert query("select opted_out_at is not null from contacts") == [(True,)]
    assert query("select count(*) from alerts") == [(0,)]


def test_a_group_that_is_gone_says_nothing_about_who_asked_there(
    monkeypatch, query, whatsapp, send
):
    query("update conversations set group_key = 'G'")
    monkeypatch.setattr("f.channels.whatsapp_sending.CODES", Codes(gone=(131026,)))
    whatsapp.will_fail(400, 131026)

    send()

    assert query("select error_code from outbound_messages") == [("contact_gone",)]
    assert query("select opted_out_at from contacts") == [(None,)]


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        (131026, {("failed", "contact_gone")}),
        (131009, {("failed", "131009"), ("failed", "reply_ended")}),
        (131047, {("held", "window_closed")}),
    ],
)
def test_a_reply_ends_with_the_piece_that_is_refused(
    monkeypatch, database, query, windmill, arrive, model, whatsapp, code, ended
):
    codes = Codes(gone=(131026,), window_closed=(131047,))
    monkeypatch.setattr("f.channels.whatsapp_sending.CODES", codes)
    _, conversation_id, _ = arrive("How long do refunds take?")
    turn = load_turn.main(database, MODEL, conversation_id)
    model.will(says("A sentence of many words. " * 400))
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    whatsapp.will_fail(400, code)

    send_reply.main(database, SEALING_KEY, conversation_id, turn["turn_id"], turn["fence"])

    assert whatsapp.accepted == []
    assert set(query("select state, error_code from outbound_messages")) == ended
    assert [n for (n,) in query("select occurrences from alerts")] == [1] * (code != 131026)


def test_somebody_who_thinks_for_long_is_seen_typing(
    monkeypatch, database, query, windmill, arrive, model, whatsapp
):
    monkeypatch.setattr(typing_sign, "PATIENCE_SECONDS", 0)
    _, conversation_id, _ = arrive("Hi", message_id="wamid.question")
    turn = load_turn.main(database, MODEL, conversation_id)
    model.will(says("Hello."))
    model.meanwhile(lambda: _until(lambda: whatsapp.signs))

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert whatsapp.signs[0]["message_id"] == "wamid.question"
    assert whatsapp.signs[0]["typing_indicator"] == {"type": "text"}


def _until(is_so) -> None:
    deadline = time.monotonic() + 5
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.005)
