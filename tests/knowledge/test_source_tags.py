"""A chatbot that has source tags answers from sources with one of them, and knows no other."""

import json

import pytest

from f.agent import knowledge_search
from f.agent.knowledge_tool import KnowledgeTool
from f.knowledge import sources, store
from f.knowledge.search import search
from f.knowledge.unknown_codes import codes_in_no_document
from f.shared.db import connect

NEAR, CLOSE, FAR = [1.0, 0.0], [0.9, 0.4], [0.0, 1.0]


@pytest.fixture
def tag(conn, organization_id, query):
    """tag(name, tag, ...) of the source of that name."""

    def run(name: str, *tags: str, is_on: bool = True) -> None:
        ((source_id,),) = query("select id::text from sources where name = %s", name)
        sources.tag(conn, organization_id, [source_id], tags, is_on)

    return run


@pytest.fixture
def find(conn, organization_id):
    """find(question, tag, ...) -> texts of the passages"""

    def run(question: str, *tags: str) -> list[str]:
        found = search(conn, organization_id, question, NEAR, "model-a", tags=tags)
        return [passage.content for passage in found]

    return run


@pytest.fixture
def shops(organization_id, add_document, tag):
    add_document(organization_id, "rome", {"Rome opens at nine.": FAR, "Rome has E42.": FAR})
    add_document(organization_id, "oslo", {"Oslo opens at ten.": NEAR, "Oslo has E77.": CLOSE})
    add_document(organization_id, "both", {"All shops are closed in May.": CLOSE})
    tag("rome", "rome")
    tag("oslo", "oslo", "north")
    tag("both", "rome", "oslo")


def test_a_search_is_narrowed_to_sources_with_one_of_the_tags(shops, find):
    everything = find("open?")
    assert len(everything) == 5

    assert set(find("open?", "north")) == {"Oslo opens at ten.", "Oslo has E77."}
    assert set(find("open?", "rome")) == {
        *("Rome opens at nine.", "Rome has E42.", "All shops are closed in May."),
    }
    assert set(find("open?", "rome", "north")) == set(everything)
    assert find("open?", "paris") == []


def test_tags_are_the_same_however_they_are_capitalized(shops, find, tag, query):
    assert find("open?", "North") == find("open?", "north") != []

    tag("rome", "SOUTH")

    assert query("select tags from sources where name = 'rome'") == [(["rome", "south"],)]


def test_a_code_of_other_sources_is_neither_found_nor_known(shops, find, conn, organization_id):
    question = "E77 and E42?"

    assert find("what is E77?", "oslo")[0] == "Oslo has E77."
    assert "Oslo has E77." not in find("what is E77?", "rome")
    assert codes_in_no_document(conn, organization_id, question, ["rome"]) == ["E77"]
    assert codes_in_no_document(conn, organization_id, question) == []


def test_a_code_is_found_however_often_other_sources_have_it(
    organization_id, add_document, tag, find
):
    codes = [f"Order {n} names {code}." for n in range(31) for code in ("X-4711", "Y-4822")]
    add_document(organization_id, "orders", dict.fromkeys(codes, CLOSE))
    kept = dict.fromkeys([f"Kept {number}." for number in range(300)], CLOSE)
    add_document(organization_id, "kept", {**kept, "X-4711 lies in the drawer.": FAR})
    tag("kept", "kept")

    assert find("X-4711 or Y-4822?", "kept")[0] == "X-4711 lies in the drawer."


def test_the_agent_is_told_nothing_of_other_sources(shops, owner, organization_id, monkeypatch):
    monkeypatch.setattr(knowledge_search, "embed", lambda model, texts: [NEAR])
    tool = KnowledgeTool(lambda: connect(owner), {}, organization_id, ["rome"])

    told, receipt = tool.run({"query": "When is it open, and what is E77?"})

    assert "Oslo" not in told and len(receipt["passages"]) == 3
    assert json.loads(told)["in_no_document"] == ["E77"]


def test_a_version_has_the_tags_of_its_source_whenever_they_were_given(
    conn, organization_id, add_document, tag, find, query
):
    add_document(organization_id, "rome", {"Rome opens at nine.": NEAR})
    ((source_id,),) = query("select id::text from sources where name = 'rome'")
    built = store.begin_document(conn, organization_id, source_id, "rome", [])
    tag("rome", "rome")
    add_document(organization_id, "rome", {"Rome opens at eight.": NEAR})

    assert find("open?", "rome") == ["Rome opens at eight."]
    assert query("select tags from documents where id = %s", built) == [(["rome"],)]

    tag("rome", "rome", is_on=False)
    assert find("open?", "rome") == []
