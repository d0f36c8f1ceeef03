"""Let a version that was held for review be searched from now on, or forget it."""

import f.knowledge.held_versions as held_versions
from f.knowledge.embed_chunks import embed_document
from f.shared.db import connect
from f.shared.resources import c_model, postgresql


def main(db: postgresql, model: c_model, source_id: str, is_shown: bool) -> dict:
    """Another model may have taken over since the version was made: then it is embedded again."""
    while True:
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_source(%s)", [source_id])
            held = held_versions.find(conn, source_id)
            if held is None:
                return {"state": "nothing_held"}
            if not is_shown:
                held_versions.drop_of(conn, source_id)
                return {"state": "dropped"}
            if held_versions.show(conn, held):
                return {"state": "ready"}
        embed_document(db, model, held.organization_id, held.document_id)
