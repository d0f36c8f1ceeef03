"""The steps of answer_message, each through its main, as the flow calls them."""

import time

import pytest

import f.chat.lease as lease
from f.chat import load_turn, record_usage, run_agent, save_turn, send_reply
from f.shared.errors import StaleTurn
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY
from tests.scripted_model import calls, says


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
