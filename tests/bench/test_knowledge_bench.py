"""The figures of retrieval are counted as they say, and weights are chosen on one half only."""

import io

import pytest

from bench import knowledge, knowledge_tuning
from bench.knowledge_faq import Faq, is_held_out, measure
from bench.knowledge_grouping import grouped, pairs
from f.knowledge.search import WEIGHTS
from local.hashing_embedder import HashingEmbedder
from local.offline_model import OfflineModel
from local.progress import Progress


def item(question: str, answer: str, paraphrase: str) -> dict:
    return {"question": question, "answers": [answer], "paraphrases": [paraphrase]}


ITEMS = [
    item("How long is delivery?", "Parcels need three days.", "delivery how long"),
    item("What does a grinder cost?", "A grinder costs 90 euros.", "grinder cost?"),
    item("Do you repair machines?", "Our workshop repairs machines.", "can you repair machines"),
    item("When do you open?", "The shop opens at nine.", "when do you open the shop"),
]


@pytest.fixture
def model():
    with OfflineModel("key", embedder=HashingEmbedder()) as offline:
        yield offline.resource


def test_halves_are_the_same_on_every_machine_and_neither_is_empty():
    assert [is_held_out(one) for one in ITEMS] == [False, False, True, False]


def test_an_answer_that_is_found_first_counts_one(conn, model):
    found = measure(conn, model, ITEMS, with_question=True)

    assert found["ndcg_at_10"] == found["ndcg_at_10_held_out"] == found["best_possible"] == 1
    assert found["paraphrases"] == len(ITEMS)


def test_an_answer_that_is_found_second_counts_less(conn, model):
    asked = Faq(conn, model, ITEMS, with_question=True)
    _, text, vector = asked.asked[0]

    assert asked.score(0, text, vector, WEIGHTS) == 1
    assert 0 < asked.score(1, text, vector, WEIGHTS) < 1


def test_the_best_of_the_first_half_stands_first_whatever_the_other_says(monkeypatch):
    rows = {0.1: (0.5, 0.9), 0.2: (0.6, 0.1)}

    def row(faqs, items, weights):
        first, other = rows[weights.words]
        return {"words": weights.words, "first_half": {"answer": first}, "held_out": {"a": other}}

    monkeypatch.setattr(knowledge_tuning, "Faq", lambda *given: None)
    monkeypatch.setattr(knowledge_tuning, "WORDS", (0.1, 0.2))
    monkeypatch.setattr(knowledge_tuning, "VOTES_MARGINS", (1.0,))
    monkeypatch.setattr(knowledge_tuning, "row", row)

    found = knowledge_tuning.measure(None, {}, [], Progress(io.StringIO()))

    assert [one["words"] for one in found] == [0.2, 0.1]


def test_the_help_says_the_form_of_a_file_of_questions(capsys):
    with pytest.raises(SystemExit):
        knowledge.main(["--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert '{"items": [{"question": TEXT, "answers": [TEXT], "paraphrases": [TEXT]}]}' in said


def test_questions_are_compared_with_the_first_of_a_group():
    near, between, far = [1.0, 0.0], [0.8, 0.6], [0.28, 0.96]

    assert grouped([near, between, far], least=0.7) == [0, 0, 1]
    assert pairs(["a", "a", "a", "b"]) == 3
