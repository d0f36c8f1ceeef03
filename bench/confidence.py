"""./chatmill bench confidence: how often answers of so and so much confidence are right.

Of two kinds of documents: answers to frequent questions, half of them without the question, and
articles of the demo's help centre. A third of the questions' items has no document, so there is no
answer to them. Both kinds are split in two halves: constants are fitted to the first ones, and the
figures are the second ones'. An answer is right when the passage that it rests on is of the item or
the article that answers.
"""

import argparse
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from bench.answering import fresh_database
from bench.knowledge import SHARED_DATA
from bench.knowledge_base import KnowledgeBase
from bench.knowledge_faq import is_held_out, read_items
from f.agent.citations import cited, without_numbers
from f.agent.knowledge_tool import KnowledgeTool
from f.agent.route import answer_confidence, signs_of
from f.knowledge.extraction import extract
from local.answerer import answer
from local.documents import DEMO_DOCUMENTS, demo_documents
from local.embedder import load_embedder
from local.errors import CannotRun
from local.migrations import connection_to
from local.models import open_model
from local.places import STATE
from local.postgres import open_postgres
from local.terminal import heading

UNKNOWN = "I don't know that."
SYSTEM = {"role": "system", "content": f"When you do not know: {UNKNOWN}"}
ASKED_OF_AN_ITEM = 3
ANSWERS_OF_AN_ITEM = 3
SHARE_WITH_DOCUMENTS = 2 / 3
BINS = 10
RIDGE = 0.01  # a sign that hardly varies is worth little
NEWTON_STEPS = 40
FITTED, FREQUENT, HELP_CENTRE = "fitted to", "held out, frequent", "held out, help centre"


@dataclass(frozen=True)
class Asked:
    """`calls` and `citations` as route.answer_confidence takes them."""

    calls: list[dict]
    citations: list[dict]
    is_unknown: bool
    is_right: bool

    @property
    def confidence(self) -> float:
        return answer_confidence(self.calls, self.is_unknown, self.citations)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.data is None:
        raise CannotRun("there is no file of questions: --data FILE, in the form of stackfaq.json.")
    items = read_items(options.data)
    with open_postgres(STATE) as postgres, open_model() as model:
        with connection_to(fresh_database(postgres)) as connection:
            asked = ask_all(connection, model, items, options.limit)
    figures = {name: figures_of(sum(kinds, [])) for name, kinds in asked.items()}
    figures["constants_that_fit"] = fit(asked[FITTED])
    print(json.dumps(figures, indent=2)) if options.json else report(figures)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill bench confidence", description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED_DATA if SHARED_DATA.exists() else None)
    parser.add_argument("--limit", type=int, help="questions of each half at most")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def ask_all(connection, model: dict, items: list[dict], limit: int | None) -> dict:
    first, second = (
        ask_items(connection, model, [one for one in items if is_held_out(one) == held], limit)
        for held in (False, True)
    )
    articles = ask_help_centre(connection, model)
    return {
        FITTED: [first, articles[::2]],
        FREQUENT: [second],
        HELP_CENTRE: [articles[1::2]],
    }


def ask_items(connection, model: dict, items: list[dict], limit: int | None) -> list[Asked]:
    base = KnowledgeBase(connection, model, "Confidence")
    known = items[: round(len(items) * SHARE_WITH_DOCUMENTS)]
    answers = [
        (place, (one["question"] if place % 2 else "", text))
        for place, one in enumerate(known)
        for text in [text for text in one["answers"] if text.strip()][:ANSWERS_OF_AN_ITEM]
    ]
    documents = base.add([entry for _, entry in answers])
    places = dict(zip(documents, (place for place, _ in answers), strict=True))
    questions = [
        (place, text)
        for place, one in enumerate(items)
        for text in [text for text in one["paraphrases"] if text.strip("* ")][:ASKED_OF_AN_ITEM]
    ]
    ask = asker(base, model)
    return [
        ask(text, lambda document_id, place=place: places[document_id] == place)
        for place, text in questions[:limit]
    ]


def ask_help_centre(connection, model: dict) -> list[Asked]:
    base = KnowledgeBase(connection, model, "Help centre")
    articles = {
        base.add_file(name, extract(name, content)): name
        for name, content in demo_documents().items()
    }
    questions = yaml.safe_load((DEMO_DOCUMENTS / "questions.yaml").read_text())
    ask = asker(base, model)
    return [
        ask(
            one["question"],
            lambda document_id, one=one: articles[document_id] == one.get("article"),
        )
        for one in questions
    ]


def asker(base: KnowledgeBase, model: dict):
    """ask(question, is_right of a document's id): what the product and the offline model make of
    it."""
    embedder = load_embedder()

    @contextmanager
    def open_transaction():
        yield base.conn

    tool = KnowledgeTool(open_transaction, model, base.organization_id)

    def ask(question: str, is_right) -> Asked:
        text, receipt = tool.run({"query": question})
        passages = receipt["passages"]
        told = {"role": "tool", "tool_call_id": "c", "content": text}
        messages = [SYSTEM, {"role": "user", "content": question}, told]
        reply = answer(embedder, messages, []).text
        texts = [one["text"] for one in json.loads(text)["passages"]]
        named = cited(reply, passages, texts)
        rests_on = (named or passages)[:1]
        return Asked(
            [{"tool": "knowledge", "result": receipt}],
            named,
            not passages or without_numbers(reply) == UNKNOWN,
            bool(rests_on) and is_right(document_of(base, rests_on[0]["chunk_id"])),
        )

    return ask


def document_of(base: KnowledgeBase, chunk_id: str) -> str:
    with base.conn.cursor() as cursor:
        cursor.execute("select document_id::text from chunks where id = %s", [chunk_id])
        return cursor.fetchone()[0]


def figures_of(asked: list[Asked]) -> dict:
    answered = [one for one in asked if not one.is_unknown]
    sure = np.array([one.confidence for one in answered])
    right = np.array([one.is_right for one in answered], dtype=float)
    return {
        "questions": len(asked),
        "answered": len(answered),
        "answered_right": round(float(right.mean()), 3),
        "expected_calibration_error": round(calibration_error(sure, right), 3),
        "brier_score": round(float(((sure - right) ** 2).mean()), 3),
        "ranked_right_over_wrong": round(order_of(sure, right), 3),
        "reliability": reliability(sure, right),
    }


def calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    """How far confidence and share of right answers are apart, over bins of equal width."""
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        abs(sure[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean()
        for one in range(BINS)
        if (bins == one).any()
    ]
    return float(sum(gaps))


def reliability(sure: np.ndarray, right: np.ndarray) -> list[dict]:
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        {
            "said": round(float(sure[bins == one].mean()), 2),
            "right": round(float(right[bins == one].mean()), 2),
            "answers": int((bins == one).sum()),
        }
        for one in range(BINS)
        if (bins == one).any()
    ]


def order_of(sure: np.ndarray, right: np.ndarray) -> float:
    """Share of pairs of a right and a wrong answer in which the right one is surer (AUC)."""
    good, bad = sure[right == 1], sure[right == 0]
    if not len(good) or not len(bad):
        return 1.0
    over = (good[:, None] > bad[None, :]).mean() + (good[:, None] == bad[None, :]).mean() / 2
    return float(over)


def fit(kinds: list[list[Asked]]) -> dict:
    """Platt's scaling: logistic regression by Newton's method, with his targets short of 0 and 1;
    each kind of documents counts the same, however many questions it has.
    https://en.wikipedia.org/wiki/Platt_scaling"""
    answered = [[one for one in kind if not one.is_unknown] for kind in kinds]
    counts = np.concatenate([np.full(len(kind), 1 / len(kind)) for kind in answered])
    counts *= sum(map(len, answered)) / counts.sum()
    flat = [one for kind in answered for one in kind]
    signs = np.array([[1, *signs_of(one.calls, one.citations)] for one in flat])
    right = np.array([one.is_right for one in flat])
    good, bad = counts[right].sum(), counts[~right].sum()
    target = np.where(right, (good + 1) / (good + 2), 1 / (bad + 2))
    ridge = np.diag([1e-9, *[RIDGE] * (signs.shape[1] - 1)])
    weights = np.zeros(signs.shape[1])
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-signs @ weights))
        bend = signs.T @ (signs * (counts * chance * (1 - chance))[:, None]) + ridge
        slope = signs.T @ (counts * (target - chance)) - ridge @ weights
        weights += np.linalg.solve(bend, slope)
    return {"log_odds": [round(float(one), 1) for one in weights]}


def report(figures: dict) -> None:
    heading("What an answer's confidence is worth")
    for name, one in figures.items():
        print(f"  {name}: {json.dumps({k: v for k, v in one.items() if k != 'reliability'})}")
        for row in one.get("reliability", []):
            print(f"      said {row['said']:.2f}  right {row['right']:.2f}  ({row['answers']})")
