"""A paid answer is served again to the request that it was paid for, and to no other."""

import json

import pytest

import f.chat.turns as turns
from f.chat import load_turn, record_usage, run_agent, save_turn, send_reply
from f.shared.errors import StaleTurn
from tests.chat.tools import AWAY, MODEL
from tests.conftest import SEALING_KEY
from tests.scripted_model import calls, says

QUESTION = "How long do refunds take?"
LOOKS_UP = calls("knowledge", query="refunds")
CALLS = "select draft, position, is_lost from model_calls order by draft, position"
REPLIES = "select body from outbound_messages"


@pytest.fixture
def asked_again(taken_up_again, model):
    """asked_again(question, paid, ...) -> how often the second worker of a turn that was taken up
    again asked the model."""

    def run(question, paid, *happens, **more):
        assert taken_up_again(question, paid, *happens, **more)["state"] == "answered"
        return len(model.requests) - len(paid)

    return run


def test_k06_the_same_requests_are_not_paid_again(asked_again, query):
    asked = asked_again(QUESTION, [LOOKS_UP, says("Five days.")])

    assert asked == 0
    assert query(REPLIES) == [("Five days.",)]


def test_k06_a_paid_answer_is_not_paid_again_by_the_next_worker(taken_up_again, query):
    anew = [says("Five working days.")]

    result = taken_up_again(QUESTION, [LOOKS_UP, *AWAY], anew=anew)

    assert result["state"] == "answered"
    assert query("select position from model_calls order by 1") == [(0,), (1,)]


def test_k06_a_clock_that_went_on_makes_no_other_request(asked_again, query, model):
    def begin_an_hour_ago():
        query("update turns set told_at = '2026-01-05 10:07+00', attempt_fence = 1")

    asked = asked_again(QUESTION, [LOOKS_UP, says("Five days.")], before=begin_an_hour_ago)

    assert asked == 0
    assert "Monday, 05 January 2026" in model.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize("learned", [["Ada"], ["Ada", "Eve"]])
@pytest.mark.parametrize("known", [None, "Bob"])
def test_k06_a_fact_that_the_turn_itself_learned_makes_no_other_request(
    asked_again, query, model, known, learned
):
    learns = [calls("remember_fact", name="name", value=one) for one in learned]
    remember = (
        "insert into contact_facts (contact_id, organization_id, name, value)"
        " select id, organization_id, 'name', %s from contacts where %s"
    )

    asked = asked_again(
        "I am Ada, or Eve",
        [*learns, says("Hello.")],
        before=lambda: query(remember, known or "-", known is not None),
    )

    assert asked == 0
    assert query("select value, value_before from contact_facts") == [(learned[-1], known)]
    assert ("Bob" in str(model.requests[0]["messages"])) is (known is not None)


def test_what_a_turn_learned_is_told_to_the_next(say, query, model):
    learns = [calls("remember_fact", name="name", value=one) for one in ("Ada", "Eve")]

    say("I am Ada", learns[0], says("Hello."))
    say("I am Eve now", learns[1], says("Hello."))
    say("Who am I?", says("You are Eve."))

    told = [str(model.requests[place]["messages"]) for place in (2, 4)]
    assert '{"name": "Ada"}' in told[0] and '{"name": "Eve"}' in told[1]
    assert query("select value, value_before from contact_facts") == [("Eve", "Ada")]


def test_what_was_known_before_the_history_was_forgotten_is_not_told_again(
    asked_again, query, model
):
    def know_and_forget():
        query(
            "insert into contact_facts (contact_id, organization_id, name, value, written_at)"
            " select id, organization_id, 'name', 'Bob', now() - interval '1 hour' from contacts"
        )
        query(
            "insert into messages (organization_id, conversation_id, turn_id, author, position,"
            " body, written_at) select organization_id, conversation_id, id, 'contact', 9,"
            " 'Forget me', now() from turns"
        )
        query("update conversations set history_after = (select max(id) from messages)")

    learns = calls("remember_fact", name="name", value="Ada")
    asked = asked_again("I am Ada", [learns, says("Hello.")], before=know_and_forget)

    assert asked == 0
    assert "Bob" not in str(model.requests)


def test_words_that_the_owner_changed_are_asked_with_anew(asked_again, query, model):
    asked = asked_again(
        QUESTION,
        [LOOKS_UP, says("Five days.")],
        lambda: query("update chatbots set instructions = 'Refunds take six days.'"),
        [LOOKS_UP, says("Six days.")],
    )

    assert asked == 2
    assert "six days" in model.requests[-1]["messages"][0]["content"]
    assert query(CALLS) == [(0, position, False) for position in range(4)]
    assert query(REPLIES) == [("Six days.",)]


def test_words_that_were_taken_back_are_not_answered_from_what_was_paid(asked_again, query, model):
    asked = asked_again(
        "My card is 4242",
        [says("4242, got it.")],
        lambda: query("update inbound_messages set body = 'Never mind'"),
        [says("Fine.")],
    )

    assert asked == 1
    assert "4242" not in str(model.requests[-1]["messages"])
    assert query(REPLIES) == [("Fine.",)]


def test_what_a_tool_tells_differently_is_answered_anew(asked_again, query, monkeypatch):
    passage = {"chunk_id": "c", "title": "", "heading_path": "", "score": 0.9}
    told = (json.dumps({"passages": [{"source": 1, "text": days}]}) for days in ("Five", "Six"))
    monkeypatch.setattr(
        "f.agent.knowledge_tool.KnowledgeTool.run",
        lambda tool, arguments: (next(told), {"passages": [dict(passage)]}),
    )

    asked = asked_again(QUESTION, [LOOKS_UP, says("Five days.")], anew=[says("Six days.")])

    assert asked == 1
    assert query(REPLIES) == [("Six days.",)]


def test_k14_a_lost_call_is_part_of_what_its_turn_may_use(database, windmill, arrive, query, model):
    _, conversation_id, _ = arrive(QUESTION)
    turn = load_turn.main(database, MODEL, conversation_id)
    query("update conversation_work set fence = 2")
    lost = "select book_lost_call(%s, 1, 0, gen_random_uuid(), 'scripted', %s, 0, false)"
    assert query(lost, turn["turn_id"], turns.RESERVED_TOKENS) == [(True,)]

    told = run_agent.main(database, model.resource, turn["turn_id"], 2)

    assert (told["guard"], model.requests) == ("out_of_tokens", [])


def test_k14_a_call_that_a_frozen_worker_paid_is_charged_and_never_served(
    database, windmill, whatsapp, arrive, query, model
):
    _, conversation_id, _ = arrive(QUESTION)
    turn = load_turn.main(database, MODEL, conversation_id)
    model.will(says("The frozen one's answer."), says("Five days."))
    model.meanwhile(lambda: query("update conversation_work set lease_until = null, fence = 2"))
    with pytest.raises(StaleTurn):
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    run_agent.main(database, model.resource, turn["turn_id"], 2)
    send_reply.main(database, SEALING_KEY, conversation_id, turn["turn_id"], 2)
    save_turn.main(database, conversation_id, turn["turn_id"], 2)
    record_usage.main(database, conversation_id, turn["turn_id"], 2)

    assert query(CALLS) == [(0, 0, True), (0, 1, False)]
    assert [sent["text"]["body"] for sent in whatsapp.accepted] == ["Five days."]
    charged = "select model_calls, input_tokens, output_tokens from usage_events"
    assert query(charged) == [(2, 200, 40)]
