"""How well the demo's help centre is searched: its golden questions, with and without an answer."""

import yaml

from bench.knowledge_base import KnowledgeBase
from f.knowledge.extraction import extract
from f.knowledge.relevance import is_relevant
from f.knowledge.search import Passage
from f.knowledge.unknown_codes import codes_in_no_document
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
    others = [pair for pair in pairs if not pair[0].get("answerable", True)]

    def has_answer(one: dict, passages: list[Passage]) -> bool:
        unknown = codes_in_no_document(connection, base.organization_id, one["question"])
        return is_relevant(passages, model["embedding_model"], unknown)

    return {
        "chunks": base.count(),
        "questions": len(answered),
        "article_first": within(answered, articles, 1),
        "article_in_first_3": within(answered, articles, 3),
        "words_of_answer_in_5": sum(
            any(one["phrase"] in passage.content for passage in passages)
            for one, passages in answered
        ),
        "questions_said_to_have_an_answer": sum(has_answer(*pair) for pair in answered),
        "unanswerable_questions": len(others),
        "unanswerable_said_to_have_none": sum(not has_answer(*pair) for pair in others),
    }


def within(answered: list, articles: dict, places: int) -> int:
    return sum(
        one["article"] in [articles[passage.document_id] for passage in passages[:places]]
        for one, passages in answered
    )
