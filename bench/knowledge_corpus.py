"""Organizations of any size, written straight into the tables with what ingestion would write.

Vectors are mixtures of real embeddings with noise of their covariance. Texts are sentences of the
demo's help centre; every chunk has a code of its own and words from a long tail, so that there are
as many different words as in real documents.
"""

import io
import re
import uuid
from dataclasses import dataclass

import numpy as np

from local.documents import demo_documents

CHUNKS_PER_DOCUMENT = 100
CHUNKS_PER_COPY = 20_000
TEXTS = 2000
TAIL_WORDS = 8
TAIL_SIZE = 300_000

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")

MAKE_ORGANIZATION = """
insert into organizations (plan_id, name) values ('demo', 'Large') returning id::text
"""
MAKE_SET = """
insert into chunk_sets (organization_id, embedding_model, embedding_dimensions, state)
values (%s, 'made', %s, 'searched') returning id
"""
MAKE_DOCUMENTS = """
with made as (
  insert into sources (organization_id, name, original, size_bytes, sha256, state)
  select %(organization_id)s, 'document ' || number, '', 0, repeat('0', 64), 'ready'
    from generate_series(1, %(documents)s) as number
  returning id
)
insert into documents (organization_id, source_id, version, title, is_active)
select %(organization_id)s, id, 1, 'Made', true from made
returning id::text
"""
ADD_WORDS = "select add_words(%s, array(select id from documents where organization_id = %s))"
COPY_CHUNKS = "copy chunks (id, organization_id, document_id, position, content, words) from stdin"
COPY_EMBEDDINGS = """
copy embeddings (organization_id, chunk_set_id, chunk_id, document_id, is_searched, embedding)
from stdin with (format binary)
"""


def sentences() -> list[str]:
    """Of the demo's help centre."""
    text = "\n".join(content.decode() for content in demo_documents().values())
    return [part.strip() for part in SENTENCE_END.split(text) if 20 < len(part.strip()) < 200]


@dataclass
class Made:
    organization_id: str
    chunk_ids: list[str]
    vectors: np.ndarray
    codes: list[str]


class Corpus:
    def __init__(self, conn, texts: list[str], vectors: np.ndarray, seed: int = 7):
        self._conn = conn
        self._random = np.random.RandomState(seed)
        self._vectors = vectors
        self._spread = np.linalg.cholesky(
            np.cov((vectors - vectors.mean(0)).T) + 1e-6 * np.eye(vectors.shape[1])
        )
        self._texts = [
            " ".join(self._random.choice(texts, size=8, replace=False)) for _ in range(TEXTS)
        ]
        with conn.cursor() as cursor:
            cursor.execute(
                "select words_of_chunk('', text, 'english')"
                " from unnest(%s) with ordinality as texts (text, place) order by place",
                [self._texts],
            )
            self._words = [words for (words,) in cursor.fetchall()]

    def add(self, chunks: int, with_words: bool = True) -> Made:
        with self._conn.cursor() as cursor:
            # Constraints would check every row against tables that are known to hold it.
            cursor.execute("set local session_replication_role = replica")
            cursor.execute(MAKE_ORGANIZATION)
            (organization_id,) = cursor.fetchone()
            cursor.execute(MAKE_SET, [organization_id, self._vectors.shape[1]])
            (chunk_set_id,) = cursor.fetchone()
            values = {
                "organization_id": organization_id,
                "documents": -(-chunks // CHUNKS_PER_DOCUMENT),
            }
            cursor.execute(MAKE_DOCUMENTS, values)
            documents = [row[0] for row in cursor.fetchall()]
            made = Made(organization_id, [], self.vectors(chunks), [])
            for start in range(0, chunks, CHUNKS_PER_COPY):
                places = range(start, min(start + CHUNKS_PER_COPY, chunks))
                self._copy(cursor, made, chunk_set_id, documents, places)
            if with_words:
                cursor.execute(ADD_WORDS, [organization_id, organization_id])
        self._conn.commit()
        return made

    def vectors(self, count: int) -> np.ndarray:
        one, other = self._random.randint(len(self._vectors), size=(2, count))
        share = self._random.rand(count, 1) / 2
        noise = self._random.randn(count, self._vectors.shape[1]) @ self._spread.T
        mixed = (1 - share) * self._vectors[one] + share * self._vectors[other] + noise / 2
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)

    def _copy(self, cursor, made: Made, chunk_set_id: int, documents: list[str], places) -> None:
        ids = [uuid.UUID(bytes=self._random.bytes(16), version=4) for _ in places]
        lines = [
            self._line(made, str(id_), documents, place)
            for id_, place in zip(ids, places, strict=True)
        ]
        cursor.copy_expert(COPY_CHUNKS, io.StringIO("".join(lines)))
        rows = binary_rows(
            uuid.UUID(made.organization_id).bytes,
            chunk_set_id,
            [id_.bytes for id_ in ids],
            [uuid.UUID(documents[place // CHUNKS_PER_DOCUMENT]).bytes for place in places],
            made.vectors[places.start : places.stop],
        )
        cursor.copy_expert(COPY_EMBEDDINGS, io.BytesIO(rows))
        made.chunk_ids += map(str, ids)

    def _line(self, made: Made, chunk_id: str, documents: list[str], place: int) -> str:
        text = self._random.randint(TEXTS)
        code = f"ref-{self._random.randint(10**6)}/{place}"
        tail = [spelt(number) for number in self._random.zipf(1.3, TAIL_WORDS) % TAIL_SIZE]
        made.codes.append(code)
        content = f"{self._texts[text]} {code.upper()} {' '.join(tail)}"
        words = dict.fromkeys([*self._words[text], *tail, f"#{code}"])
        array = ",".join(f'"{word}"' for word in words).replace("\\", "\\\\")
        document = documents[place // CHUNKS_PER_DOCUMENT]
        position = place % CHUNKS_PER_DOCUMENT
        return (
            f"{chunk_id}\t{made.organization_id}\t{document}\t{position}\t{content}\t{{{array}}}\n"
        )


def spelt(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(int(number), 20)
        letters += "bcdfghjklmnpqrstvwxz"[rest] + "aeiou"[rest % 5]
    return letters or "ba"


def binary_rows(
    organization: bytes, chunk_set_id: int, chunks: list[bytes], documents: list[bytes], vectors
) -> bytes:
    """The rows in the form of Postgres's binary copy: numbers in text would take minutes."""
    dimensions = vectors.shape[1]
    row = np.dtype(
        [("fields", ">i2")]
        + [("size1", ">i4"), ("organization", "V16"), ("size2", ">i4"), ("set", ">i8")]
        + [("size3", ">i4"), ("chunk", "V16"), ("size4", ">i4"), ("document", "V16")]
        + [("size5", ">i4"), ("is_searched", "?"), ("size6", ">i4")]
        + [("dimensions", ">i2"), ("unused", ">i2")]
        + [("vector", ">f2", dimensions)]
    )
    rows = np.zeros(len(vectors), dtype=row)
    rows["fields"], rows["set"], rows["dimensions"] = 6, chunk_set_id, dimensions
    rows["is_searched"] = True
    sizes = (16, 8, 16, 16, 1, 4 + 2 * dimensions)
    for number, size in enumerate(sizes, start=1):
        rows[f"size{number}"] = size
    rows["organization"] = np.frombuffer(organization, dtype="V16")
    rows["chunk"] = np.frombuffer(b"".join(chunks), dtype="V16")
    rows["document"] = np.frombuffer(b"".join(documents), dtype="V16")
    rows["vector"] = vectors
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"
