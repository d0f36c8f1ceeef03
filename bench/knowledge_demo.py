"""How well the demo's help centre is searched: its golden questions, with and without an answer."""

import yaml

from bench.knowledge_base import KnowledgeBase
from f.knowledge.extraction import extract
from f.knowledge.relevance import is_relevant
from local.documents import DEMO_DOCUMENTS, demo_documents


def measure(connection, model: dict) -> dict:
    base = KnowledgeBase(connection, model, "Help centre")
    articles = {
        base.add_file(name, extract(name, content)): name
        for name, content in demo_documents().items()
    }
    questions = yaml.safe_load((DEMO_DOCUMENTS / "questions.yaml").read_text())
    vectors = base.vectors([one["question"] for one in questions])
    found = [
        base.search(one["question"], vector, 5)
        for one, vector in zip(questions, vectors, strict=True)
    ]
    pairs = list(zip(questions, found, strict=True))
    answered = [pair for pair in pairs if pair[0].get("answerable", True)]
    others = [passages for one, passages in pairs if not one.get("answerable", True)]
    embedder = model["embedding_model"]
    return {
        "chunks": base.count(),
        "questions": len(answered),
        "article_first": within(answered, articles, 1),
        "article_in_first_3": within(answered, articles, 3),
        "words_of_answer_in_5": sum(
            any(one["phrase"] in passage.content for passage in passages)
            for one, passages in answered
        ),
        "questions_said_to_have_an_answer": sum(is_relevant(p, embedder) for _, p in answered),
        "unanswerable_questions": len(others),
        "unanswerable_said_to_have_none": sum(not is_relevant(p, embedder) for p in others),
    }


def within(answered: list, articles: dict, places: int) -> int:
    return sum(
        one["article"] in [articles[passage.document_id] for passage in passages[:places]]
        for one, passages in answered
    )
