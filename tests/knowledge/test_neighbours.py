"""A passage that is a piece of a long text is told with what stands around it, once."""

import json
import re

import pytest

from bench.knowledge_base import publish
from f.agent import knowledge_search
from f.agent.knowledge_tool import KnowledgeTool
from f.knowledge import store
from f.knowledge.chunks import Chunk
from f.knowledge.search import FIND_NEIGHBOURS
from f.shared.db import connect

NEAR, CLOSE, FAR = [1.0, 0.0, 0.0], [0.9, 0.4, 0.0], [0.0, 0.0, 1.0]
# Four passages beside the one that is asked for: five are told.
OTHERS = {
    "Apples are red.": CLOSE,
    "Boats float well.": CLOSE,
    "Chairs stand still.": CLOSE,
    "Doors open wide.": CLOSE,
}


@pytest.fixture
def add(conn, organization_id):
    """add(name, [(heading, text, vector), ...]): a document of these chunks."""

    def run(name: str, pieces: list[tuple]) -> None:
        source_id = store.add_source(conn, organization_id, name, str(pieces).encode())
        chunks = [Chunk(at, [one[0]], None, one[1]) for at, one in enumerate(pieces)]
        vectors = [vector for _, _, vector in pieces]
        publish(conn, organization_id, source_id, name, chunks, vectors, "model-a")

    return run


@pytest.fixture
def told(owner, organization_id, monkeypatch):
    """told() -> what a model reads of each passage, by its text."""
    monkeypatch.setattr(knowledge_search, "embed", lambda model, texts: [NEAR])

    def run() -> dict[str, dict]:
        tool = KnowledgeTool(lambda: connect(owner), {}, organization_id)
        passages = json.loads(tool.run({"query": "?"})[0])["passages"]
        return {one["text"]: one for one in passages}

    return run


def test_a_piece_of_a_long_section_is_told_with_the_text_before_and_after_it(
    add, add_document, organization_id, told
):
    pieces = [("Returns", f"Part {number}.", FAR) for number in range(5)]
    pieces[2] = ("Returns", "Part 2.", NEAR)
    add("guide", pieces)
    add_document(organization_id, "others", OTHERS)

    found = told()

    assert (found["Part 2."]["before"], found["Part 2."]["after"]) == ("Part 1.", "Part 3.")
    assert list(found["Part 2."]) == ["source", "title", "heading", "before", "text", "after"]
    assert all("before" not in found[one] and "after" not in found[one] for one in OTHERS)


def test_what_stands_below_another_heading_or_in_another_document_is_no_neighbour(
    add, add_document, organization_id, told
):
    add("a", [("Hours", "From nine.", FAR)])
    add("guide", [("Prices", "Ten euros.", FAR), ("Returns", "30 days.", NEAR)])
    add("z", [("Returns", "60 days.", FAR)])
    add_document(organization_id, "others", OTHERS)

    assert not {"before", "after"} & set(told()["30 days."])


def test_nothing_is_told_twice(add, add_document, organization_id, told):
    texts = [("one", FAR), ("two", NEAR), ("three", FAR), ("four", NEAR), ("five", NEAR)]
    add("guide", [("Returns", text, vector) for text, vector in texts])
    add_document(organization_id, "others", dict(list(OTHERS.items())[:2]))

    found = told()

    around = [one.get(name) for one in found.values() for name in ("before", "text", "after")]
    assert sorted(filter(None, around)) == sorted([*found, "one", "three"])


def test_neighbours_have_so_much_room_and_the_best_passage_comes_first(
    add, add_document, organization_id, told, monkeypatch
):
    monkeypatch.setattr(knowledge_search, "NEIGHBOUR_CHARACTERS", 25)
    for name, vector in (("first", NEAR), ("second", [0.99, 0.05, 0.0])):
        texts = [(f"Before {name}.", FAR), (f"The {name}.", vector), (f"After {name}, long.", FAR)]
        add(name, [(name, *one) for one in texts])
    add_document(organization_id, "others", dict(list(OTHERS.items())[:3]))

    found = told()

    assert found["The first."]["after"] == "After first, long."
    assert not {"before", "after"} & set(found["The second."])
    assert "before" not in found["The first."]


MANY = """
with given as (
  insert into sources (organization_id, name)
  select %s, 'source ' || n from generate_series(1, 500) as n returning *
), made as (
  insert into documents (organization_id, source_id, version, title)
  select organization_id, id, 1, name from given returning *
)
insert into chunks (organization_id, document_id, position, content, words)
select organization_id, id, n, 'Part ' || n, '{}'
  from made cross join generate_series(0, case title when 'source 1' then 3000 else 1 end) as n
"""


def test_a_large_document_is_not_read_for_the_text_around_a_passage(conn, query, organization_id):
    query("set session_replication_role = replica")
    query(MANY, organization_id)
    query("vacuum analyze chunks")
    query("begin; select prove_organization(%s)", organization_id)
    query("set local role chatmill_worker")
    ((chunk_id,),) = query("select id::text from chunks where position = 1500")

    values = {"organization_id": organization_id, "chunk_ids": [chunk_id]}
    with conn.cursor() as cursor:
        cursor.execute(f"explain (analyze, format json) {FIND_NEIGHBOURS}", values)
        plan = json.dumps(cursor.fetchone()[0])

    assert '"Actual Rows": 2' in plan
    assert "position" in "".join(re.findall(r'"Index Cond": "(.*?)", ', plan))
