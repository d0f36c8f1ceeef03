"""Store the new version beside the one that is searched, unless it says the same."""

import f.knowledge.chunk_sets as chunk_sets
import f.knowledge.held_versions as held_versions
import f.knowledge.ingestion_content as ingestion_content
import f.knowledge.ingestions as ingestions
import f.knowledge.sources as sources
import f.knowledge.store as store
from f.knowledge.ingestions import Ingestion
from f.shared.db import connect
from f.shared.resources import postgresql

# The source is locked meanwhile, and whoever replaces its file waits two seconds at most.
CHUNKS_PER_TRANSACTION = 200


def main(db: postgresql, ingestion_id: str, fence: int) -> dict:
    outcome = None
    while outcome is None:
        with connect(db) as conn:
            ingestion = ingestions.enter(conn, ingestion_id, fence)
            outcome = store_some(conn, ingestion) if ingestion else ingestions.REPLACED
    return outcome


def store_some(conn, ingestion: Ingestion) -> dict | None:
    """None when there is more to store."""
    if ingestion.is_past("embedded"):
        return ingestions.progress(ingestion)
    if ingestion.document_id is None:
        same_id = ingestion_content.find_same(conn, ingestion)
        if same_id:
            return unchanged(conn, ingestion, same_id)
    chunks, vectors = ingestion_content.load_embedded(
        conn, ingestion, ingestion.stored_count, CHUNKS_PER_TRANSACTION
    )
    if not chunks:
        return ingestions.progress(ingestions.advance(conn, ingestion, state="stored"))
    organization_id = ingestion.organization_id
    chunk_set = chunk_sets.set_for_ingestion(
        conn, organization_id, ingestion.embedding_model, ingestion.embedding_dimensions
    )
    if chunk_set is None:
        return ingestions.progress(ingestions.embed_again(conn, ingestion))
    document_id = ingestion.document_id or store.begin_document(
        conn, organization_id, ingestion.source_id, ingestion.title, chunks
    )
    store.add_chunks(conn, organization_id, document_id, chunk_set.id, chunks, vectors)
    ingestions.advance(
        conn,
        ingestion,
        document_id=document_id,
        stored_count=ingestion.stored_count + len(chunks),
    )
    return None


def unchanged(conn, ingestion: Ingestion, document_id: str) -> dict:
    """A held version said something else, which its source no longer says."""
    held_versions.drop_of(conn, ingestion.source_id)
    sources.settle(conn, ingestion.source_id, ingestion.media_type, ingestion.chunk_count)
    ingestions.end(conn, ingestion, "unchanged", document_id)
    return ingestions.ended(ingestion, "unchanged")
