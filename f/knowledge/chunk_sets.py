"""The embedding models that an organization's chunks have, and which of them is searched.

Ingestion embeds by the model that is searched. Another model is built beside it, chunk by chunk,
then takes over in one statement.
"""

from dataclasses import dataclass

from psycopg2.extras import execute_values

from f.shared.errors import Misconfigured

FIND_SEARCHED_SET = """
select id, embedding_model, embedding_dimensions
  from chunk_sets
 where organization_id = %s and state = 'searched'
"""

# Two sources may be the first of an organization at once. An insert alone would wait for whoever
# writes the row that is there.
SEARCH_FIRST_SET = """
insert into chunk_sets (organization_id, embedding_model, embedding_dimensions, state)
select %(organization_id)s, %(embedding_model)s, %(dimensions)s, 'searched'
 where not exists (
   select from chunk_sets where organization_id = %(organization_id)s and state = 'searched')
on conflict (organization_id) where state = 'searched' do nothing
"""

RETIRE_OTHER_BUILDING = """
update chunk_sets set state = 'retired'
 where organization_id = %(organization_id)s and state = 'building'
   and (embedding_model, embedding_dimensions) <> (%(embedding_model)s, %(dimensions)s)
"""
BUILD_SET = """
insert into chunk_sets (organization_id, embedding_model, embedding_dimensions)
values (%(organization_id)s, %(embedding_model)s, %(dimensions)s)
on conflict (organization_id) where state = 'building' do update
  set state = 'building'
returning id, embedding_model, embedding_dimensions
"""

INSERT_EMBEDDINGS = """
insert into embeddings (organization_id, chunk_set_id, chunk_id, document_id, is_searched,
                        embedding)
select documents.organization_id, made.chunk_set_id, chunks.id, documents.id, documents.is_active,
       l2_normalize(made.embedding::vector)::halfvec
  from (values %s) as made (organization_id, chunk_set_id, chunk_id, embedding)
  join chunks on chunks.organization_id = made.organization_id::uuid
             and chunks.id = made.chunk_id::uuid
  join documents on documents.organization_id = chunks.organization_id
                and documents.id = chunks.document_id
 where documents.retired_at is null
   -- It may be shown, retired or deleted at this moment.
   for share of documents
on conflict do nothing
"""

FIND_MISSING = """
select chunks.id::text, documents.title, chunks.heading_path, chunks.content, chunks.question
  from documents
  join chunks on chunks.organization_id = documents.organization_id
             and chunks.document_id = documents.id
 where documents.organization_id = %(organization_id)s
   and case when %(document_id)s::uuid is null then documents.is_active
            else documents.id = %(document_id)s::uuid end
   and documents.retired_at is null
   and not exists (select from embeddings
                    where organization_id = %(organization_id)s
                      and chunk_id = chunks.id and chunk_set_id = %(chunk_set_id)s)
 limit %(most)s
"""

# No document may become searched with embeddings of the old model only, between the last look and
# the switch.
LOCK = "select lock_searched_documents(%(organization_id)s)"
RETIRE_SEARCHED = """
update chunk_sets set state = 'retired'
 where organization_id = %(organization_id)s and state = 'searched'
"""
SEARCH_SET = """
update chunk_sets set state = 'searched'
 where organization_id = %(organization_id)s and id = %(chunk_set_id)s and state = 'building'
"""

FORGET_RETIRED_EMBEDDINGS = """
delete from embeddings
 where organization_id = %(organization_id)s
   and (chunk_id, chunk_set_id) in (
     select chunk_id, chunk_set_id
       from embeddings join chunk_sets on chunk_sets.id = embeddings.chunk_set_id
      where embeddings.organization_id = %(organization_id)s
        and chunk_sets.organization_id = %(organization_id)s and chunk_sets.state = 'retired'
      limit %(most)s)
"""
FORGET_RETIRED_SETS = """
delete from chunk_sets where organization_id = %(organization_id)s and state = 'retired'
"""


@dataclass(frozen=True)
class ChunkSet:
    id: int
    embedding_model: str
    dimensions: int


@dataclass(frozen=True)
class MissingChunk:
    """A chunk without an embedding in a set; `heading_path` as the table has it."""

    id: str
    title: str
    heading_path: str
    content: str
    question: str | None


def searched_set(conn, organization_id: str) -> ChunkSet | None:
    """None as long as nothing of the organization was embedded."""
    with conn.cursor() as cursor:
        cursor.execute(FIND_SEARCHED_SET, [organization_id])
        row = cursor.fetchone()
    return ChunkSet(*row) if row else None


def set_for_ingestion(
    conn, organization_id: str, embedding_model: str, dimensions: int
) -> ChunkSet | None:
    """The set that is searched; the first model of an organization is so at once. None when
    another model is searched.

    Raises Misconfigured when the model of this name gave vectors of other dimensions before.
    """
    values = {
        "organization_id": organization_id,
        "embedding_model": embedding_model,
        "dimensions": dimensions,
    }
    with conn.cursor() as cursor:
        cursor.execute(SEARCH_FIRST_SET, values)
    found = searched_set(conn, organization_id)
    if found is None or found.embedding_model != embedding_model:
        return None
    if found.dimensions != dimensions:
        raise Misconfigured(
            f"{embedding_model} gives {dimensions} dimensions; the chunks of organization"
            f" {organization_id} have {found.dimensions}: run f/knowledge/reembed_organization"
        )
    return found


def insert_embeddings(
    conn,
    organization_id: str,
    chunk_set_id: int,
    chunk_ids: list[str],
    vectors: list[list[float]] | list[str],
) -> None:
    """`vectors`: as lists, or as Postgres writes them; of any length. Of chunks that were deleted
    meanwhile, nothing is kept."""
    rows = [
        (organization_id, chunk_set_id, chunk_id, str(vector))
        for chunk_id, vector in zip(chunk_ids, vectors, strict=True)
    ]
    with conn.cursor() as cursor:
        execute_values(cursor, INSERT_EMBEDDINGS, rows)


def missing_chunks(
    conn, organization_id: str, chunk_set_id: int, most: int, document_id: str | None = None
) -> list[MissingChunk]:
    """Of one document, or of all that are searched."""
    values = {
        "organization_id": organization_id,
        "chunk_set_id": chunk_set_id,
        "document_id": document_id,
        "most": most,
    }
    with conn.cursor() as cursor:
        cursor.execute(FIND_MISSING, values)
        return [MissingChunk(*row) for row in cursor.fetchall()]


def build_set(conn, organization_id: str, embedding_model: str, dimensions: int) -> ChunkSet:
    """The set that is to take over: the one that was begun, unless it is another model's."""
    values = {
        "organization_id": organization_id,
        "embedding_model": embedding_model,
        "dimensions": dimensions,
    }
    with conn.cursor() as cursor:
        cursor.execute(RETIRE_OTHER_BUILDING, values)
        cursor.execute(BUILD_SET, values)
        return ChunkSet(*cursor.fetchone())


def switch_set(conn, organization_id: str, chunk_set_id: int) -> bool:
    """Whether searches use the set from now on; False while chunks are missing in it."""
    values = {"organization_id": organization_id, "chunk_set_id": chunk_set_id}
    with conn.cursor() as cursor:
        cursor.execute(LOCK, values)
        if missing_chunks(conn, organization_id, chunk_set_id, most=1):
            return False
        cursor.execute(RETIRE_SEARCHED, values)
        cursor.execute(SEARCH_SET, values)
    return True


def forget_retired(conn, organization_id: str, most: int) -> bool:
    """Whether more is left; `most` rows are deleted at a time."""
    values = {"organization_id": organization_id, "most": most}
    with conn.cursor() as cursor:
        cursor.execute(FORGET_RETIRED_EMBEDDINGS, values)
        if cursor.rowcount == most:
            return True
        cursor.execute(FORGET_RETIRED_SETS, values)
    return False
