"""Embed what is stored and not embedded yet: of a new document, or of all by another model."""

import f.knowledge.chunk_sets as chunk_sets
from f.knowledge.chunks import Chunk, embedding_texts
from f.knowledge.embeddings import embed_means
from f.knowledge.store import HEADING_SEPARATOR
from f.shared.db import connect
from f.shared.resources import c_model

CHUNKS_PER_TRANSACTION = 64


def vectors_of(model: c_model, chunks: list[chunk_sets.MissingChunk]) -> list[list[float]]:
    """By `model["embedding_model"]`; one for each chunk."""
    return embed_means(model, [texts_of(chunk) for chunk in chunks])


def texts_of(chunk: chunk_sets.MissingChunk) -> list[str]:
    path = chunk.heading_path.split(HEADING_SEPARATOR) if chunk.heading_path else []
    return embedding_texts(chunk.title, Chunk(0, path, None, chunk.content, chunk.question))


def embed_document(db: dict, model: c_model, organization_id: str, document_id: str) -> None:
    """By the model that is searched now, whichever it was when the document was made."""
    while True:
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
            chunk_set = chunk_sets.searched_set(conn, organization_id)
            missing = chunk_set and chunk_sets.missing_chunks(
                conn, organization_id, chunk_set.id, CHUNKS_PER_TRANSACTION, document_id
            )
        if not missing:
            return
        vectors = vectors_of({**model, "embedding_model": chunk_set.embedding_model}, missing)
        chunk_ids = [chunk.id for chunk in missing]
        with connect(db) as conn, conn.cursor() as cursor:
            cursor.execute("select enter_organization(%s)", [organization_id])
            chunk_sets.insert_embeddings(conn, organization_id, chunk_set.id, chunk_ids, vectors)
