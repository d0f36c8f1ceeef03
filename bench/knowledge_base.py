"""Organizations with documents, made and searched by the product's own code."""

from f.knowledge import chunk_sets, sources, store
from f.knowledge.chunks import Chunk, embedding_texts, split
from f.knowledge.embeddings import embed, embed_means
from f.knowledge.extraction import Extracted
from f.knowledge.file_types import TEXT
from f.knowledge.search import WEIGHTS, Passage, Weights, search
from f.knowledge.sections import Section

MAKE_ORGANIZATION = """
insert into organizations (plan_id, name) values ('demo', %s) returning id::text
"""


class KnowledgeBase:
    """One organization; `model` is the endpoint that embeds."""

    def __init__(self, conn, model: dict, name: str):
        self.conn = conn
        self._model = model
        with conn.cursor() as cursor:
            cursor.execute(MAKE_ORGANIZATION, [name])
            (self.organization_id,) = cursor.fetchone()
        conn.commit()

    def add(self, entries: list[tuple[str, str]]) -> list[str]:
        """Question and answer each; without a question, a text alone. Returns document ids."""
        pieces = [chunks_of(question, text) for question, text in entries]
        texts = [
            embedding_texts(question, chunk)
            for (question, _), chunks in zip(entries, pieces, strict=True)
            for chunk in chunks
        ]
        vectors = iter(embed_means(self._model, texts))
        ids = [
            self._add(
                f"entry {number}",
                Extracted(question, TEXT, []),
                chunks,
                [next(vectors) for _ in chunks],
            )
            for number, ((question, _), chunks) in enumerate(zip(entries, pieces, strict=True))
        ]
        self.conn.commit()
        return ids

    def add_file(self, name: str, extracted: Extracted) -> str:
        chunks = split(extracted)
        texts = [embedding_texts(extracted.title, chunk) for chunk in chunks]
        document_id = self._add(name, extracted, chunks, embed_means(self._model, texts))
        self.conn.commit()
        return document_id

    def _add(self, name: str, extracted: Extracted, chunks: list[Chunk], vectors: list) -> str:
        # The hash of a file is its identity, and two answers may be the same.
        content = f"{name}\n{extracted.title}\n{chunks[0].content}".encode()
        source_id = store.add_source(self.conn, self.organization_id, name, content)
        embedder = self._model["embedding_model"]
        return publish(
            self.conn, self.organization_id, source_id, extracted.title, chunks, vectors, embedder
        )

    def count(self) -> int:
        with self.conn.cursor() as cursor:
            cursor.execute(
                "select count(*) from embeddings where organization_id = %s and is_searched",
                [self.organization_id],
            )
            return cursor.fetchone()[0]

    def vectors(self, questions: list[str]) -> list[list[float]]:
        return embed(self._model, questions)

    def search(
        self, question: str, vector: list[float], limit: int, weights: Weights = WEIGHTS
    ) -> list[Passage]:
        model = self._model["embedding_model"]
        return search(
            self.conn, self.organization_id, question, vector, model, limit, weights=weights
        )


def publish(
    conn,
    organization_id: str,
    source_id: str,
    title: str,
    chunks: list[Chunk],
    vectors: list[list[float]],
    embedding_model: str,
) -> str | None:
    """A version of a source, stored and shown as the last steps of its flow do it; its id. None
    when another model is searched."""
    chunk_set = chunk_sets.set_for_ingestion(
        conn, organization_id, embedding_model, len(vectors[0])
    )
    if chunk_set is None:
        return None
    document_id = store.begin_document(conn, organization_id, source_id, title, chunks)
    store.add_chunks(conn, organization_id, document_id, chunk_set.id, chunks, vectors)
    store.show_document(conn, document_id)
    sources.settle(conn, source_id, chunk_count=len(chunks))
    return document_id


def chunks_of(question: str, text: str) -> list[Chunk]:
    path = [question] if question else []
    return split(Extracted(question, TEXT, [Section(path, None, text, question or None)]))
