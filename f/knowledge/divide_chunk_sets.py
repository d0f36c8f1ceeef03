"""Divide large organizations' chunk sets into cells, so that a search reads the nearest only."""

from f.shared.db import connect
from f.shared.errors import UpstreamDown
from f.shared.resources import postgresql

# The more are moved at once, the nearer to each other are those of a cell. Documents can't be shown
# for the half second that writing them takes.
EMBEDDINGS_PER_TRANSACTION = 10_000

FIND_SETS = "select organization_id::text, chunk_set_id, cells from chunk_sets_to_divide()"
ENTER = "select enter_organization(%s)"
# A million chunks take minutes, and nobody waits for this.
TAKE_TIME = "set local statement_timeout = '10min'"
DIVIDE = "select divide_chunk_set(%s, %s, %s)"
MOVE = "select move_embeddings(%s, %s, %s)"


def main(db: postgresql) -> dict:
    """Can be stopped at any point: what is in no cell yet is read by every search.

    Raises UpstreamDown when a set could not be divided, after all others were."""
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute(FIND_SETS)
        found = cursor.fetchall()
    moved, failure = 0, None
    for chunk_set in found:
        try:
            moved += divided(db, *chunk_set)
        except UpstreamDown as error:
            failure = error
    if failure:
        raise failure
    return {"chunk_sets": len(found), "embeddings_moved": moved}


def divided(db: dict, organization_id: str, chunk_set_id: int, cells: int | None) -> int:
    """How many embeddings were moved; `cells`: None where the set has as many as it should."""
    if cells:
        call(db, DIVIDE, organization_id, chunk_set_id, cells)
    moved = 0
    while count := call(db, MOVE, organization_id, chunk_set_id, EMBEDDINGS_PER_TRANSACTION):
        moved += count
    return moved


def call(db: dict, statement: str, organization_id: str, chunk_set_id: int, number: int):
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute(ENTER, [organization_id])
        cursor.execute(TAKE_TIME)
        cursor.execute(statement, [organization_id, chunk_set_id, number])
        return cursor.fetchone()[0]
