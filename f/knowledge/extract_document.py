"""Read the original into sections of clean text, or say why it cannot be read."""

import f.knowledge.ingestion_content as ingestion_content
import f.knowledge.ingestions as ingestions
import f.knowledge.originals as originals
import f.knowledge.sources as sources
from f.knowledge.extraction import Extracted, extract
from f.knowledge.ingestions import Ingestion
from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.resources import postgresql


def main(db: postgresql, ingestion_id: str, fence: int) -> dict:
    with connect(db) as conn:
        ingestion = ingestions.enter(conn, ingestion_id, fence)
        if ingestion is None:
            return ingestions.REPLACED
        if ingestion.is_past("fetched"):
            return ingestions.progress(ingestion)
        file_name = sources.file_name(conn, ingestion.source_id)
        content = originals.read(conn, ingestion.source_id)
    try:
        extracted = extract(file_name, content)
    except InputRefused as refusal:
        return ingestions.refuse(db, ingestion, refusal)
    return save(db, ingestion, extracted)


def save(db: dict, ingestion: Ingestion, extracted: Extracted) -> dict:
    with connect(db) as conn:
        entered = ingestions.enter(conn, ingestion.id, ingestion.fence)
        if entered is None:
            return ingestions.REPLACED
        if not entered.is_past("fetched"):
            ingestion_content.save_sections(conn, entered, extracted)
            entered = ingestions.advance(
                conn,
                entered,
                state="extracted",
                title=extracted.title,
                media_type=extracted.media_type,
                page_count=max((one.page or 1 for one in extracted.sections), default=0),
            )
        return ingestions.progress(entered)
