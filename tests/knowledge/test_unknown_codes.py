"""A code that stands in no document is told to the model, and no other code's answer."""

import json

import pytest

from f.agent.knowledge_tool import KnowledgeTool
from f.knowledge.embeddings import embed
from f.knowledge.unknown_codes import codes_in_no_document
from f.shared.db import connect

HASHING = "hashing-384"
ROWS = [
    "code: ZX-4471; meaning: pump blocked",
    "code: ZX-4472; meaning: tank empty",
    "code: E 03; meaning: too hot",
]
ORDERS = "Where is my order? The courier sends its number when it leaves us."


@pytest.fixture
def table(organization_id, add_document, model):
    texts = [*ROWS, ORDERS]
    add_document(organization_id, "a", dict(zip(texts, embed(model, texts), strict=True)), HASHING)


@pytest.fixture
def ask(table, owner, model, organization_id):
    """ask(question) -> what the model reads"""
    tool = KnowledgeTool(lambda: connect(owner), model, organization_id)
    return lambda question: json.loads(tool.run({"query": question})[0])


def test_a_code_beside_those_of_a_table_is_told_and_not_answered_with_them(ask):
    assert ask("meaning of code ZX-9999") == {"passages": [], "in_no_document": ["ZX-9999"]}


def test_a_code_of_the_table_is_answered_beside_one_that_is_not(ask):
    told = ask("meaning of ZX-4472 and ZX-9999")

    assert told["in_no_document"] == ["ZX-9999"]
    assert told["passages"][0]["text"] == ROWS[1]


def test_the_number_of_an_order_does_not_hide_what_is_said_of_orders(ask):
    told = ask("Where is my order A12345?")

    assert told["in_no_document"] == ["A12345"]
    assert told["passages"][0]["text"] == ORDERS


@pytest.mark.parametrize("known", ["ZX-4471", "zx4471", "ZX/4471", "E03", "e-03", "30cm", "6pm"])
def test_a_code_that_is_written_otherwise_and_a_quantity_are_not_unknown(
    table, conn, organization_id, known
):
    assert codes_in_no_document(conn, organization_id, f"What is {known}?") == []


def test_another_organizations_code_is_unknown(table, conn, make_organization):
    assert codes_in_no_document(conn, make_organization(), "ZX-4471?") == ["ZX-4471"]
