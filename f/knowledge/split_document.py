"""Split the sections into chunks, as many as the plan has room for."""

import f.knowledge.ingestion_content as ingestion_content
import f.knowledge.ingestions as ingestions
import f.knowledge.sources as sources
from f.knowledge.chunks import Chunk, split
from f.knowledge.ingestions import Ingestion
from f.knowledge.refusals import refused
from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.resources import postgresql


def main(db: postgresql, ingestion_id: str, fence: int) -> dict:
    with connect(db) as conn:
        ingestion = ingestions.enter(conn, ingestion_id, fence)
        if ingestion is None:
            return ingestions.REPLACED
        if ingestion.is_past("extracted"):
            return ingestions.progress(ingestion)
        extracted = ingestion_content.load_sections(conn, ingestion)
    try:
        chunks = split(extracted)
        return save(db, ingestion, chunks)
    except InputRefused as refusal:
        return ingestions.refuse(db, ingestion, refusal)


def save(db: dict, ingestion: Ingestion, chunks: list[Chunk]) -> dict:
    """Raises InputRefused when the plan has no room for them."""
    with connect(db) as conn:
        entered = ingestions.enter(conn, ingestion.id, ingestion.fence)
        if entered is None:
            return ingestions.REPLACED
        if not entered.is_past("extracted"):
            if not sources.has_room(conn, entered.source_id, len(chunks)):
                raise refused("chunks_full")
            ingestion_content.save_chunks(conn, entered, chunks)
            entered = ingestions.advance(conn, entered, state="split", chunk_count=len(chunks))
        return ingestions.progress(entered)
