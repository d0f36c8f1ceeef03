"""How well the right answers are found in a file of questions, their answers and paraphrases.

Protocol (that of data/stackfaq.json): every answer is a document, once with its question above it
and once alone; every paraphrase is searched for among all of them; the documents of its own item
are the relevant ones, and NDCG@10 counts each document where its best passage stands. The constants
of f/knowledge were chosen with both halves of StackFAQ's items (`halves`) in view, so neither is
held out; the figures of the second half stand beside those of the whole. Paraphrases without a
letter (StackFAQ has 125 of "*", 9 %) cannot be answered and count as they come, so the best
possible figure is that much below 1.
"""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np

from bench.knowledge_base import KnowledgeBase
from local.errors import CannotRun

PASSAGES = 30
GAINS = [1 / math.log2(place + 2) for place in range(10)]


def read_items(path: Path) -> list[dict]:
    try:
        items = json.loads(path.read_text())["items"]
        fits = all(
            isinstance(item["question"], str)
            and all(isinstance(text, str) for text in item["answers"] + item["paraphrases"])
            for item in items
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotRun(f"{path} is not a file in the form of stackfaq.json.") from error
    if not fits:
        raise CannotRun(f"{path} is not a file in the form of stackfaq.json.")
    return [item for item in items if any(map(str.strip, item["answers"]))]


def halves(items: list[dict]) -> tuple[list[int], list[int]]:
    """Places of the items in two halves drawn at random, the same ones each time."""
    order = np.random.RandomState(0).permutation(len(items)).tolist()
    return sorted(order[: len(items) // 2]), sorted(order[len(items) // 2 :])


def entries_of(items: list[dict], with_question: bool) -> list[tuple[int, tuple[str, str]]]:
    return [
        (place, (item["question"] if with_question else "", answer))
        for place, item in enumerate(items)
        for answer in item["answers"]
        if answer.strip()
    ]


def measure(conn, model: dict, items: list[dict], with_question: bool) -> dict:
    entries = entries_of(items, with_question)
    base = KnowledgeBase(conn, model, "FAQ")
    documents = base.add([entry for _, entry in entries])
    items_of = dict(zip(documents, (place for place, _ in entries), strict=True))
    asked = [(place, text) for place, item in enumerate(items) for text in item["paraphrases"]]
    vectors = base.vectors([text for _, text in asked])
    ways = {
        "": lambda text, vector: (text, vector),
        "by_meaning_alone_": lambda text, vector: ("", vector),
        "by_words_alone_": lambda text, vector: (text, [0.0] * len(vector)),
    }
    scores = {
        name: [
            ndcg(ranking(base, items_of, *way(text, vector)), place, Counter(items_of.values()))
            for (place, text), vector in zip(asked, vectors, strict=True)
        ]
        for name, way in ways.items()
    }
    return figures(asked, scores, halves(items)[1])


def ranking(base: KnowledgeBase, items_of: dict, text: str, vector: list[float]) -> list[int]:
    """The item of each document found, a document once."""
    passages = base.search(text, vector, PASSAGES)
    documents = dict.fromkeys(passage.document_id for passage in passages)
    return [items_of[document] for document in documents][:10]


def ndcg(found: list[int], wanted: int, sizes: Counter) -> float:
    gain = sum(GAINS[place] for place, item in enumerate(found) if item == wanted)
    return gain / sum(GAINS[: sizes[wanted]])


def figures(asked: list[tuple], scores: dict[str, list[float]], others: list[int]) -> dict:
    with_letters = [any(map(str.isalpha, text)) for _, text in asked]
    held_back = set(others)
    means = {f"{name}ndcg_at_10": mean(values) for name, values in scores.items()}
    return means | {
        "ndcg_at_10_other_half": mean(
            [
                score
                for score, (place, _) in zip(scores[""], asked, strict=True)
                if place in held_back
            ]
        ),
        "ndcg_at_10_with_letters": mean(
            [score for score, fits in zip(scores[""], with_letters, strict=True) if fits]
        ),
        "best_possible": mean([float(fits) for fits in with_letters]),
        "paraphrases": len(asked),
    }


def mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
