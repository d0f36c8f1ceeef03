"""How well questions that ask the same are put together, by the rule of group_question."""

import random
from collections import Counter

import numpy as np

from bench.knowledge_faq import is_held_out
from f.knowledge.embeddings import embed
from f.knowledge.questions import least_similarity


def measure(model: dict, items: list[dict]) -> dict:
    """Of the held out half's paraphrases, in an order drawn at random."""
    asked = [
        (place, text)
        for place, item in enumerate(items)
        if is_held_out(item)
        for text in item["paraphrases"]
        if any(map(str.isalpha, text))
    ]
    random.Random(0).shuffle(asked)
    vectors = np.array(embed(model, [text for _, text in asked]))
    groups = grouped(vectors, least_similarity(model["embedding_model"]))
    wanted = [place for place, _ in asked]
    together = pairs(list(zip(groups, wanted, strict=True)))
    return {
        "questions": len(asked),
        "things_asked": len(set(wanted)),
        "groups": len(set(groups)),
        "pairs_put_together_that_ask_the_same": round(together / max(1, pairs(groups)), 3),
        "pairs_that_ask_the_same_put_together": round(together / max(1, pairs(wanted)), 3),
    }


def grouped(vectors: np.ndarray, least: float) -> list[int]:
    firsts: list[np.ndarray] = []
    groups = []
    for vector in vectors:
        alike = np.array(firsts) @ vector if firsts else np.array([-1.0])
        nearest = int(alike.argmax())
        if alike[nearest] < least:
            firsts.append(vector)
            nearest = len(firsts) - 1
        groups.append(nearest)
    return groups


def pairs(labels: list) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())
