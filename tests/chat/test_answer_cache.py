"""A common question is answered as before without a model, and nobody's own answer is."""

import json

import pytest

from f.agent.answer_cache import key_of
from f.chat import load_turn, run_agent
from tests.chat.tools import MODEL
from tests.scripted_model import calls, says

SEARCH = calls("knowledge", query="refunds")
ANSWER = says("Five working days. [1]")
QUESTION = "How long do refunds take?"


class Found:
    name = "knowledge"
    links_are_known = True
    description = "Search."
    parameters = {"type": "object", "properties": {"query": {"type": "string"}}}

    def __init__(self, *_):
        pass

    def run(self, arguments):
        passage = {
            "chunk_id": "0d000000-0000-4000-8000-000000000001",
            "title": "Refunds",
            "heading_path": "",
            "score": 0.8,
        }
        told = {"passages": [{"source": 1, "text": "Refunds take five working days."}]}
        return json.dumps(told), {"passages": [passage]}


@pytest.fixture
def ask(database, windmill, arrive, query, model, monkeypatch):
    """ask(question, contact, *answers) -> how many calls the model got; one claim, one think."""
    monkeypatch.setattr("f.agent.tool_kinds.KnowledgeTool", Found)
    query("update chatbots set caches_answers = true")

    def run(question, contact, *answers):
        before = len(model.requests)
        model.will(*answers)
        _, conversation_id, _ = arrive(question, contact_key=contact)
        query("update turns set state = 'finished', sent_at = now(), saved_at = now(),"
              " charged_at = now() where state = 'answered'")  # fmt: skip
        query("update conversation_work set lease_until = null, due_at = now()")
        turn = load_turn.main(database, MODEL, conversation_id)
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
        return len(model.requests) - before

    return run


@pytest.mark.parametrize("again", [QUESTION, "hi, how long do REFUNDS take please??"])
def test_a_common_question_is_paid_once_and_counted(ask, query, again):
    assert ask(QUESTION, "1", SEARCH, ANSWER) == 2
    assert ask(again, "2") == 0

    assert query("select body from outbound_messages") == [("Five working days.",)] * 2
    assert query("select hits from cached_answers") == [(1,)]
    assert query("select count(*) from turn_citations") == [(2,)]
    assert query("select receipt -> 'route' ->> 'reason' from turns order by created_at") == [
        ("answered",),
        ("cached",),
    ]


@pytest.mark.parametrize(
    "change",
    [
        "update chatbots set instructions = 'Be brief.'",
        "update chatbots set caches_answers = false",
        "update cached_answers set written_at = now() - interval '8 days'",
        "insert into contact_facts (contact_id, name, organization_id, value)"
        " select id, 'name', organization_id, 'Ada' from contacts",
    ],
)
def test_x12_another_state_of_the_world_is_another_question(ask, query, arrive, change):
    ask(QUESTION, "1", SEARCH, ANSWER)
    arrive("x", contact_key="2")
    query("update inbound_messages set state = 'held' where body = 'x'")
    query(change)

    assert ask(QUESTION, "2", SEARCH, ANSWER) == 2


def test_x12_other_sources_are_another_question(ask, query):
    query("update chatbots set source_tags = '{shop}'")
    query(
        "with given as (insert into sources (organization_id, name, tags)"
        " select id, unnest('{a,b}'::text[]), '{shop}' from organizations returning *)"
        " insert into documents (organization_id, source_id, version, title, is_active, tags)"
        " select organization_id, id, 1, name, name = 'a', tags from given"
    )
    assert [ask(QUESTION, "1", SEARCH, ANSWER), ask(QUESTION, "2")] == [2, 0]

    # As many as before, and of the same time.
    query("update documents set is_active = (title = 'b')")
    assert ask(QUESTION, "3", SEARCH, ANSWER) == 2
    query("update sources set tags = '{old}'")
    assert ask(QUESTION, "4", SEARCH, ANSWER) == 2


def test_an_answer_that_did_more_than_look_up_is_not_kept(ask, query):
    ask(QUESTION, "1", SEARCH, calls("hand_off", reason="complaint"), ANSWER)
    ask("How long do returns take?", "2", says("I am Nora."))

    assert query("select count(*) from cached_answers") == [(0,)]


@pytest.mark.parametrize(
    "question",
    [
        "Where is my parcel?",
        "Where is order 123456?",
        "Is ada@home.example known?",
        "Are you open now?",
        "Hello!",
        "word " * 40,
        "See https://a.example/x, is it good?",
    ],
)
def test_what_is_about_one_person_or_one_hour_is_never_common(question):
    assert key_of(question) == ""


def test_questions_of_other_words_are_other_questions():
    assert key_of("How long do refunds take?") != key_of("How long do returns take?")
    assert key_of("do you ship to Spain") != key_of("do you not ship to Spain")
