"""After the window a template asks the contact to write again: once, and never without an end."""

import json
import time
from types import SimpleNamespace

import pytest

from f.channels.refusals import Codes
from f.channels.rules import Rate
from f.chat import load_turn, run_agent, send_reply
from f.shared.errors import StaleTurn, UpstreamDown
from tests.chat.test_vendor_rules import set_rules
from tests.chat.tools import MODEL
from tests.conftest import CHANNEL_ID, SEALING_KEY
from tests.scripted_model import says

TEMPLATE = {"name": "we_have_an_answer", "language": "pt_PT"}


@pytest.fixture(autouse=True)
def late(query, answered):
    """The reply came after the window, on a channel with a template."""
    settings = json.dumps({"template": TEMPLATE})
    query("update channels set settings = %s where id = %s", settings, CHANNEL_ID)
    query("update inbound_messages set sent_at = now() - interval '25 hours'")


def ended(query) -> list[tuple]:
    return query("select state, error_code from template_sends")


def alerts(query) -> set[str]:
    return {code for (code,) in query("select code from alerts")}


@pytest.mark.parametrize(("code", "named"), [(132001, "132001"), (190, "credentials_refused")])
def test_a_template_that_is_refused_ends_with_an_alert_and_fails_no_step(
    query,
    whatsapp,
    send,
    code,
    named,
):
    whatsapp.will_fail(400, code)

    for _ in range(2):
        assert send() == {"sent": 0, "waits_for_receipt": False}

    assert ended(query) == [("failed", named)]
    assert alerts(query) == {"window_closed", "template_not_sent"}
    assert whatsapp.accepted == []


def test_a_group_is_offered_no_template(query, whatsapp, send):
    query("update conversations set group_key = 'G'")

    send()

    assert (ended(query), whatsapp.accepted) == ([], [])
    assert query("select state from outbound_messages") == [("held",)]
    assert alerts(query) == {"window_closed"}


def test_a_template_that_nobody_knows_of_is_not_sent_again(query, whatsapp, send):
    whatsapp.will_fail(504)

    for _ in range(2):
        send()

    assert ended(query) == [("unknown", None)]
    assert alerts(query) == {"window_closed", "template_not_sent"}
    assert whatsapp.accepted == []


def test_a_template_that_the_vendor_surely_did_not_take_is_tried_again(
    query,
    whatsapp,
    send,
):
    whatsapp.will_fail(500, 131016)
    with pytest.raises(UpstreamDown):
        send()

    send()
    send()

    assert ended(query) == [("sent", None)]
    assert [one["template"]["name"] for one in whatsapp.accepted] == [TEMPLATE["name"]]
    assert alerts(query) == {"window_closed"}


def test_a_template_whose_worker_was_lost_in_the_call_is_unknown(
    query,
    whatsapp,
    send,
    monkeypatch,
):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("f.channels.whatsapp.send_template", killed, raising=False)
        with pytest.raises(KeyboardInterrupt):
            send()
    assert ended(query) == [("sending", None)]

    send()

    assert ended(query) == [("unknown", None)]
    assert "template_not_sent" in alerts(query)
    assert whatsapp.accepted == []


def test_a_window_that_closes_at_the_vendor_first_is_asked_by_the_template_too(
    query,
    whatsapp,
    send,
):
    query("update inbound_messages set sent_at = now()")
    whatsapp.will_fail(400, 131047)

    send()

    assert [one["type"] for one in whatsapp.accepted] == ["template"]
    assert ended(query) == [("sent", None)]


def test_of_several_replies_one_template_is_sent(database, query, whatsapp, arrive, model):
    _, conversation_id, _ = arrive("And how much?", contact_key="15550002")
    turn = load_turn.main(database, MODEL, conversation_id)
    model.will(says("A sentence of many words. " * 400))
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    query("update inbound_messages set sent_at = now() - interval '25 hours'")

    send_reply.main(database, SEALING_KEY, conversation_id, turn["turn_id"], turn["fence"])

    [(held,)] = query(
        "select count(*) from outbound_messages where state = 'held' and turn_id = %s",
        turn["turn_id"],
    )
    assert (held > 1, len(whatsapp.accepted)) == (True, 1)


def test_a_template_that_the_vendor_refuses_later_is_no_longer_sent(query, whatsapp, send):
    send()
    [(reference,)] = query("select outbound_message_id::text from template_sends")

    query(
        "select accept_receipt(%s, 'wamid.out.1', 'failed', %s, '131049', now())",
        *(CHANNEL_ID, reference),
    )

    assert ended(query) == [("failed", "131049")]
    assert "template_not_sent" in alerts(query)
    assert query("select state from outbound_messages") == [("held",)]


def test_a_contact_who_is_gone_is_no_alert_and_is_not_written_to_again(
    query,
    whatsapp,
    send,
    monkeypatch,
):
    monkeypatch.setattr("f.channels.whatsapp_sending.CODES", Codes(gone=(131026,)))
    whatsapp.will_fail(400, 131026)

    send()

    assert ended(query) == [("failed", "contact_gone")]
    assert alerts(query) == {"window_closed"}
    assert query("select opted_out_at is not null from contacts") == [(True,)]


def test_a_contact_whom_the_vendor_calls_gone_later_is_not_written_to_again(
    query,
    whatsapp,
    send,
):
    send()
    [(reference,)] = query("select outbound_message_id::text from template_sends")

    query(
        "select accept_failure(%s, 'wamid.out.1', 'failed', %s, '131026', now(), 'gone')",
        *(CHANNEL_ID, reference),
    )

    assert ended(query) == [("failed", "contact_gone")]
    assert alerts(query) == {"window_closed"}
    assert query("select opted_out_at is not null from contacts") == [(True,)]
    assert query("select state from outbound_messages") == [("held",)]


def test_a_template_takes_its_token_of_each_rate(monkeypatch, query, whatsapp, send):
    set_rules(monkeypatch, window_hours=24, pair=Rate(1 / 60, 3), account=Rate(1 / 60, 5))

    send()

    left = query("select subject, round(tokens) from rate_buckets order by 1")
    assert left == [("15550001", 2), ("account", 4)]


def test_a_template_waits_for_the_rate_as_a_reply_does(monkeypatch, query, whatsapp, send):
    set_rules(monkeypatch, window_hours=24, pair=Rate(1 / 60, 1))
    query("select take_tokens(%s, '{15550001}', '{0.0166}', '{1}')", CHANNEL_ID)

    assert send() == {"sent": 0, "waits_for_receipt": True}
    assert (ended(query), whatsapp.accepted) == ([("ready", None)], [])

    query("update rate_buckets set tokens = 1")
    assert send() == {"sent": 0, "waits_for_receipt": False}
    assert ended(query) == [("sent", None)]


def test_k10_who_lost_the_turn_between_the_mark_and_the_call_sends_no_template(
    query, whatsapp, send, monkeypatch
):
    def wake_late():
        query("update conversation_work set fence = fence + 1")
        return 1000

    moments = iter([int, int, int, wake_late])
    clock = SimpleNamespace(monotonic=lambda: next(moments, int)(), sleep=time.sleep)
    monkeypatch.setattr(send_reply, "time", clock)

    with pytest.raises(StaleTurn):
        send()

    assert (whatsapp.accepted, ended(query)) == ([], [("ready", None)])


@pytest.mark.parametrize("state", ["ready", "sending"])
def test_a_turn_that_is_given_up_leaves_no_template_without_an_end(
    query,
    answered,
    state,
):
    query("select ask_for_template(id) from outbound_messages")
    query("update template_sends set state = %s", state)

    query("update turns set state = 'buried'")

    [(end, code)] = ended(query)
    assert (end, code) == ({"ready": "failed", "sending": "unknown"}[state], "turn_buried")


@pytest.mark.parametrize("template", [{}, {"name": "x"}, "we_have_an_answer", ["x"]])
def test_a_template_that_is_written_wrongly_fails_no_step(query, whatsapp, send, template):
    settings = json.dumps({"template": template})
    query("update channels set settings = %s where id = %s", settings, CHANNEL_ID)

    send()

    assert query("select state from outbound_messages") == [("held",)]
    is_asked = isinstance(template, dict)
    assert ended(query) == ([("failed", "template_incomplete")] if is_asked else [])


@pytest.mark.parametrize(
    "meanwhile",
    [
        "update conversations set mode = 'human'",
        "update contacts set opted_out_at = now()",
        "update inbound_messages set received_at = clock_timestamp() + interval '1 minute'",
    ],
)
def test_a_template_that_nobody_wants_any_more_is_not_sent(query, whatsapp, send, meanwhile):
    whatsapp.will_fail(500, 131016)
    with pytest.raises(UpstreamDown):
        send()
    query(meanwhile)

    send()

    assert ended(query) == [("failed", "not_wanted")]
    assert (whatsapp.accepted, alerts(query)) == ([], {"window_closed"})
