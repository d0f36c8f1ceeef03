"""Embed what is stored and not embedded yet: of a new document, or of all by another model."""

import f.knowledge.chunk_sets as chunk_sets
from f.knowledge.chunks import Chunk, embedding_texts
from f.knowledge.embeddings import embed_means
from f.knowledge.store import HEADING_SEPARATOR
from f.shared.resources import c_model


def vectors_of(model: c_model, chunks: list[chunk_sets.MissingChunk]) -> list[list[float]]:
    """By `model["embedding_model"]`; one for each chunk."""
    return embed_means(model, [texts_of(chunk) for chunk in chunks])


def texts_of(chunk: chunk_sets.MissingChunk) -> list[str]:
    path = chunk.heading_path.split(HEADING_SEPARATOR) if chunk.heading_path else []
    return embedding_texts(chunk.title, Chunk(0, path, None, chunk.content, chunk.question))
