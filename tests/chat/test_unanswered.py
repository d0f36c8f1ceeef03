"""A turn whose question no document answers is kept for whoever writes the documents."""

import pytest

from f.chat import load_turn, run_agent
from tests.chat.tools import MODEL
from tests.scripted_model import calls, says

LOOKS = calls("knowledge", query="Do you ship to Mars?")


@pytest.fixture
def noted(database, windmill, arrive, query, model):
    """noted(answer, ...) -> the questions that were kept after one turn."""

    def run(*answers):
        model.will(*answers)
        _, conversation_id, _ = arrive("Do you ship to Mars?")
        turn = load_turn.main(database, MODEL, conversation_id)
        run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
        return query("select question_of_turn(turn_id) from unanswered_questions")

    return run


KEPT = [("Do you ship to Mars?",)]


def test_a_question_for_which_nothing_was_found_is_kept(noted):
    assert noted(LOOKS, says("We ship to every planet of the sun.")) == KEPT


def test_a_question_that_the_model_does_not_know_is_kept(noted, query):
    assert noted(says(query("select unknown_reply from chatbots")[0][0])) == KEPT


def test_a_question_that_is_handed_over_for_not_knowing_is_kept(noted):
    assert noted(LOOKS, calls("hand_off", reason="unknown"), says("I passed it on.")) == KEPT


def test_a_question_whose_answer_is_too_unsure_is_kept(noted, query):
    query("update chatbots set least_confidence = 1")

    assert noted(says("Perhaps.")) == KEPT


@pytest.mark.parametrize(
    "answers",
    [
        [says("Hello! How can I help you?")],
        [calls("hand_off", reason="complaint"), says("I passed it on.")],
        [says("See https://evil.example.com/")],
    ],
    ids=["small talk", "a complaint", "what a guard refused"],
)
def test_what_documents_have_no_part_in_is_not_kept(noted, answers):
    assert noted(*answers) == []


def test_a_question_that_the_contact_takes_back_or_has_erased_is_gone(noted, query):
    noted(LOOKS, says("No."))

    query("update inbound_messages set state = 'revoked', body = ''")
    assert query("select question_of_turn(turn_id) from unanswered_questions") == [(None,)]
    query("delete from contacts")
    assert query("select count(*) from unanswered_questions") == [(0,)]
