"""Sitemaps as sources: each page that one lists is a source of its own, found by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice

from psycopg2.errors import CheckViolation

import f.knowledge.pages as pages
import f.knowledge.robots as robots
import f.knowledge.sandbox as sandbox
import f.knowledge.sitemap_reader as sitemap_reader
import f.knowledge.sources as sources
import f.shared.safe_fetch as safe_fetch
from f.knowledge.refusals import refused
from f.knowledge.sources import Source
from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.safe_fetch import DOCUMENT_TYPES, Rules
from f.shared.web_addresses import Target, read_url

MAX_PAGES = 500
MAX_SITEMAPS = 10
MAX_LOOKED_AT = 20_000
RULES = Rules(media_types=(*DOCUMENT_TYPES, "application/gzip", "application/x-gzip"))

# Pages that a person gave are left alone.
KEEP_PAGE = """
insert into sources (organization_id, kind, name, url, found_by, tags)
select organization_id, 'page', %(name)s, %(url)s, id, tags
  from sources as sitemap where id = %(found_by)s
on conflict (organization_id, url) do update
  set due_at = now(), attempts = 0
  where sources.found_by = excluded.found_by
    and not (sources.is_taken and sources.due_at > now())
    and coalesce(%(changed_at)s > sources.synced_at, true)
"""

FORGET_OTHERS = "delete from sources where found_by = %s and url <> all (%s)"


@dataclass(frozen=True)
class Sitemap:
    """`host`: who answered; addresses lead from there to the site's usual name."""

    host: str
    kind: str
    entries: list[tuple[str, datetime | None]]


def sync(db: dict, source: Source) -> dict:
    """Raises InputRefused: it can't be read, or the plan has no room for all of its pages."""
    listed = list_pages(db, source)
    with connect(db) as conn:
        if sources.take(conn, source.id) is None:
            return {"state": "gone"}
        kept = keep_pages(conn, source, listed)
        if kept == len(listed):
            sources.settle(conn, source.id)
    if kept < len(listed):
        raise refused("sources_full")
    return {"state": "ready", "pages": kept}


def list_pages(db: dict, source: Source) -> dict[str, datetime | None]:
    """Address and time of the last change: those of its own site that programs may read."""
    sitemap = read(source.url)
    hosts = {read_url(source.url).host, sitemap.host}

    @cache
    def rules_of(origin: str) -> list[robots.Rule]:
        return robots.rules_for_us(pages.rules_of_site(db, source, origin))

    found: dict[str, datetime | None] = {}
    for url, changed_at in islice(addresses(sitemap, hosts), MAX_LOOKED_AT):
        target = read_public(url)
        if target and target.host in hosts and robots.allow(rules_of(target.origin), target.path):
            found.setdefault(target.url, changed_at)
        if len(found) == MAX_PAGES:
            break
    if not found:
        raise refused("sitemap_broken")
    return found


def addresses(sitemap: Sitemap, hosts: set[str]) -> Iterator[tuple[str, datetime | None]]:
    """Of the sitemap, or of the first ones of an index, one level deep."""
    if sitemap.kind == sitemap_reader.PAGES:
        yield from sitemap.entries
        return
    for url, _ in sitemap.entries[:MAX_SITEMAPS]:
        target = read_public(url)
        if target and target.host in hosts:
            inner = read(target.url)
            yield from inner.entries if inner.kind == sitemap_reader.PAGES else ()


def read(url: str) -> Sitemap:
    fetched = safe_fetch.fetch(url, RULES)
    found = sandbox.run(sitemap_reader.__name__, fetched.content)
    entries = [(one["text"], time_of(one["heading_path"][0])) for one in found["sections"]]
    return Sitemap(read_url(fetched.url).host, found["title"], entries)


def read_public(url: str) -> Target | None:
    try:
        return read_url(url)
    except InputRefused:
        return None


def time_of(text: str) -> datetime | None:
    """The end of what is written: a day without an hour is over when it is over."""
    try:
        found = datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return found + timedelta(days=1) if len(text) == len("2026-01-01") else found
    except (ValueError, OverflowError):
        return None


def keep_pages(conn, source: Source, listed: dict[str, datetime | None]) -> int:
    """How many there was room for; what the sitemap no longer lists is forgotten."""
    with conn.cursor() as cursor:
        cursor.execute(FORGET_OTHERS, [source.id, list(listed)])
        for number, (url, changed_at) in enumerate(listed.items()):
            values = {
                "name": sources.shown_url(url),
                "url": url,
                "found_by": source.id,
                "changed_at": changed_at,
            }
            cursor.execute("savepoint before_page")
            try:
                cursor.execute(KEEP_PAGE, values)
            except CheckViolation as error:
                if not isinstance(sources.full(error), InputRefused):
                    raise
                cursor.execute("rollback to before_page")
                return number
    return len(listed)
