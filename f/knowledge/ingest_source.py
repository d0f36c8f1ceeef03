"""Read an uploaded file, split it and make it searchable, or say why it cannot be."""

import f.knowledge.store as store
from f.knowledge.chunks import embedding_text, split
from f.knowledge.embeddings import embed
from f.knowledge.extraction import extract
from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.resources import c_model, postgresql


def main(db: postgresql, model: c_model, source_id: str) -> dict:
    with connect(db) as conn:
        source = store.load_source(conn, source_id)
    if source is None:
        return outcome(source_id, "gone")
    try:
        extracted = extract(source.name, source.content)
        chunks = split(extracted)
    except InputRefused as refusal:
        with connect(db) as conn:
            store.refuse_source(conn, source, refusal.code, str(refusal))
        return outcome(source_id, "refused", code=refusal.code)
    vectors = embed(model, [embedding_text(extracted.title, chunk) for chunk in chunks])
    with connect(db) as conn:
        document_id = store.switch_document(
            conn, source, extracted, chunks, vectors, model["embedding_model"]
        )
    if document_id is None:
        return outcome(source_id, "replaced")
    return outcome(source_id, "ready", document_id, len(chunks))


def outcome(
    source_id: str, state: str, document_id: str | None = None, chunks: int = 0, code: str = ""
) -> dict:
    return {
        "source_id": source_id,
        "document_id": document_id,
        "chunks": chunks,
        "state": state,
        "code": code,
    }
