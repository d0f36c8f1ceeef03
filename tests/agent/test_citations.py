"""A reply rests on passages that were found, and on no others."""

import json

import pytest

from f.agent.citations import cited, renumbered, without_numbers

PASSAGES = [{"chunk_id": "a"}, {"chunk_id": "b"}]
TEXTS = ["Refunds take five working days. Ask us.", "We ship to Spain and to Portugal every day."]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("It takes five days. [1]", [("a", "number")]),
        ("It takes five days [1, 2].", [("a", "number"), ("b", "number")]),
        ("It takes five days [1][2].", [("a", "number"), ("b", "number")]),
        ("Refunds take five working days!", [("a", "words")]),
        ("It takes five days. [7]", []),
        ("It takes five days. [0]", []),
        ("Ask us.", []),
    ],
)
def test_a_source_is_named_by_number_or_said_and_was_found(reply, expected):
    found = cited(reply, PASSAGES, TEXTS)

    assert [(one["chunk_id"], one["how"]) for one in found] == expected


def test_numbers_are_for_us_and_not_for_the_contact():
    assert without_numbers("Five days [1], see [below] [2, 3].") == "Five days, see [below]."


def test_passages_of_a_turn_are_numbered_through():
    told = json.dumps({"passages": [{"source": 1, "text": "x"}, {"source": 2, "text": "y"}]})

    text, texts = renumbered(told, 4)

    assert [one["source"] for one in json.loads(text)["passages"]] == [4, 5]
    assert texts == ["x", "y"]


def test_what_is_told_around_a_passage_belongs_to_it():
    around = {"source": 1, "before": "a", "text": "x", "after": "It is free in all of Spain."}
    told = json.dumps({"passages": [around]})

    _, texts = renumbered(told, 1)

    assert texts == ["a\nx\nIt is free in all of Spain."]
    assert [one["how"] for one in cited(texts[0], PASSAGES[:1], texts)] == ["words"]
