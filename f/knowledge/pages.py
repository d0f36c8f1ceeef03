"""Fetch a page that an organization named, as its site allows, and only when it changed."""

import f.knowledge.robots as robots
import f.shared.safe_fetch as safe_fetch
from f.knowledge.refusals import refused
from f.knowledge.sandbox_child import CODECS
from f.knowledge.sources import Source
from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.safe_fetch import Fetched, Known, Rules
from f.shared.web_addresses import Target, read_url

ROBOTS_HOURS = 24
ROBOTS_RULES = Rules(media_types=("",), max_bytes=robots.MAX_BYTES, seconds=10)
# No robots.txt is no rule; a login in front of it neither (RFC 9309, 2.3.1.3).
NO_ROBOTS = ("url_not_found", "url_needs_login", "url_type_refused")

FIND_ROBOTS = """
select content from robots
 where organization_id = %s and origin = %s and read_at > now() - make_interval(hours => %s)
"""
KEEP_ROBOTS = """
insert into robots (organization_id, origin, content)
values (%(organization_id)s, %(origin)s, %(content)s)
on conflict (organization_id, origin) do update
  set content = excluded.content, read_at = excluded.read_at
"""


def fetch_page(db: dict, source: Source) -> Fetched:
    """Raises InputRefused: `url_...`, also when the robots.txt of its site forbids it, or that of
    the site which it leads to."""
    target = read_url(source.url)
    check_allowed(db, source, target)
    is_read = source.state == "ready" and source.sha256 is not None
    known = Known(source.etag, source.last_modified) if is_read else Known()
    fetched = safe_fetch.fetch(source.url, known=known)
    if fetched.url != target.url:
        check_allowed(db, source, read_url(fetched.url))
    return fetched


def check_allowed(db: dict, source: Source, target: Target) -> None:
    if not robots.may_read(rules_of_site(db, source, target.origin), target.path):
        raise refused("url_robots_forbidden")


def rules_of_site(db: dict, source: Source, origin: str) -> str:
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute("select enter_source(%s)", [source.id])
        cursor.execute(FIND_ROBOTS, [source.organization_id, origin[:300], ROBOTS_HOURS])
        found = cursor.fetchone()
    return found[0] if found else fetch_rules(db, source, origin)


def fetch_rules(db: dict, source: Source, origin: str) -> str:
    """A site whose rules can't be read for now is not read for now."""
    try:
        fetched = safe_fetch.fetch(f"{origin}/robots.txt", ROBOTS_RULES)
        content = fetched.content.decode("utf-8", "replace").replace("\0", "")
    except InputRefused as refusal:
        if refusal.code not in NO_ROBOTS:
            raise
        content = ""
    values = {"organization_id": source.organization_id, "origin": origin[:300]}
    with connect(db) as conn, conn.cursor() as cursor:
        cursor.execute("select enter_source(%s)", [source.id])
        cursor.execute(KEEP_ROBOTS, {**values, "content": content})
    return content


def in_unicode(fetched: Fetched) -> bytes:
    """Text in the encoding that the server names is kept as UTF-8: the name is not kept."""
    charset = fetched.charset.lower()
    if not fetched.media_type.startswith("text/") or charset not in CODECS:
        return fetched.content
    try:
        fetched.content.decode("utf-8")
    except UnicodeDecodeError:
        return fetched.content.decode(charset, "replace").encode()
    return fetched.content
