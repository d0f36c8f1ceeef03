"""Whole sentences, and what they stand under, out of whatever a tool answered with."""

import json

import pytest

from local.sentences import sentences_of


def texts(*answers: str) -> list[str]:
    return [sentence.text for sentence in sentences_of(list(answers))]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("We ship today. It takes two days!", ["We ship today.", "It takes two days!"]),
        ("We ship by DHL, e.g. to Spain.", ["We ship by DHL, e.g. to Spain."]),
        ("It costs 3.50 euros.", ["It costs 3.50 euros."]),
        ("**Returns** are [free](https://x.example).", ["Returns are free."]),
        ("# Returns\n\nThey are free.", ["They are free."]),
        ("- Print the label\n- Pack the box", ["Print the label", "Pack the box"]),
        ("One line\nand the next line.", ["One line and the next line."]),
        ("You need:\n\n1. A box and tape", ["A box and tape"]),
        ("送料は無料です。三日で届きます。", ["送料は無料です。", "三日で届きます。"]),
    ],
)
def test_markdown_becomes_plain_whole_sentences(markdown, expected):
    assert texts(markdown) == expected


def test_a_tables_row_carries_its_columns_names():
    table = "| To | Standard | Express |\n|---|---|---|\n| Spain | 2 days | – |\n| Italy | 4 | 1 |"

    assert texts(table) == ["Spain: Standard 2 days", "Italy: Standard 4, Express 1"]


def test_a_question_in_a_document_is_what_the_next_sentences_stand_under():
    [sentence] = sentences_of(["Can I pay by cheque? No, we do not accept them."])

    assert sentence.heading == "Can I pay by cheque?"
    assert sentence.text == "No, we do not accept them."


def test_passages_are_read_from_the_tools_json_and_ids_are_not():
    found = {"passages": [{"source": 1, "title": "Help", "heading": "Pay", "text": "Pay by card."}]}

    [sentence] = sentences_of([json.dumps(found)])

    assert (sentence.text, sentence.heading) == ("Pay by card.", "Help: Pay")


def test_the_same_sentence_in_two_passages_counts_once():
    passages = [{"content": "We ship to Spain."}, {"content": "We ship to Spain. And to Italy."}]

    assert texts(json.dumps(passages)) == ["We ship to Spain.", "And to Italy."]
