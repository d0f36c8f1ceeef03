"""What the organization's documents say to a question, for the model and for the receipt."""

import importlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from f.knowledge.chunk_sets import ChunkSet, searched_set
from f.knowledge.embeddings import embed
from f.knowledge.relevance import PASSAGES, Found, find
from f.knowledge.search import Neighbour, Passage, neighbours_of
from f.shared.deadline import within
from f.shared.errors import UpstreamError
from f.shared.resources import c_model

EMBED_SECONDS = 8
# Of all neighbours together: about a thousand tokens, as much as five passages have themselves.
NEIGHBOUR_CHARACTERS = 4000


class KnowledgeSearch:
    def __init__(
        self,
        open_transaction: Callable[[], AbstractContextManager],
        model: c_model,
        organization_id: str,
        source_tags: Sequence[str],
    ):
        self._open_transaction = open_transaction
        self._model = model
        self._organization_id = organization_id
        self._source_tags = source_tags

    def told(self, query: str) -> tuple[str, dict]:
        if not self._model.get("rerank_url"):
            found, neighbours = self._search(query, PASSAGES)
            best, note = found.passages[:PASSAGES], {}
        else:
            rerank = importlib.import_module("f.knowledge.rerank")
            found, neighbours = self._search(query, rerank.wanted(self._model, PASSAGES))
            ranked = rerank.reranked(self._model, query, found.passages, PASSAGES)
            best, note = ranked.passages, {"rerank": ranked.note} if ranked.note else {}
        told = _for_model(best, neighbours, found.unknown_codes)
        return told, {**_for_receipt(best), **note}

    def _search(self, query: str, limit: int) -> tuple[Found, dict[str, list[Neighbour]]]:
        organization_id = self._organization_id
        with self._open_transaction() as conn:
            chunk_set = searched_set(conn, organization_id)
        while chunk_set is not None:
            model = chunk_set.embedding_model
            vector = self._vector(chunk_set, query)
            with self._open_transaction() as conn:
                found = find(conn, organization_id, query, vector, model, limit, self._source_tags)
                neighbours = neighbours_of(conn, organization_id, found.passages)
                current = searched_set(conn, organization_id)
            if current == chunk_set:
                return found, neighbours
            # Another model took over while the question was embedded.
            chunk_set = current
        return Found([], []), {}

    def _vector(self, chunk_set: ChunkSet, query: str) -> list[float]:
        """All zeros while its model does not do its part: then words alone are searched."""
        model = {**self._model, "embedding_model": chunk_set.embedding_model}
        try:
            vector = within(EMBED_SECONDS, partial(embed, model, [query]))[0]
        except (UpstreamError, TimeoutError):
            vector = []
        is_comparable = len(vector) == chunk_set.dimensions
        return vector if is_comparable else [0.0] * chunk_set.dimensions


def _for_model(
    passages: list[Passage], neighbours: dict[str, list[Neighbour]], unknown_codes: list[str]
) -> str:
    around = _around(passages, neighbours)
    found = [
        {
            "source": number,
            "title": passage.title,
            "heading": passage.heading_path,
            **_in_reading_order(passage.content, **around.get(passage.chunk_id, {})),
        }
        for number, passage in enumerate(passages, start=1)
    ]
    unknown = {"in_no_document": unknown_codes} if unknown_codes else {}
    return json.dumps({"passages": found, **unknown}, ensure_ascii=False)


def _around(
    passages: list[Passage], neighbours: dict[str, list[Neighbour]]
) -> dict[str, dict[str, str]]:
    """By the passage's chunk; the best are served first, and nothing is told twice."""
    told = {passage.chunk_id for passage in passages}
    room = NEIGHBOUR_CHARACTERS
    around: dict[str, dict[str, str]] = {}
    for passage in passages:
        for near in neighbours.get(passage.chunk_id, []):
            if near.chunk_id not in told and len(near.content) <= room:
                told.add(near.chunk_id)
                room -= len(near.content)
                place = "after" if near.is_after else "before"
                around.setdefault(passage.chunk_id, {})[place] = near.content
    return around


def _in_reading_order(text: str, before: str = "", after: str = "") -> dict[str, str]:
    parts = {"before": before, "text": text, "after": after}
    return {name: part for name, part in parts.items() if part}


def _for_receipt(passages: list[Passage]) -> dict:
    return {
        "passages": [
            {
                "chunk_id": passage.chunk_id,
                "title": passage.title,
                "heading_path": passage.heading_path,
                "score": round(passage.similarity, 4),
            }
            for passage in passages
        ]
    }
