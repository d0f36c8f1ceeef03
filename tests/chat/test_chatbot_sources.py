"""A chatbot with source tags answers from sources with one of them, in a whole turn."""

import pytest

from bench.knowledge_base import publish
from f.chat import load_turn, run_agent
from f.knowledge import sources, store
from f.knowledge.chunks import Chunk
from tests.chat.tools import MODEL
from tests.conftest import ORGANIZATION_ID
from tests.scripted_model import EMBEDDING_MODEL, calls, says


@pytest.fixture
def add(conn):
    """add(text, tag): a source that says it."""

    def run(text: str, tag: str) -> None:
        source_id = store.add_source(conn, ORGANIZATION_ID, f"{tag}.md", text.encode())
        sources.tag(conn, ORGANIZATION_ID, [source_id], [tag])
        chunk = Chunk(0, [], None, text)
        publish(conn, ORGANIZATION_ID, source_id, tag, [chunk], [[1.0, 9.0]], EMBEDDING_MODEL)

    return run


@pytest.mark.parametrize(
    ("tags", "seen"), [("{}", {"Five", "Nine"}), ("{shop}", {"Five"}), ("{other}", set())]
)
def test_a_turn_reads_what_its_chatbot_may_answer_from(
    database, windmill, arrive, query, model, add, tags, seen
):
    add("Five euros.", "shop")
    add("Nine euros.", "staff")
    query("update chatbots set source_tags = %s::text[]", tags)
    model.will(calls("knowledge", query="What does it cost?"), says("Look. [1]"))
    _, conversation_id, _ = arrive("What does it cost?")

    turn = load_turn.main(database, MODEL, conversation_id)
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    told = model.requests[1]["messages"][-1]["content"]
    assert {price for price in ("Five", "Nine") if price in told} == seen
