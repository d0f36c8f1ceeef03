"""Sections and chunks of a version that is being built, kept between the steps."""

from psycopg2.extras import execute_values

from f.knowledge.chunks import Chunk
from f.knowledge.extraction import Extracted
from f.knowledge.ingestions import Ingestion
from f.knowledge.sections import Section
from f.knowledge.store import HEADING_SEPARATOR

ROWS_PER_STATEMENT = 500

INSERT_SECTIONS = """
insert into ingestion_sections
  (organization_id, ingestion_id, position, heading_path, page, content, question)
values %s
"""
LOAD_SECTIONS = """
select heading_path, page, content, question
  from ingestion_sections
 where organization_id = %s and ingestion_id = %s
 order by position
"""
FORGET_SECTIONS = """
delete from ingestion_sections where organization_id = %s and ingestion_id = %s
"""

INSERT_CHUNKS = """
insert into ingestion_chunks
  (organization_id, ingestion_id, position, heading_path, page, content, question)
values %s
"""
LOAD_CHUNKS = """
select position, heading_path, page, content, question
  from ingestion_chunks
 where organization_id = %s and ingestion_id = %s and position >= %s and embedding is null
 order by position
 limit %s
"""
LOAD_EMBEDDED = """
select position, heading_path, page, content, question, embedding::text
  from ingestion_chunks
 where organization_id = %s and ingestion_id = %s and position >= %s
 order by position
 limit %s
"""

FORGET_EMBEDDINGS = """
update ingestion_chunks set embedding = null
 where organization_id = %(organization_id)s and ingestion_id = %(id)s and embedding is not null
"""
# The same words under the same headings by the same model are the same vector.
REUSE_EMBEDDINGS = """
update ingestion_chunks as made
   set embedding = found.embedding
  from (select distinct on (heading_path, content, question)
               heading_path, content, question, embedding
          from documents
          join chunks on chunks.organization_id = documents.organization_id
                     and chunks.document_id = documents.id
          join embeddings on embeddings.organization_id = chunks.organization_id
                         and embeddings.chunk_id = chunks.id
          join chunk_sets on chunk_sets.organization_id = embeddings.organization_id
                         and chunk_sets.id = embeddings.chunk_set_id
         where documents.source_id = %(source_id)s and documents.is_active
           and documents.title = %(title)s
           and chunk_sets.state = 'searched'
           and chunk_sets.embedding_model = %(embedding_model)s) as found
 where made.organization_id = %(organization_id)s and made.ingestion_id = %(id)s
   and made.content = found.content
   and made.question is not distinct from found.question
   and array_to_string(made.heading_path, %(separator)s) = found.heading_path
"""
SAVE_EMBEDDINGS = """
update ingestion_chunks as made
   set embedding = given.embedding::vector
  from (values %s) as given (organization_id, ingestion_id, position, embedding)
 where made.organization_id = given.organization_id::uuid
   and made.ingestion_id = given.ingestion_id::uuid
   and made.position = given.position
   and made.embedding is null
"""

FIND_SAME = """
select documents.id::text
  from documents
 where documents.source_id = %(source_id)s and documents.is_active and documents.title = %(title)s
   and %(chunk_count)s = (select count(*) from chunks where chunks.document_id = documents.id)
   and not exists (
     select from ingestion_chunks as made
       left join chunks on chunks.document_id = documents.id and chunks.position = made.position
      where made.organization_id = %(organization_id)s and made.ingestion_id = %(id)s
        and (chunks.content, chunks.heading_path, chunks.page, chunks.question) is distinct from
            (made.content, array_to_string(made.heading_path, %(separator)s), made.page,
             made.question)
   )
"""


def save_sections(conn, ingestion: Ingestion, extracted: Extracted) -> None:
    rows = [
        (*key(ingestion), place, one.heading_path, one.page, one.text, one.question)
        for place, one in enumerate(extracted.sections)
    ]
    with conn.cursor() as cursor:
        execute_values(cursor, INSERT_SECTIONS, rows, page_size=ROWS_PER_STATEMENT)


def load_sections(conn, ingestion: Ingestion) -> Extracted:
    with conn.cursor() as cursor:
        cursor.execute(LOAD_SECTIONS, key(ingestion))
        sections = [Section(*row) for row in cursor]
    return Extracted(ingestion.title, ingestion.media_type, sections)


def save_chunks(conn, ingestion: Ingestion, chunks: list[Chunk]) -> None:
    """They take the place of the sections that they were made of."""
    rows = [
        (*key(ingestion), one.position, one.heading_path, one.page, one.content, one.question)
        for one in chunks
    ]
    with conn.cursor() as cursor:
        execute_values(cursor, INSERT_CHUNKS, rows, page_size=ROWS_PER_STATEMENT)
        cursor.execute(FORGET_SECTIONS, key(ingestion))


def reuse_embeddings(conn, ingestion: Ingestion, embedding_model: str) -> int:
    """How many chunks have the vector that the searched version has; all others have none."""
    values = {
        **vars(ingestion),
        "embedding_model": embedding_model,
        "separator": HEADING_SEPARATOR,
    }
    with conn.cursor() as cursor:
        cursor.execute(FORGET_EMBEDDINGS, values)
        cursor.execute(REUSE_EMBEDDINGS, values)
        return cursor.rowcount


def load_not_embedded(conn, ingestion: Ingestion, start: int, most: int) -> list[Chunk]:
    """From a position on: what lies before was embedded just now, and its old rows cost time."""
    with conn.cursor() as cursor:
        cursor.execute(LOAD_CHUNKS, [*key(ingestion), start, most])
        return [Chunk(*row) for row in cursor]


def save_embeddings(
    conn, ingestion: Ingestion, chunks: list[Chunk], vectors: list[list[float]]
) -> int:
    """How many of them had none."""
    rows = [
        (*key(ingestion), chunk.position, str(vector))
        for chunk, vector in zip(chunks, vectors, strict=True)
    ]
    with conn.cursor() as cursor:
        execute_values(cursor, SAVE_EMBEDDINGS, rows, page_size=len(rows))
        return cursor.rowcount


def load_embedded(
    conn, ingestion: Ingestion, start: int, most: int
) -> tuple[list[Chunk], list[str]]:
    """Chunks from a position on, and their vectors as Postgres writes them."""
    with conn.cursor() as cursor:
        cursor.execute(LOAD_EMBEDDED, [*key(ingestion), start, most])
        rows = cursor.fetchall()
    return [Chunk(*row[:5]) for row in rows], [row[5] for row in rows]


def find_same(conn, ingestion: Ingestion) -> str | None:
    """The version that is searched, when it has the same chunks and all of their vectors."""
    if ingestion.reused_count < ingestion.chunk_count:
        return None
    with conn.cursor() as cursor:
        cursor.execute(FIND_SAME, {**vars(ingestion), "separator": HEADING_SEPARATOR})
        return (cursor.fetchone() or [None])[0]


def key(ingestion: Ingestion) -> tuple[str, str]:
    return ingestion.organization_id, ingestion.id
