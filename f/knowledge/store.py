"""Sources and what was made of them: the only code that writes their tables.

A source is a file under its name: the same file again is the same source, another file of the
same name replaces it. A document is a version of a source, and one of them is searched.
"""

import hashlib
from dataclasses import dataclass

from psycopg2.extras import execute_values

import f.knowledge.chunk_sets as chunk_sets
from f.knowledge.chunks import Chunk
from f.knowledge.extraction import Extracted
from f.knowledge.plain_text import clean

MAX_NAME_CHARACTERS = 300
HEADING_SEPARATOR = " > "
LANGUAGE_CHUNKS, LANGUAGE_CHARACTERS = 20, 5000

LOCK_ORGANIZATION = "select from organizations where id = %s for no key update"

FIND_SOURCE = """
select id, name = %(name)s and sha256 <> %(sha256)s as is_replaced
  from sources
 where organization_id = %(organization_id)s
   and kind = 'file'
   and (name = %(name)s or sha256 = %(sha256)s)
 order by name = %(name)s desc, sha256 = %(sha256)s desc, created_at
 limit 1
"""

INSERT_SOURCE = """
insert into sources (organization_id, name, original, sha256, size_bytes)
values (%(organization_id)s, %(name)s, %(original)s, %(sha256)s, length(%(original)s))
returning id
"""

REPLACE_ORIGINAL = """
update sources
   set original = %(original)s, sha256 = %(sha256)s, size_bytes = length(%(original)s),
       state = 'waiting', refusal_code = null, refusal = null
 where id = %(id)s
"""

# Opens the transaction to the source's organization; null when it was deleted.
ENTER_SOURCE = "select enter_source(%s)"

LOAD_SOURCE = "select id, organization_id, name, sha256, original from sources where id = %s"

# Two workers may read one source at once, and its file may change meanwhile: the hash tells.
LOCK_SOURCE = "select from sources where id = %s and sha256 = %s for update"

FIND_SAME_DOCUMENT = """
select documents.id::text
  from documents
  join chunks on chunks.document_id = documents.id
 where documents.source_id = %(source_id)s
   and documents.is_active
   and documents.title = %(title)s
 group by documents.id
having array_agg(chunks.heading_path order by position) = %(heading_paths)s
   and array_agg(chunks.content order by position) = %(contents)s
"""

SHOW_DOCUMENT = "select show_document(%s)"

INSERT_DOCUMENT = """
insert into documents (organization_id, source_id, version, title, language)
select %(organization_id)s, %(source_id)s, coalesce(max(version), 0) + 1, %(title)s,
       language_of(%(text)s)
  from documents
 where source_id = %(source_id)s
returning id::text
"""

INSERT_CHUNKS = """
insert into chunks (organization_id, document_id, position, heading_path, page, content, question,
                    words)
select given.organization_id::uuid, documents.id, position, heading_path, page, content, question,
       words_of_chunk(heading_path, concat_ws(E'\n', question, content), language)
  from (values %s) as given (organization_id, document_id, position, heading_path, page, content,
                             question)
  join documents on documents.organization_id = given.organization_id::uuid
                and documents.id = given.document_id::uuid
returning id::text, position
"""
CHUNK_VALUES = "(%s, %s, %s, %s, %s::integer, %s, %s::text)"

MARK_READY = """
update sources
   set state = 'ready', media_type = %s, refusal_code = null, refusal = null
 where id = %s
"""

MARK_REFUSED = """
update sources
   set state = 'refused', refusal_code = %s, refusal = %s
 where id = %s and sha256 = %s
"""


@dataclass(frozen=True)
class Source:
    id: str
    organization_id: str
    name: str
    sha256: str
    content: bytes


def add_source(conn, organization_id: str, name: str, content: bytes) -> str:
    values = {
        "organization_id": organization_id,
        "name": clean(name).strip()[:MAX_NAME_CHARACTERS] or "Document",
        "original": content,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with conn.cursor() as cursor:
        # Two uploads of one file at once would both find nothing.
        cursor.execute(LOCK_ORGANIZATION, [organization_id])
        cursor.execute(FIND_SOURCE, values)
        source_id, is_replaced = cursor.fetchone() or (None, False)
        if is_replaced:
            cursor.execute(REPLACE_ORIGINAL, {**values, "id": source_id})
        if source_id is None:
            cursor.execute(INSERT_SOURCE, values)
            (source_id,) = cursor.fetchone()
    return source_id


def load_source(conn, source_id: str) -> Source | None:
    with conn.cursor() as cursor:
        if not _enter(cursor, source_id):
            return None
        cursor.execute(LOAD_SOURCE, [source_id])
        row = cursor.fetchone()
    return Source(*row[:4], bytes(row[4])) if row else None


def switch_document(
    conn,
    source: Source,
    extracted: Extracted,
    chunks: list[Chunk],
    vectors: list[list[float]],
    embedding_model: str,
) -> str | None:
    """The new version is searched, the old one no longer, in the same moment.

    None when the source was deleted, its file replaced, or the organization moved to another
    embedding model meanwhile: then nothing is written.
    """
    organization_id = source.organization_id
    with conn.cursor() as cursor:
        if not _enter(cursor, source.id):
            return None
        cursor.execute(LOCK_SOURCE, [source.id, source.sha256])
        if not cursor.rowcount:
            return None
        chunk_set = chunk_sets.set_for_ingestion(
            conn, organization_id, embedding_model, len(vectors[0])
        )
        if chunk_set is None:
            return None
        cursor.execute(MARK_READY, [extracted.media_type, source.id])
    document_id = find_same_document(conn, source.id, extracted.title, chunks)
    if document_id is None:
        document_id = begin_document(conn, organization_id, source.id, extracted.title, chunks)
        add_chunks(conn, organization_id, document_id, chunk_set.id, chunks, vectors)
        show_document(conn, document_id)
    return document_id


def find_same_document(conn, source_id: str, title: str, chunks: list[Chunk]) -> str | None:
    """The version that is searched, when it says the same."""
    values = {
        "source_id": source_id,
        "title": title,
        "heading_paths": [path_of(chunk) for chunk in chunks],
        "contents": [chunk.content for chunk in chunks],
    }
    with conn.cursor() as cursor:
        cursor.execute(FIND_SAME_DOCUMENT, values)
        return (cursor.fetchone() or [None])[0]


def begin_document(
    conn, organization_id: str, source_id: str, title: str, chunks: list[Chunk]
) -> str:
    """Its id; nobody searches it before `show_document`. Its first chunks tell its language."""
    text = "\n".join(chunk.content for chunk in chunks[:LANGUAGE_CHUNKS])
    values = {
        "organization_id": organization_id,
        "source_id": source_id,
        "title": title,
        "text": text[:LANGUAGE_CHARACTERS],
    }
    with conn.cursor() as cursor:
        cursor.execute(INSERT_DOCUMENT, values)
        return cursor.fetchone()[0]


def add_chunks(
    conn,
    organization_id: str,
    document_id: str,
    chunk_set_id: int,
    chunks: list[Chunk],
    vectors: list[list[float]] | list[str],
) -> None:
    """`vectors`: as lists, or as Postgres writes them."""
    rows = [
        (organization_id, document_id, one.position, path_of(one), one.page)
        + (one.content, one.question)
        for one in chunks
    ]
    with conn.cursor() as cursor:
        inserted = execute_values(cursor, INSERT_CHUNKS, rows, CHUNK_VALUES, fetch=True)
    by_position = {position: chunk_id for chunk_id, position in inserted}
    chunk_ids = [by_position[one.position] for one in chunks]
    chunk_sets.insert_embeddings(conn, organization_id, chunk_set_id, chunk_ids, vectors)


def show_document(conn, document_id: str) -> bool:
    """Whether it is searched from the transaction's end on, and the version before no longer;
    False while a chunk has no embedding by the model that is searched."""
    with conn.cursor() as cursor:
        cursor.execute(SHOW_DOCUMENT, [document_id])
        return cursor.fetchone()[0]


def path_of(chunk: Chunk) -> str:
    return HEADING_SEPARATOR.join(chunk.heading_path)


def refuse_source(conn, source: Source, code: str, sentence: str) -> None:
    """An earlier version that could be read stays searchable."""
    with conn.cursor() as cursor:
        if _enter(cursor, source.id):
            cursor.execute(MARK_REFUSED, [code, sentence, source.id, source.sha256])


def _enter(cursor, source_id: str) -> bool:
    cursor.execute(ENTER_SOURCE, [source_id])
    return cursor.fetchone()[0] is not None
