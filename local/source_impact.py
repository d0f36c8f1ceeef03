"""What a held version of a document changes: golden questions, asked as things are and with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import f.knowledge.held_versions as held_versions
from f.knowledge import store
from f.knowledge.chunk_sets import searched_set
from f.knowledge.embed_chunks import embed_document
from f.knowledge.embeddings import embed
from f.knowledge.held_versions import HeldVersion
from f.knowledge.relevance import PASSAGES, Found, find
from f.knowledge.rerank import wanted
from f.knowledge.search import neighbours_of
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
    return [
        Change(case["question"], said(stage, case), said(stage_with, case))
        for case in touched(stage, held, cases)
    ]


def touched(stage: Stage, held: HeldVersion, cases: list[dict]) -> list[dict]:
    """Those for which the model would read something else."""
    questions = [case["question"] for case in cases]
    source_tags = turn_for(stage, "").source_tags
    with stage.open_transaction() as connection:
        model = searched_set(connection, held.organization_id).embedding_model
    vectors = embed({**stage.model, "embedding_model": model}, questions)

    def read(connection) -> list:
        how = model, wanted(stage.model, PASSAGES), source_tags
        return [
            passages_read(connection, find(connection, held.organization_id, *asked, *how), held)
            for asked in zip(questions, vectors, strict=True)
        ]

    with stage.open_transaction() as connection:
        before, after = held_versions.before_and_after(connection, held, read)
    return [case for case, was, will in zip(cases, before, after, strict=True) if was != will]


def passages_read(connection, found: Found, held: HeldVersion) -> tuple:
    """The same words in another version are the same passage."""
    around = neighbours_of(connection, held.organization_id, found.passages)
    passages = [
        (one.title, one.heading_path, one.content)
        + tuple((near.content, near.is_after) for near in around.get(one.chunk_id, []))
        for one in found.passages
    ]
    return found.unknown_codes, passages


def said(stage: Stage, case: dict) -> Said:
    draft = rehearse(stage, turn_for(stage, case["question"]))
    cites = [one["heading_path"] or one["title"] for one in draft.reply.citations]
    return Said(draft.reply.text, cites, judged(case, draft))
