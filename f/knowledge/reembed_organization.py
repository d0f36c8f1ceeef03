"""Embed an organization's chunks by the model's embedding model, then search by it."""

from contextlib import contextmanager

import f.knowledge.chunk_sets as chunk_sets
from f.knowledge.embed_chunks import vectors_of
from f.knowledge.embeddings import embed
from f.shared.db import connect
from f.shared.resources import c_model, postgresql

CHUNKS_PER_TRANSACTION = 64
DELETED_PER_TRANSACTION = 2000
PROBE = "How many dimensions?"


def main(db: postgresql, model: c_model, organization_id: str) -> dict:
    """Can be started again at any point: what is embedded stays. Searches use the old model until
    the last chunk has its new vector."""
    name, dimensions = model["embedding_model"], len(embed(model, [PROBE])[0])
    chunks = 0
    with entered(db, organization_id) as conn:
        chunk_set = chunk_sets.searched_set(conn, organization_id)
        is_needed = chunk_set and (chunk_set.embedding_model, chunk_set.dimensions) != (
            name,
            dimensions,
        )
        if is_needed:
            chunk_set = chunk_sets.build_set(conn, organization_id, name, dimensions)
    while is_needed and not switched(db, organization_id, chunk_set.id):
        chunks += embed_missing(db, model, organization_id, chunk_set.id)
    while more_retired(db, organization_id):
        pass
    return {"organization_id": organization_id, "embedding_model": name, "chunks": chunks}


@contextmanager
def entered(db: dict, organization_id: str):
    with connect(db) as conn:
        with conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
        yield conn


def switched(db: dict, organization_id: str, chunk_set_id: int) -> bool:
    with entered(db, organization_id) as conn:
        return chunk_sets.switch_set(conn, organization_id, chunk_set_id)


def embed_missing(db: dict, model: dict, organization_id: str, chunk_set_id: int) -> int:
    with entered(db, organization_id) as conn:
        missing = chunk_sets.missing_chunks(
            conn, organization_id, chunk_set_id, CHUNKS_PER_TRANSACTION
        )
    vectors = vectors_of(model, missing)
    with entered(db, organization_id) as conn:
        chunk_ids = [one.id for one in missing]
        chunk_sets.insert_embeddings(conn, organization_id, chunk_set_id, chunk_ids, vectors)
    return len(missing)


def more_retired(db: dict, organization_id: str) -> bool:
    with entered(db, organization_id) as conn:
        return chunk_sets.forget_retired(conn, organization_id, DELETED_PER_TRANSACTION)
