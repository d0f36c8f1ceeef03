"""The steps of answer_message, each through its main, as the flow calls them."""

import time
from types import SimpleNamespace

import pytest

import f.chat.lease as lease
import f.chat.outbox as outbox
from f.chat import load_turn, record_usage, report_failure, run_agent, save_turn, send_reply
from f.shared.errors import DeliveryUnknown, Misconfigured, StaleTurn, UpstreamBusy, UpstreamDown
from tests.conftest import SEALING_KEY
from tests.db.test_outbox import let_the_grace_pass
from tests.scripted_model import calls, says

# Claiming takes only the model's name.
MODEL = {"base_url": "", "api_key": "", "model": "scripted", "embedding_model": ""}


@pytest.fixture
def loaded(database, windmill, arrive):
    """A question that waits, claimed: (conversation id, load_turn's result)."""
    _, conversation_id, _ = arrive("How long do refunds take?")
    return conversation_id, load_turn.main(database, MODEL, conversation_id)


@pytest.fixture
def answered(database, loaded, model):
    """A turn whose reply is committed: (conversation id, turn id, fence)."""
    conversation_id, turn = loaded
    model.will(says("Five working days."))
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    return conversation_id, turn["turn_id"], turn["fence"]


def test_a_question_becomes_one_reply_on_the_contacts_channel(database, whatsapp, answered):
    conversation_id, turn_id, fence = answered

    result = send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert result == {"sent": 1, "waits_for_receipt": False}
    assert [(sent["to"], sent["text"]["body"]) for sent in whatsapp.accepted] == [
        ("15550001", "Five working days.")
    ]


def test_d04_running_every_step_twice_changes_nothing(database, query, whatsapp, model, answered):
    conversation_id, turn_id, fence = answered

    for _ in range(2):
        run_agent.main(database, model.resource, turn_id, fence)
        send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)
        save_turn.main(database, conversation_id, turn_id, fence)
        record_usage.main(database, conversation_id, turn_id, fence)

    assert len(whatsapp.accepted) == 1
    assert len(model.requests) == 1
    assert query("select count(*) from messages") == [(2,)]
    assert query("select messages_used, tokens_used, tokens_reserved from usage_periods") == [
        (1, 120, 0)
    ]


def test_results_hold_ids_and_decisions_only(database, loaded, model):
    _, turn = loaded
    model.will(says("Five working days."))

    result = run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert set(turn) == {"decision", "reason", "turn_id", "fence", "wait_seconds", "has_files"}
    assert result == {
        "state": "answered",
        "drafts_dropped": 0,
        "replies": 1,
        "model_calls": 1,
        "tool_calls": 0,
        "guard": "ok",
    }


def test_the_model_sees_the_conversation_so_far(database, query, arrive, answered, model):
    conversation_id, turn_id, fence = answered
    save_turn.main(database, conversation_id, turn_id, fence)
    query("update turns set sent_at = now(), charged_at = now(), state = 'finished'")
    query("select release_conversation(%s, 1)", conversation_id)
    arrive("And to a gift card?")
    model.will(says("At once."))

    turn = load_turn.main(database, MODEL, conversation_id)
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert [message["content"] for message in model.requests[-1]["messages"][1:]] == [
        "How long do refunds take?",
        "Five working days.",
        "And to a gift card?",
    ]


def test_a_conversation_that_waits_for_more_starts_its_own_flow_later(
    database, windmill, query, arrive
):
    query("update chatbots set debounce_seconds = 1")
    _, conversation_id, _ = arrive("Hi")
    query("update conversation_work set nudged_for = now()")

    result = load_turn.main(database, MODEL, conversation_id)

    assert (result["decision"], result["reason"]) == ("wait", "too_early")
    assert windmill.started == [("f/chat/answer_message", {"conversation_id": conversation_id}, 2)]


def test_a_failure_before_any_claim_only_alerts(database, query, windmill, arrive):
    _, conversation_id, _ = arrive("Hi")

    result = report_failure.main(database, conversation_id, None, "load_turn", "UpstreamDown", True)

    assert (result["given_back"], windmill.started) == (False, [])
    assert query("select code from alerts") == [("step_failed",)]


def test_a_stranger_conversation_is_nothing_to_answer(database, windmill):
    result = load_turn.main(database, MODEL, "00000000-0000-4000-8000-000000000000")

    assert (result["decision"], result["reason"]) == ("ignore", "nothing_waiting")


def test_a_message_that_came_while_thinking_starts_the_next_flow(
    database, windmill, whatsapp, arrive, answered
):
    conversation_id, turn_id, fence = answered
    arrive("One more thing")

    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)
    save_turn.main(database, conversation_id, turn_id, fence)
    assert windmill.started == []
    record_usage.main(database, conversation_id, turn_id, fence)

    assert windmill.started == [("f/chat/answer_message", {"conversation_id": conversation_id}, 0)]


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


def test_a_reply_refused_for_good_is_an_alert_and_ends_the_turn(
    database, query, whatsapp, answered
):
    conversation_id, turn_id, fence = answered
    whatsapp.will_fail(400, 131026)

    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)

    assert query("select state, error_code from outbound_messages") == [("failed", "131026")]
    assert query("select code from alerts") == [("delivery_refused",)]


def test_k12_a_failed_step_gives_the_turn_back_with_one_alert(database, query, windmill, loaded):
    conversation_id, turn = loaded

    for _ in range(2):
        report_failure.main(
            database, conversation_id, turn["fence"], "run_agent", "UpstreamDown", True
        )

    assert windmill.started[0] == (
        "f/chat/answer_message",
        {"conversation_id": conversation_id},
        2,
    )
    assert query("select code, occurrences from alerts") == [("step_failed", 2)]


def test_a_worker_that_lost_the_conversation_gives_nothing_back(database, query, windmill, loaded):
    conversation_id, turn = loaded

    result = report_failure.main(
        database, conversation_id, turn["fence"] - 1, "run_agent", "StaleTurn", False
    )

    assert result["given_back"] is False
    assert query("select lease_until is not null from conversation_work") == [(True,)]
    assert (windmill.started, query("select count(*) from alerts")) == ([], [(0,)])


def test_a_step_with_an_older_fence_is_refused(database, answered):
    conversation_id, turn_id, fence = answered

    with pytest.raises(StaleTurn):
        save_turn.main(database, conversation_id, turn_id, fence - 1)


def test_a_reply_with_an_invented_link_is_replaced(database, query, loaded, model):
    _, turn = loaded
    model.will(says("See https://evil.example/refund"))

    result = run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert result["guard"] == "foreign_link"
    assert "evil" not in query("select body from outbound_messages")[0][0]


def test_a_pasted_book_is_cut_before_the_model_reads_it(database, windmill, arrive, model):
    _, conversation_id, _ = arrive("word " * 13_000)
    turn = load_turn.main(database, MODEL, conversation_id)
    model.will(says("Too long."))

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert len(model.requests[0]["messages"][-1]["content"]) == 8000


def test_what_the_agent_looked_up_is_kept_with_the_turn(database, query, loaded, model):
    _, turn = loaded
    model.will(calls("knowledge", query="refund duration"), says("Five working days."))

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert query("select tool, arguments, result from tool_calls") == [
        ("knowledge", {"query": "refund duration"}, {"passages": []})
    ]


@pytest.mark.parametrize("text", ["nul \u0000 inside", "half \ud83d an emoji"])
def test_a_model_that_writes_what_postgres_refuses_is_answered_with(
    database, query, loaded, model, text
):
    _, turn = loaded
    model.will(calls("knowledge", query=text), says(text))

    result = run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert result["state"] == "answered"
    assert query("select count(*) from tool_calls") == [(1,)]


def test_a_worker_that_lost_the_turn_pays_no_model(database, query, loaded, model):
    _, turn = loaded

    with pytest.raises(StaleTurn):
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"] - 1)

    assert model.requests == []


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


def test_k06_a_paid_answer_is_not_paid_again_by_the_next_worker(
    database, query, windmill, arrive, model
):
    _, conversation_id, _ = arrive("How long do refunds take?")
    turn = load_turn.main(database, MODEL, conversation_id)
    model.will(calls("knowledge", query="refunds"), *[503] * 3)
    with pytest.raises(UpstreamDown):  # the model is away when it is asked the second time
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    model.will(says("Five working days."))
    query("delete from model_breakers")
    query("update conversation_work set lease_until = null")

    again = load_turn.main(database, MODEL, conversation_id)
    result = run_agent.main(database, model.resource, again["turn_id"], again["fence"])

    assert result["state"] == "answered"
    assert query("select position from model_calls order by 1") == [(0,), (1,)]


def test_o04_a_message_that_comes_while_the_model_thinks_is_in_the_answer(
    database, query, arrive, loaded, model
):
    _, turn = loaded
    model.will(says("Five working days."), says("Five days, also to a gift card."))
    model.meanwhile(lambda: arrive("And to a gift card?"))

    result = run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert (result["state"], result["drafts_dropped"]) == ("answered", 1)
    assert "gift card?" in model.requests[-1]["messages"][-1]["content"]
    assert query("select body from outbound_messages") == [("Five days, also to a gift card.",)]


def test_a_lease_is_kept_while_a_step_waits(database, query, loaded, monkeypatch):
    conversation_id, turn = loaded
    monkeypatch.setattr("f.chat.lease.BEAT_SECONDS", 0.02)
    query("update conversation_work set lease_until = now() + interval '1 second'")

    with lease.kept(database, turn["turn_id"], turn["fence"]):
        wait_until(
            lambda: (
                query("select lease_until > now() + interval '4 seconds' from conversation_work")
                == [(True,)]
            )
        )


def wait_until(condition) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
