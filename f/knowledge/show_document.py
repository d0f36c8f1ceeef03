"""Let the new version be searched, and the old one no longer, in one moment; or hold it."""

import f.knowledge.held_versions as held_versions
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
        if not ingestion.is_past("embedded"):
            return ingestions.progress(ingestion)
        if held_versions.must_be_reviewed(conn, ingestion.source_id):
            held_versions.hold(conn, ingestion)
            return ingestions.ended(ingestion, "held")
        held_versions.drop_of(conn, ingestion.source_id)
        if not store.show_document(conn, ingestion.document_id):
            # The next run embeds it again.
            return ingestions.progress(ingestions.embed_again(conn, ingestion))
        sources.settle(conn, ingestion.source_id, ingestion.media_type, ingestion.chunk_count)
        ingestions.end(conn, ingestion, "ready", ingestion.document_id)
        return ingestions.ended(ingestion, "ready")
