"""How well the right answers are found in a file of questions, their answers and paraphrases.

Protocol (that of data/stackfaq.json): every answer is a document, once with its question above it
and once alone; every paraphrase is searched for among all of them; the documents of its own item
are the relevant ones, and NDCG@10 counts each document where its best passage stands. Items are in
two halves by a hash of their question: f/knowledge/search.WEIGHTS were chosen on the first
(bench/knowledge_tuning.py), `ndcg_at_10_held_out` is of the second, which had no part in it.
Thirty passages are searched for, among 60 candidates; the agent takes five, of 40.
Paraphrases without a letter (StackFAQ has 125 of "*", 9 %) cannot be answered and count as they
come, so the best possible figure is that much below 1.
"""

import hashlib
import json
import math
from collections import Counter
from pathlib import Path

from bench.knowledge_base import KnowledgeBase
from f.knowledge.search import WEIGHTS, Weights
from local.errors import CannotRun

FORM = '{"items": [{"question": TEXT, "answers": [TEXT], "paraphrases": [TEXT]}]}'
PASSAGES = 30
GAINS = [1 / math.log2(place + 2) for place in range(10)]


def read_items(path: Path) -> list[dict]:
    problem = CannotRun(f"{path} is not a file of {FORM}.")
    try:
        items = json.loads(path.read_text())["items"]
        fits = all(
            isinstance(item["question"], str)
            and all(isinstance(text, str) for text in item["answers"] + item["paraphrases"])
            for item in items
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise problem from error
    if not fits:
        raise problem
    return [item for item in items if any(map(str.strip, item["answers"]))]


def is_held_out(item: dict) -> bool:
    """Of the second half, whose figures nothing was chosen by."""
    return hashlib.sha256(item["question"].encode()).digest()[0] % 2 == 1


def entries_of(items: list[dict], with_question: bool) -> list[tuple[int, tuple[str, str]]]:
    return [
        (place, (item["question"] if with_question else "", answer))
        for place, item in enumerate(items)
        for answer in item["answers"]
        if answer.strip()
    ]


class Faq:
    """Its answers in a knowledge base, its paraphrases with their vectors, ready to be searched."""

    def __init__(self, conn, model: dict, items: list[dict], with_question: bool):
        entries = entries_of(items, with_question)
        self._base = KnowledgeBase(conn, model, "FAQ")
        documents = self._base.add([entry for _, entry in entries])
        self._items_of = dict(zip(documents, (place for place, _ in entries), strict=True))
        self._sizes = Counter(self._items_of.values())
        asked = [(place, text) for place, item in enumerate(items) for text in item["paraphrases"]]
        vectors = self._base.vectors([text for _, text in asked])
        self.asked = [(*one, vector) for one, vector in zip(asked, vectors, strict=True)]

    def score(self, place: int, text: str, vector: list[float], weights: Weights) -> float:
        """NDCG@10 of one search; each document counts where its best passage stands."""
        passages = self._base.search(text, vector, PASSAGES, weights)
        documents = dict.fromkeys(passage.document_id for passage in passages)
        found = [self._items_of[document] for document in documents][:10]
        gain = sum(GAINS[at] for at, item in enumerate(found) if item == place)
        return gain / sum(GAINS[: self._sizes[place]])


def measure(conn, model: dict, items: list[dict], with_question: bool) -> dict:
    asked = Faq(conn, model, items, with_question)
    ways = {
        "": lambda text, vector: (text, vector),
        "by_meaning_alone_": lambda text, vector: ("", vector),
        "by_words_alone_": lambda text, vector: (text, [0.0] * len(vector)),
    }
    scores = {
        name: [asked.score(one, *way(text, vector), WEIGHTS) for one, text, vector in asked.asked]
        for name, way in ways.items()
    }
    held_out = [is_held_out(items[place]) for place, *_ in asked.asked]
    with_letters = [any(map(str.isalpha, text)) for _, text, _ in asked.asked]
    means = {f"{name}ndcg_at_10": mean(values) for name, values in scores.items()}
    return means | {
        "ndcg_at_10_held_out": mean(chosen(scores[""], held_out)),
        "ndcg_at_10_with_letters": mean(chosen(scores[""], with_letters)),
        "best_possible": mean([float(fits) for fits in with_letters]),
        "paraphrases": len(asked.asked),
    }


def chosen(scores: list[float], fits: list[bool]) -> list[float]:
    return [score for score, is_one in zip(scores, fits, strict=True) if is_one]


def mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
