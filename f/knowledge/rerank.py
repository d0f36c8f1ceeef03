"""Passages in the order of a model that reads each beside the question, where the resource has one.

The form of Cohere, Jina, vLLM and others: POST {model, query, documents, top_n}, answered with
{results: [{index, relevance_score}]}. It betters a search and is never in its way: when it fails or
is slow, the search's own order stays.
"""

import operator
from dataclasses import dataclass

import f.shared.http as http
from f.knowledge.search import Passage
from f.shared.errors import Misconfigured, UpstreamDown, UpstreamError
from f.shared.resources import c_model

# Of a contact's patience; the search before it takes some milliseconds.
TIMEOUT_SECONDS = 2
CANDIDATES = 30
# Cohere reads no more of a document in one piece.
DOCUMENT_CHARACTERS = 12_000


@dataclass(frozen=True)
class Reranked:
    """`note`: for the receipt: the model, and what the vendor counted or why it did not answer."""

    passages: list[Passage]
    note: dict


def wanted(model: c_model, limit: int) -> int:
    """How many passages a search is to find."""
    return max(CANDIDATES, limit) if model.get("rerank_url") else limit


def reranked(model: c_model, query: str, passages: list[Passage], limit: int) -> Reranked:
    """The best `limit` of them. No transaction is open meanwhile."""
    if not model.get("rerank_url") or len(passages) < 2:
        return Reranked(passages[:limit], {})
    note = {"model": model.get("rerank_model") or ""}
    try:
        answer = ask(model, query, [text_of(passage) for passage in passages], limit)
        order = places_in(answer, len(passages))
    except (UpstreamError, Misconfigured) as error:
        return Reranked(passages[:limit], {**note, "error": type(error).__name__})
    best = dict.fromkeys([*order, *range(len(passages))])
    return Reranked([passages[place] for place in best][:limit], {**note, **counted(answer)})


def ask(model: c_model, query: str, documents: list[str], limit: int) -> object:
    return http.request(
        "POST",
        model["rerank_url"],
        headers={"authorization": f"Bearer {model.get('rerank_key') or model['api_key']}"},
        json={
            "model": model.get("rerank_model") or "",
            "query": query,
            "documents": documents,
            "top_n": min(limit, len(documents)),
        },
        timeout_seconds=TIMEOUT_SECONDS,
    ).json()


def text_of(passage: Passage) -> str:
    headings = " > ".join(filter(None, (passage.title, passage.heading_path)))
    return f"{headings}\n{passage.content}"[:DOCUMENT_CHARACTERS]


def places_in(answer: object, count: int) -> list[int]:
    """Places of documents, the best first. Raises UpstreamDown when it says anything else."""
    try:
        results = sorted(answer["results"], key=lambda one: -float(one["relevance_score"]))
        places = [operator.index(one["index"]) for one in results]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise UpstreamDown("the reranker answered in another form") from error
    if not set(places) <= set(range(count)):
        raise UpstreamDown("the reranker named a document that it was not given")
    return places


def counted(answer: dict) -> dict:
    """What the vendor charges for: Cohere counts searches, others tokens."""
    billed = part(part(answer, "meta"), "billed_units")
    found = {
        "search_units": billed.get("search_units"),
        "tokens": part(answer, "usage").get("total_tokens"),
    }
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def part(of: dict, name: str) -> dict:
    found = of.get(name)
    return found if isinstance(found, dict) else {}
