"""Divide large organizations' chunk sets into cells, so that a search reads the nearest only."""

from f.shared.db import connect
from f.shared.resources import postgresql

EMBEDDINGS_PER_TRANSACTION = 1000

FIND_SETS = "select organization_id::text, chunk_set_id, cells from chunk_sets_to_divide()"
ENTER = "select enter_organization(%s)"
DIVIDE = "select divide_chunk_set(%s, %s, %s)"
MOVE = "select move_embeddings(%s, %s, %s)"


def main(db: postgresql) -> dict:
    """Can be stopped at any point: what is in no cell yet is read by every search."""
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute(FIND_SETS)
        found = cursor.fetchall()
    moved = 0
    for organization_id, chunk_set_id, cells in found:
        if cells:
            call(db, DIVIDE, organization_id, chunk_set_id, cells)
        chunk_set = (organization_id, chunk_set_id)
        while count := call(db, MOVE, *chunk_set, EMBEDDINGS_PER_TRANSACTION):
            moved += count
    return {"chunk_sets": len(found), "embeddings_moved": moved}


def call(db: dict, statement: str, organization_id: str, chunk_set_id: int, number: int):
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute(ENTER, [organization_id])
        cursor.execute(statement, [organization_id, chunk_set_id, number])
        return cursor.fetchone()[0]
