"""Versions that are whole and wait until a person has seen what they change.

A source that is reviewed holds its newest version; what was searched until then stays searched. An
organization's first version of it waits as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import f.knowledge.ingestions as ingestions
import f.knowledge.sources as sources
import f.knowledge.store as store
from f.knowledge.ingestions import Ingestion

REVIEW = """
update sources set is_reviewed = %(is_reviewed)s
 where organization_id = %(organization_id)s and id = any (%(source_ids)s::uuid[])
"""
# Pages are reviewed as the sitemap is that lists them.
IS_REVIEWED = """
select sources.is_reviewed or coalesce(sitemap.is_reviewed, false)
  from sources left join sources as sitemap
    on sitemap.organization_id = sources.organization_id and sitemap.id = sources.found_by
 where sources.id = %s
"""
HOLD = "update documents set is_held = true where id = %s"

FIND = """
select documents.id::text, documents.organization_id::text, documents.source_id::text,
       documents.title, documents.version, sources.media_type,
       (select count(*) from chunks where chunks.organization_id = documents.organization_id
                                      and chunks.document_id = documents.id),
       sources.chunk_count
  from documents
  join sources on sources.organization_id = documents.organization_id
              and sources.id = documents.source_id
 where documents.source_id = %s and documents.is_held
   for update of sources
"""
DECIDE = """
update ingestions set outcome = %(outcome)s
 where source_id = %(source_id)s and outcome = 'held'
"""
DROP = "delete from documents where source_id = %s and is_held"


@dataclass(frozen=True)
class HeldVersion:
    document_id: str
    organization_id: str
    source_id: str
    title: str
    version: int
    media_type: str | None
    chunk_count: int
    searched_chunk_count: int


def review(conn, organization_id: str, source_ids: list[str], is_reviewed: bool) -> None:
    """From their next version on."""
    values = {
        "organization_id": organization_id,
        "source_ids": source_ids,
        "is_reviewed": is_reviewed,
    }
    with conn.cursor() as cursor:
        cursor.execute(REVIEW, values)


def must_be_reviewed(conn, source_id: str) -> bool:
    with conn.cursor() as cursor:
        cursor.execute(IS_REVIEWED, [source_id])
        return cursor.fetchone()[0]


def hold(conn, ingestion: Ingestion) -> None:
    """Instead of an earlier one that nobody decided on."""
    drop_of(conn, ingestion.source_id)
    with conn.cursor() as cursor:
        cursor.execute(HOLD, [ingestion.document_id])
    sources.settle(conn, ingestion.source_id, ingestion.media_type)
    ingestions.end(conn, ingestion, "held", ingestion.document_id)


def find(conn, source_id: str) -> HeldVersion | None:
    """The transaction has entered the source's organization, and locks the source."""
    with conn.cursor() as cursor:
        cursor.execute(FIND, [source_id])
        row = cursor.fetchone()
    return HeldVersion(*row) if row else None


def show(conn, held: HeldVersion) -> bool:
    """False while a chunk of it has no embedding by the model that is searched."""
    if not store.show_document(conn, held.document_id):
        return False
    with conn.cursor() as cursor:
        cursor.execute(DECIDE, {"source_id": held.source_id, "outcome": "ready"})
    sources.settle(conn, held.source_id, held.media_type, held.chunk_count)
    return True


def drop_of(conn, source_id: str) -> None:
    with conn.cursor() as cursor:
        cursor.execute(DECIDE, {"source_id": source_id, "outcome": "dropped"})
        cursor.execute(DROP, [source_id])


def before_and_after(conn, held: HeldVersion, look: Callable[..., list]) -> tuple[list, list]:
    """What `look(conn)` sees now, and what it would see with the version; nothing is changed. The
    version has its embeddings (embed_chunks.embed_document)."""
    with conn.cursor() as cursor:
        before = look(conn)
        cursor.execute("savepoint version_is_held")
        store.show_document(conn, held.document_id)
        after = look(conn)
        cursor.execute("rollback to savepoint version_is_held")
    return before, after
