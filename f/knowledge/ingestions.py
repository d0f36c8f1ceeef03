"""What became of one content of a source, step by step: each step finds here what was done.

A run that starts to read a source takes the next fence; what an older run still wants to write is
refused. So are both when the source was deleted or replaced meanwhile.
"""

from dataclasses import dataclass

import f.knowledge.sources as sources
from f.shared.db import connect
from f.shared.errors import InputRefused

STATES = ("fetched", "extracted", "split", "embedded", "stored", "ended")
# What a step answers when the work is no longer its own.
REPLACED = {"state": "replaced"}

COLUMNS = """
id::text, organization_id::text, source_id::text, fence, sha256, state, outcome, title, media_type,
page_count, chunk_count, reused_count, embedded_count, stored_count, embedding_model,
embedding_dimensions, embedding_seconds, document_id::text
"""

# The source's row is locked by the update that took it.
CONTINUE = f"""
update ingestions set fence = fence + 1, progressed_at = now()
 where source_id = %(source_id)s and sha256 = %(sha256)s and state <> 'ended'
returning {COLUMNS}
"""

# A version that was begun and never shown is nobody's.
DISCARD = """
delete from documents using ingestions
 where ingestions.source_id = %(source_id)s and ingestions.state <> 'ended'
   and documents.id = ingestions.document_id and not documents.is_active
"""
REPLACE = """
update ingestions set state = 'ended', outcome = 'replaced', ended_at = now()
 where source_id = %(source_id)s and state <> 'ended'
returning id::text
"""
BEGIN = f"""
insert into ingestions (organization_id, source_id, sha256)
values (%(organization_id)s, %(source_id)s, %(sha256)s)
returning {COLUMNS}
"""

ENTER = f"select {COLUMNS} from enter_ingestion(%s, %s)"

END = """
update ingestions
   set state = 'ended', outcome = %(outcome)s, document_id = %(document_id)s, ended_at = now()
 where id = %(id)s
"""
FORGET_SECTIONS = "delete from ingestion_sections where ingestion_id = any(%s::uuid[])"
FORGET_CHUNKS = "delete from ingestion_chunks where ingestion_id = any(%s::uuid[])"


@dataclass(frozen=True)
class Ingestion:
    id: str
    organization_id: str
    source_id: str
    fence: int
    sha256: str
    state: str
    outcome: str | None
    title: str
    media_type: str
    page_count: int
    chunk_count: int
    reused_count: int
    embedded_count: int
    stored_count: int
    embedding_model: str | None
    embedding_dimensions: int | None
    embedding_seconds: float
    document_id: str | None

    def is_past(self, state: str) -> bool:
        return STATES.index(self.state) > STATES.index(state)


def begin(conn, organization_id: str, source_id: str, sha256: str) -> Ingestion:
    """Goes on with this content where an earlier run stopped, or begins with it."""
    values = {"organization_id": organization_id, "source_id": source_id, "sha256": sha256}
    with conn.cursor() as cursor:
        cursor.execute(CONTINUE, values)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(DISCARD, values)
            cursor.execute(REPLACE, values)
            _forget(cursor, [replaced_id for (replaced_id,) in cursor])
            cursor.execute(BEGIN, values)
            row = cursor.fetchone()
    return Ingestion(*row)


def enter(conn, ingestion_id: str, fence: int) -> Ingestion | None:
    """Opens the transaction to its organization and locks its source. None when another run has
    it, it has ended, or its source was deleted or replaced."""
    with conn.cursor() as cursor:
        cursor.execute(ENTER, [ingestion_id, fence])
        row = cursor.fetchone()
    return Ingestion(*row) if row else None


def advance(conn, ingestion: Ingestion, **columns) -> Ingestion:
    """With these columns of its row changed."""
    names = ", ".join(f"{name} = %({name})s" for name in columns)
    with conn.cursor() as cursor:
        cursor.execute(
            f"update ingestions set {names} where id = %(id)s returning {COLUMNS}",
            {**columns, "id": ingestion.id},
        )
        return Ingestion(*cursor.fetchone())


def embed_again(conn, ingestion: Ingestion) -> Ingestion:
    """Another embedding model took over while this version was made."""
    with conn.cursor() as cursor:
        cursor.execute(DISCARD, {"source_id": ingestion.source_id})
    return advance(
        conn, ingestion, state="split", stored_count=0, document_id=None, embedding_model=None
    )


def came_further(conn, ingestion: Ingestion) -> None:
    """Whatever ends this run is not the fault of what it reads: it is started as often again."""
    with conn.cursor() as cursor:
        cursor.execute(
            "update sources set attempts = 0 where id = %s and attempts > 0", [ingestion.source_id]
        )


def refuse(db: dict, ingestion: Ingestion, refusal: InputRefused) -> dict:
    with connect(db) as conn:
        entered = enter(conn, ingestion.id, ingestion.fence)
        if entered is None:
            return REPLACED
        sources.refuse(conn, entered.source_id, entered.sha256, refusal)
        end(conn, entered, "refused")
        return ended(entered, "refused", refusal.code)


def end(conn, ingestion: Ingestion, outcome: str, document_id: str | None = None) -> None:
    values = {"id": ingestion.id, "outcome": outcome, "document_id": document_id}
    with conn.cursor() as cursor:
        if outcome == "refused":
            cursor.execute(DISCARD, {"source_id": ingestion.source_id})
        cursor.execute(END, values)
        _forget(cursor, [ingestion.id])


def _forget(cursor, ingestion_ids: list[str]) -> None:
    cursor.execute(FORGET_SECTIONS, [ingestion_ids])
    cursor.execute(FORGET_CHUNKS, [ingestion_ids])


def progress(ingestion: Ingestion) -> dict:
    """What a step answers: ids and counts, for the next step and whoever watches the job."""
    return {
        "ingestion_id": ingestion.id,
        "fence": ingestion.fence,
        "state": "reading",
        "pages": ingestion.page_count,
        "chunks": ingestion.chunk_count,
        "chunks_left": ingestion.chunk_count - ingestion.embedded_count,
        "seconds_left": seconds_left(ingestion),
    }


def seconds_left(ingestion: Ingestion) -> int | None:
    """Of embedding, as fast as so far; None before it can be known."""
    made = ingestion.embedded_count - ingestion.reused_count
    left = ingestion.chunk_count - ingestion.embedded_count
    if not left or ingestion.is_past("split"):
        return 0 if ingestion.is_past("extracted") else None
    return round(left * ingestion.embedding_seconds / made) if made else None


def ended(ingestion: Ingestion, outcome: str, code: str = "") -> dict:
    return {**progress(ingestion), "state": outcome, "code": code, "seconds_left": 0}
