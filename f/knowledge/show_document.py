"""Let the new version be searched, and the old one no longer, in one moment."""

import f.knowledge.ingestions as ingestions
import f.knowledge.sources as sources
import f.knowledge.store as store
from f.shared.db import connect
from f.shared.resources import postgresql


def main(db: postgresql, ingestion_id: str, fence: int) -> dict:
    with connect(db) as conn:
        ingestion = ingestions.enter(conn, ingestion_id, fence)
        if ingestion is None:
            return ingestions.REPLACED
        store.show_document(conn, ingestion.source_id, ingestion.document_id)
        sources.settle(conn, ingestion.source_id, ingestion.media_type, ingestion.chunk_count)
        ingestions.end(conn, ingestion, "ready", ingestion.document_id)
        return ingestions.ended(ingestion, "ready")
