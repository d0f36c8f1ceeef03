"""Start reading what is due: new sources, changed ones, and what a lost worker left behind."""

from f.shared.db import connect
from f.shared.resources import postgresql
from f.shared.windmill import start_flow

FLOW = "f/knowledge/ingest_source"
# Reading is work for minutes; replies to contacts need the same machine.
MAX_OF_ORGANIZATION = 2
MAX_AT_ONCE = 20


def main(db: postgresql) -> dict:
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select source_id::text from take_due_sources(%s, %s)",
            [MAX_OF_ORGANIZATION, MAX_AT_ONCE],
        )
        source_ids = [source_id for (source_id,) in cursor]
    for source_id in source_ids:
        start_flow(FLOW, {"source_id": source_id})
    return {"sources_started": len(source_ids)}
