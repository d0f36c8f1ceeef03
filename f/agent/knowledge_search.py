"""What the organization's documents say to a question, for the model and for the receipt."""

import importlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from f.knowledge.chunk_sets import ChunkSet, searched_set
from f.knowledge.embeddings import embed
from f.knowledge.relevance import is_relevant
from f.knowledge.search import Passage, search
from f.knowledge.unknown_codes import codes_in_no_document
from f.shared.deadline import within
from f.shared.errors import UpstreamError
from f.shared.resources import c_model

PASSAGES = 5
EMBED_SECONDS = 8


class KnowledgeSearch:
    def __init__(
        self,
        open_transaction: Callable[[], AbstractContextManager],
        model: c_model,
        organization_id: str,
    ):
        self._open_transaction = open_transaction
        self._model = model
        self._organization_id = organization_id

    def told(self, query: str) -> tuple[str, dict]:
        if not self._model.get("rerank_url"):
            passages, unknown_codes = self._search(query, PASSAGES)
            return _for_model(passages[:PASSAGES], unknown_codes), _for_receipt(passages[:PASSAGES])
        rerank = importlib.import_module("f.knowledge.rerank")
        passages, unknown_codes = self._search(query, rerank.wanted(self._model, PASSAGES))
        found = rerank.reranked(self._model, query, passages, PASSAGES)
        note = {"rerank": found.note} if found.note else {}
        return _for_model(found.passages, unknown_codes), {**_for_receipt(found.passages), **note}

    def _search(self, query: str, limit: int) -> tuple[list[Passage], list[str]]:
        """No passages when even the best is about something else; codes that are in no document."""
        with self._open_transaction() as conn:
            chunk_set = searched_set(conn, self._organization_id)
        while chunk_set is not None:
            model = chunk_set.embedding_model
            vector = self._vector(chunk_set, query)
            with self._open_transaction() as conn:
                passages = search(conn, self._organization_id, query, vector, model, limit)
                unknown = codes_in_no_document(conn, self._organization_id, query)
                current = searched_set(conn, self._organization_id)
            if current == chunk_set:
                is_found = is_relevant(passages[:PASSAGES], model, unknown)
                return passages if is_found else [], unknown
            # Another model took over while the question was embedded.
            chunk_set = current
        return [], []

    def _vector(self, chunk_set: ChunkSet, query: str) -> list[float]:
        """All zeros while its model does not do its part: then words alone are searched."""
        model = {**self._model, "embedding_model": chunk_set.embedding_model}
        try:
            vector = within(EMBED_SECONDS, partial(embed, model, [query]))[0]
        except (UpstreamError, TimeoutError):
            vector = []
        is_comparable = len(vector) == chunk_set.dimensions
        return vector if is_comparable else [0.0] * chunk_set.dimensions


def _for_model(passages: list, unknown_codes: list[str]) -> str:
    found = [
        {
            "source": number,
            "title": passage.title,
            "heading": passage.heading_path,
            "text": passage.content,
        }
        for number, passage in enumerate(passages, start=1)
    ]
    unknown = {"in_no_document": unknown_codes} if unknown_codes else {}
    return json.dumps({"passages": found, **unknown}, ensure_ascii=False)


def _for_receipt(passages: list) -> dict:
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
