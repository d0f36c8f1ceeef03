"""Sources as they are read: files, pages and sitemaps, when they are due, and how it ended."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from psycopg2.errors import CheckViolation

import f.knowledge.originals as originals
import f.knowledge.store as store
from f.knowledge.file_types import CLAIMS
from f.knowledge.refusals import refused
from f.shared.errors import InputRefused
from f.shared.safe_fetch import Fetched
from f.shared.web_addresses import read_url

SHOWN_URL_CHARACTERS = 200
DEFAULT_SYNC_HOURS = 24
FULL = {"sources_within_the_plan": "sources_full", "bytes_within_the_plan": "source_bytes_full"}

# Opens the transaction to the source's organization; null when it was deleted.
ENTER = "select enter_source(%s)"

TAKE = """
update sources
   set is_taken = true, due_at = now() + make_interval(secs => reading_seconds())
 where id = %s
returning id::text, organization_id::text, kind, name, url, state, sha256, etag, last_modified
"""

ADD_ADDRESS = """
insert into sources (organization_id, kind, name, url, sync_hours)
values (%(organization_id)s, %(kind)s, %(name)s, %(url)s, %(sync_hours)s)
on conflict (organization_id, url) do update
  set sync_hours = excluded.sync_hours, due_at = now(), attempts = 0
returning id::text
"""

# Pages have the tags of the sitemap that lists them, and may have more.
TAG = """
update sources
   set tags = array(select tag from unnest(tags || %(tags)s::text[]) as tag
                     where %(is_on)s or tag <> all (%(tags)s::text[])
                     group by tag order by tag)
 where organization_id = %(organization_id)s
   and (id = any (%(source_ids)s::uuid[]) or found_by = any (%(source_ids)s::uuid[]))
"""

DESCRIBE = """
update sources
   set etag = %(etag)s, last_modified = %(last_modified)s, media_type = %(media_type)s
 where id = %(source_id)s
"""

FIND_NAME = "select name, url, media_type from sources where id = %s"

# What was refused for its address alone may have nothing of it yet, hence no hash.
REFUSE = """
update sources
   set state = 'refused', refusal_code = %(code)s, refusal = %(sentence)s, is_taken = false,
       attempts = 0, due_at = now() + make_interval(hours => sync_hours)
 where id = %(source_id)s and sha256 is not distinct from %(sha256)s
"""

SETTLE = """
update sources
   set state = 'ready', refusal_code = null, refusal = null, is_taken = false, attempts = 0,
       synced_at = now(), due_at = now() + make_interval(hours => sync_hours),
       media_type = coalesce(%(media_type)s, media_type),
       chunk_count = coalesce(%(chunk_count)s, chunk_count)
 where id = %(source_id)s
"""

# A vendor that is away is nothing that the source did.
RELEASE = """
update sources
   set is_taken = false, due_at = now() + interval '1 minute',
       attempts = greatest(attempts - %(is_retryable)s::integer, 0)
 where id = %(source_id)s and is_taken
"""


@dataclass(frozen=True)
class Source:
    id: str
    organization_id: str
    kind: str
    name: str
    url: str | None
    state: str
    sha256: str | None
    etag: str
    last_modified: str


def take(conn, source_id: str) -> Source | None:
    """For whoever starts to read it; enters its organization. None when it was deleted."""
    with conn.cursor() as cursor:
        if not _enter(cursor, source_id):
            return None
        cursor.execute(TAKE, [source_id])
        row = cursor.fetchone()
    return Source(*row) if row else None


def add_file(conn, organization_id: str, name: str, content: bytes) -> str:
    """The id of the source, which is due now. Raises InputRefused when the plan is full."""
    try:
        return store.add_source(conn, organization_id, name, content)
    except CheckViolation as error:
        raise full(error) from error


def replace_original(conn, source_id: str, content: bytes) -> str:
    """Its hash. Raises InputRefused when the plan is full."""
    try:
        return originals.write(conn, source_id, content)
    except CheckViolation as error:
        raise full(error) from error


def add_address(
    conn,
    organization_id: str,
    kind: str,
    url: str,
    sync_hours: int | None = DEFAULT_SYNC_HOURS,
) -> str:
    """The id of the page or sitemap, which is due now; the same address is the same source.

    Raises InputRefused for an address that can't be public, and when the plan is full.
    """
    url = read_url(url.strip()).url
    values = {
        "organization_id": organization_id,
        "kind": kind,
        "name": shown_url(url),
        "url": url,
        "sync_hours": sync_hours,
    }
    with conn.cursor() as cursor:
        try:
            cursor.execute(ADD_ADDRESS, values)
        except CheckViolation as error:
            raise full(error) from error
        return cursor.fetchone()[0]


def tag(
    conn, organization_id: str, source_ids: list[str], tags: Iterable[str], is_on: bool = True
) -> None:
    """Gives them these tags besides those that they have, or takes them away."""
    values = {
        "organization_id": organization_id,
        "source_ids": source_ids,
        "tags": [tag.lower() for tag in tags],
        "is_on": is_on,
    }
    with conn.cursor() as cursor:
        cursor.execute(TAG, values)


def full(error: CheckViolation) -> InputRefused | CheckViolation:
    """What whoever adds a source reads when the plan has no room for it."""
    code = FULL.get(error.diag.constraint_name)
    return refused(code) if code else error


def shown_url(url: str) -> str:
    """Two long addresses that begin alike stay apart."""
    if len(url) <= SHOWN_URL_CHARACTERS:
        return url
    return f"{url[:SHOWN_URL_CHARACTERS]}... {hashlib.sha256(url.encode()).hexdigest()[:8]}"


def describe(conn, source_id: str, fetched: Fetched) -> None:
    """What the server said of this version, for asking next time whether it changed."""
    values = {
        "source_id": source_id,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
        "media_type": fetched.media_type,
    }
    with conn.cursor() as cursor:
        cursor.execute(DESCRIBE, values)


def file_name(conn, source_id: str) -> str:
    """A page as it would be called as a file: its ending is what the server calls it."""
    with conn.cursor() as cursor:
        cursor.execute(FIND_NAME, [source_id])
        name, url, media_type = cursor.fetchone()
    if url is None:
        return name
    path = PurePosixPath(urlsplit(url).path)
    endings = [ending for ending, claim in CLAIMS.items() if claim == media_type]
    return f"{path.stem or 'page'}{endings[0] if endings else path.suffix}"


def refuse(conn, source_id: str, sha256: str | None, refusal: InputRefused) -> None:
    """`sha256`: of what was refused. An earlier version that could be read stays searchable."""
    values = {
        "source_id": source_id,
        "sha256": sha256,
        "code": refusal.code,
        "sentence": str(refusal),
    }
    with conn.cursor() as cursor:
        if _enter(cursor, source_id):
            cursor.execute(REFUSE, values)


def settle(
    conn, source_id: str, media_type: str | None = None, chunk_count: int | None = None
) -> None:
    """Its content is what is searched; the transaction has entered its organization."""
    values = {"source_id": source_id, "media_type": media_type, "chunk_count": chunk_count}
    with conn.cursor() as cursor:
        cursor.execute(SETTLE, values)


def release(conn, source_id: str, is_retryable: bool) -> None:
    """It is due again in a minute; who reads it now could not."""
    with conn.cursor() as cursor:
        if _enter(cursor, source_id):
            cursor.execute(RELEASE, {"source_id": source_id, "is_retryable": is_retryable})


def has_room(conn, source_id: str, chunks: int) -> bool:
    """Whether the plan has room for so many chunks of it; entered."""
    with conn.cursor() as cursor:
        cursor.execute("select has_chunk_room(%s, %s)", [source_id, chunks])
        return cursor.fetchone()[0]


def _enter(cursor, source_id: str) -> bool:
    cursor.execute(ENTER, [source_id])
    return cursor.fetchone()[0] is not None


def raise_alert(conn, source_id: str, step_id: str, error_name: str) -> None:
    with conn.cursor() as cursor:
        cursor.execute("select raise_source_alert(%s, %s, %s)", [source_id, step_id, error_name])
