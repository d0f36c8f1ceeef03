"""Sources and what was made of them: the only code that writes their tables.

A source is a file under its name: the same file again is the same source, another file of the
same name replaces it. A document is a version of a source, and one of them is searched.
"""

from psycopg2.extras import execute_values

import f.knowledge.chunk_sets as chunk_sets
import f.knowledge.originals as originals
from f.knowledge.chunks import Chunk
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

INSERT_SOURCE = "insert into sources (organization_id, name) values (%s, %s) returning id"
BEGIN_ANEW = """
update sources set state = 'waiting', refusal_code = null, refusal = null where id = %s
"""

SHOW_DOCUMENT = "select show_document(%s)"

INSERT_DOCUMENT = """
insert into documents (organization_id, source_id, version, title, language, tags)
select %(organization_id)s, %(source_id)s, coalesce(max(version), 0) + 1, %(title)s,
       language_of(%(text)s), (select tags from sources where id = %(source_id)s)
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


def add_source(conn, organization_id: str, name: str, content: bytes) -> str:
    name = clean(name).strip()[:MAX_NAME_CHARACTERS] or "Document"
    values = {
        "organization_id": organization_id,
        "name": name,
        "sha256": originals.hash_of(content),
    }
    with conn.cursor() as cursor:
        # Two uploads of one file at once would both find nothing.
        cursor.execute(LOCK_ORGANIZATION, [organization_id])
        cursor.execute(FIND_SOURCE, values)
        source_id, is_replaced = cursor.fetchone() or (None, True)
        if source_id is None:
            cursor.execute(INSERT_SOURCE, [organization_id, name])
            (source_id,) = cursor.fetchone()
        elif is_replaced:
            cursor.execute(BEGIN_ANEW, [source_id])
    if is_replaced:
        originals.write(conn, source_id, content)
    return source_id


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
