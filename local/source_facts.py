"""What the database says of an organization's sources, and what an operator does to them."""

from f.knowledge import ingestions
from f.knowledge.ingestions import Ingestion
from local.errors import CannotRun
from local.facts import rows
from local.migrations import connection_to

SOURCES = """
select id::text, kind, name, url, found_by::text, media_type, size_bytes, refusal_code, refusal,
       chunk_count, tags, sync_hours, synced_at, due_at,
       case when is_taken and due_at > now() then 'reading'
            when exists (select from documents where documents.source_id = sources.id
                                                 and documents.is_held) then 'held'
            else state end as state, is_reviewed,
       (select count(*) from sources as page where page.found_by = sources.id) as pages_found
  from sources
 where organization_id = %s
 order by name
"""

OPEN_INGESTIONS = f"""
select {ingestions.COLUMNS}
  from ingestions where organization_id = %s and state <> 'ended'
"""

FIND = """
select id::text from sources
 where organization_id = %(organization_id)s
   and (id::text = %(named)s or name = %(named)s or url = %(named)s)
 limit 2
"""

DUE = """
select id::text from sources
 where organization_id = %s and due_at <= now() and id::text <> all (%s)
 order by due_at
"""

# Without names, everything that may have changed elsewhere.
MAKE_DUE = """
update sources set due_at = now(), is_taken = false, attempts = 0
 where organization_id = %(organization_id)s
   and case when %(ids)s = '{}' then kind <> 'file' else id::text = any (%(ids)s) end
"""

REMOVE = "delete from sources where organization_id = %s and id::text = any (%s)"


def all_of(resource: dict, organization_id: str) -> list[dict]:
    """With `progress` for those that are being read."""
    with connection_to(resource) as connection:
        found = rows(connection, SOURCES, [organization_id])
        with connection.cursor() as cursor:
            cursor.execute(OPEN_INGESTIONS, [organization_id])
            being_read = {one.source_id: one for one in (Ingestion(*row) for row in cursor)}
    names = {one["id"]: one["name"] for one in found}
    # Pages stand below their sitemap.
    found.sort(key=lambda one: (names.get(one["found_by"], one["name"]), one["found_by"] or ""))
    return [{**one, "progress": progress(being_read.get(one["id"]))} for one in found]


def progress(ingestion: Ingestion | None) -> dict | None:
    if ingestion is None:
        return None
    counted = ("pages", "chunks", "chunks_left", "seconds_left")
    told = ingestions.progress(ingestion)
    return {"done": ingestion.state, **{name: told[name] for name in counted}}


def find(resource: dict, organization_id: str, named: str) -> str:
    """The id of a source by its id, name or address. Raises CannotRun."""
    values = {"organization_id": organization_id, "named": named}
    with connection_to(resource) as connection:
        found = rows(connection, FIND, values)
    if len(found) != 1:
        raise CannotRun(
            f"there is no source {named}. See ./chatmill sources."
            if not found
            else f"several sources are called {named}: give the id. See ./chatmill sources --json."
        )
    return found[0]["id"]


def due(resource: dict, organization_id: str, besides: list[str]) -> list[str]:
    with connection_to(resource) as connection:
        return [one["id"] for one in rows(connection, DUE, [organization_id, besides])]


def make_due(resource: dict, organization_id: str, source_ids: list[str]) -> None:
    change(resource, MAKE_DUE, {"organization_id": organization_id, "ids": source_ids})


def remove(resource: dict, organization_id: str, source_ids: list[str]) -> None:
    change(resource, REMOVE, [organization_id, source_ids])


def change(resource: dict, text: str, values) -> None:
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        connection.commit()
