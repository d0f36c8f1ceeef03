"""Choose the weights of a search on one half of a file's questions, and look at the other.

The grid is searched by the product's own search. The best by the first half's two figures together
stands first: what `f/knowledge/search.WEIGHTS` should say. The held out half is printed beside it
and chooses nothing. Some ten minutes.
"""

from dataclasses import asdict, replace
from itertools import product

from bench.knowledge_faq import Faq, is_held_out, mean
from f.knowledge.search import WEIGHTS, Weights
from local.progress import Progress

WORDS = (0.05, 0.1, 0.15, 0.2)
VOTES_MARGINS = (0.5, 0.75, 1.0, 1.25)
FILES = (("question_and_answer", True), ("answer", False))


def measure(connection, model: dict, items: list[dict], progress: Progress) -> list[dict]:
    """One row for each choice, the best of the first half first."""
    with progress.phase("Embed the questions and answers"):
        faqs = {name: Faq(connection, model, items, with_q) for name, with_q in FILES}
    grid = [
        replace(WEIGHTS, words=words, votes_margin=margin)
        for words, margin in product(WORDS, VOTES_MARGINS)
    ]
    found = []
    for number, weights in enumerate(grid, start=1):
        with progress.phase(f"Search with choice {number} of {len(grid)}"):
            found.append(row(faqs, items, weights))
    return sorted(found, key=lambda one: -sum(one["first_half"].values()))


def row(faqs: dict[str, Faq], items: list[dict], weights: Weights) -> dict:
    halves = {"first_half": {}, "held_out": {}}
    for name, asked in faqs.items():
        scores = {True: [], False: []}
        for place, text, vector in asked.asked:
            scores[is_held_out(items[place])].append(asked.score(place, text, vector, weights))
        halves["first_half"][name] = mean(scores[False])
        halves["held_out"][name] = mean(scores[True])
    return {**asdict(weights), "is_in_use": weights == WEIGHTS, **halves}
