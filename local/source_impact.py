"""What a held version of a document changes: golden questions, asked as things are and with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import f.knowledge.held_versions as held_versions
from f.agent.knowledge_tool import PASSAGES
from f.knowledge import store
from f.knowledge.chunk_sets import searched_set
from f.knowledge.embed_chunks import embed_document
from f.knowledge.embeddings import embed
from f.knowledge.held_versions import HeldVersion
from f.knowledge.relevance import is_relevant
from f.knowledge.search import Passage
from local.evals import judged
from local.rehearsal import Stage, rehearse, turn_for


@dataclass(frozen=True)
class Said:
    """`problem`: what of the golden question it does not keep."""

    text: str
    cites: list[str]
    problem: str | None


@dataclass(frozen=True)
class Change:
    """A golden question for which other passages are found."""

    question: str
    before: Said
    after: Said

    @property
    def is_seen(self) -> bool:
        return (self.before.text, self.before.cites) != (self.after.text, self.after.cites)

    @property
    def is_worse(self) -> bool:
        return self.after.problem is not None and self.before.problem is None

    def as_json(self) -> dict:
        return {**asdict(self), "is_seen": self.is_seen, "is_worse": self.is_worse}


@dataclass(frozen=True)
class StageWith(Stage):
    """As it would be with the version: each transaction shows it first, and leaves nothing."""

    document_id: str = ""

    @contextmanager
    def open_transaction(self) -> Iterator:
        with super().open_transaction() as connection:
            store.show_document(connection, self.document_id)
            yield connection


def changes(stage: Stage, held: HeldVersion, cases: list[dict]) -> list[Change]:
    """The model is asked only where a search finds something else: what else its answers differ
    in, they would differ in without the version."""
    embed_document(stage.resource, stage.model, held.organization_id, held.document_id)
    stage_with = StageWith(**vars(stage), document_id=held.document_id)
    touched = [case for case in cases if finds_other_passages(stage, held, case["question"])]
    return [Change(case["question"], said(stage, case), said(stage_with, case)) for case in touched]


def finds_other_passages(stage: Stage, held: HeldVersion, question: str) -> bool:
    with stage.open_transaction() as connection:
        chunk_set = searched_set(connection, held.organization_id)
    name = chunk_set.embedding_model
    vector = embed({**stage.model, "embedding_model": name}, [question])[0]
    with stage.open_transaction() as connection:
        ((before, after),) = held_versions.found_before_and_after(
            connection, held, [(question, vector)], name
        )
    return read(before, name) != read(after, name)


def read(passages: list[Passage], embedding_model: str) -> list[tuple]:
    """What the model would read: the same words in another version are the same passage."""
    found = passages[:PASSAGES] if is_relevant(passages, embedding_model) else []
    return [(one.title, one.heading_path, one.content) for one in found]


def said(stage: Stage, case: dict) -> Said:
    draft = rehearse(stage, turn_for(stage, case["question"]))
    cites = [one["heading_path"] or one["title"] for one in draft.reply.citations]
    return Said(draft.reply.text, cites, judged(case, draft))
