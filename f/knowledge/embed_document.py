"""Embed the chunks that have no vector yet, for half a minute at most."""

import time

import f.knowledge.chunk_sets as chunk_sets
import f.knowledge.ingestion_content as ingestion_content
import f.knowledge.ingestions as ingestions
from f.knowledge.chunks import Chunk, embedding_texts
from f.knowledge.embeddings import MAX_TEXTS_PER_CALL, embed_means
from f.knowledge.ingestions import Ingestion
from f.shared.db import connect
from f.shared.errors import Misconfigured
from f.shared.resources import c_model, postgresql

# The flow asks again until none is left, so that the job shows how far it is.
WORK_SECONDS = 30


def main(db: postgresql, model: c_model, ingestion_id: str, fence: int) -> dict:
    end = time.monotonic() + WORK_SECONDS
    with connect(db) as conn:
        ingestion = ingestions.enter(conn, ingestion_id, fence)
        if ingestion and not ingestion.is_past("split"):
            # Until f/knowledge/reembed_organization switched it, an organization keeps its model.
            searched = chunk_sets.searched_set(conn, ingestion.organization_id)
            if searched is not None:
                model = {**model, "embedding_model": searched.embedding_model}
            ingestion = use_model(conn, ingestion, model["embedding_model"])
    start = 0
    while ingestion and not ingestion.is_past("split") and time.monotonic() < end:
        ingestion, start = embed_some(db, model, ingestion, start)
    return ingestions.progress(ingestion) if ingestion else ingestions.REPLACED


def use_model(conn, ingestion: Ingestion, embedding_model: str) -> Ingestion:
    """Vectors of two models never meet: after a change of the setting all are made again."""
    if ingestion.embedding_model == embedding_model:
        return ingestion
    reused = ingestion_content.reuse_embeddings(conn, ingestion, embedding_model)
    return ingestions.advance(
        conn,
        ingestion,
        embedding_model=embedding_model,
        embedding_dimensions=None,
        embedding_seconds=0,
        reused_count=reused,
        embedded_count=reused,
    )


def embed_some(
    db: dict, model: dict, ingestion: Ingestion, start: int
) -> tuple[Ingestion | None, int]:
    """One batch, from a position on; and where the next begins. What was embedded before a crash
    stays."""
    with connect(db) as conn:
        entered = ingestions.enter(conn, ingestion.id, ingestion.fence)
        if entered is None:
            return None, 0
        chunks = ingestion_content.load_not_embedded(conn, entered, start, MAX_TEXTS_PER_CALL)
        if not chunks:
            state = "embedded" if start == 0 else "split"
            return ingestions.advance(conn, entered, state=state), 0
    started = time.monotonic()
    vectors = embed_means(model, [embedding_texts(entered.title, chunk) for chunk in chunks])
    embedding_seconds = time.monotonic() - started
    with connect(db) as conn:
        entered = ingestions.enter(conn, ingestion.id, ingestion.fence)
        if entered is None:
            return None, 0
        made = save(conn, entered, chunks, vectors, embedding_seconds)
        return made, chunks[-1].position + 1


def save(
    conn,
    ingestion: Ingestion,
    chunks: list[Chunk],
    vectors: list[list[float]],
    embedding_seconds: float,
) -> Ingestion:
    dimensions = len(vectors[0])
    if (ingestion.embedding_dimensions or dimensions) != dimensions:
        raise Misconfigured("the embedding model gives vectors of different lengths")
    ingestions.came_further(conn, ingestion)
    embedded = ingestion.embedded_count + ingestion_content.save_embeddings(
        conn, ingestion, chunks, vectors
    )
    return ingestions.advance(
        conn,
        ingestion,
        state="embedded" if embedded == ingestion.chunk_count else "split",
        embedded_count=embedded,
        embedding_dimensions=dimensions,
        embedding_seconds=ingestion.embedding_seconds + embedding_seconds,
    )
