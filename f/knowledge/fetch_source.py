"""Take a source and get what it holds now, or say that nothing changed."""

import f.knowledge.ingestions as ingestions
import f.knowledge.originals as originals
import f.knowledge.pages as pages
import f.knowledge.sitemaps as sitemaps
import f.knowledge.sources as sources
from f.knowledge.sources import Source
from f.shared.db import connect
from f.shared.errors import InputRefused
from f.shared.resources import postgresql
from f.shared.safe_fetch import Fetched


def main(db: postgresql, source_id: str) -> dict:
    with connect(db) as conn:
        source = sources.take(conn, source_id)
        if source is None:
            return {"state": "gone"}
        if source.kind == "file":
            return begun(conn, source, source.sha256)
    try:
        if source.kind == "sitemap":
            return sitemaps.sync(db, source)
        fetched = pages.fetch_page(db, source)
        with connect(db) as conn:
            return keep(conn, source, fetched)
    except InputRefused as refusal:
        with connect(db) as conn:
            sources.refuse(conn, source.id, source.sha256, refusal)
        return {"state": "refused", "code": refusal.code}


def keep(conn, source: Source, fetched: Fetched) -> dict:
    """Raises InputRefused when the plan has no room for so many bytes."""
    if sources.take(conn, source.id) is None:
        return {"state": "gone"}
    content = pages.in_unicode(fetched)
    is_unchanged = fetched.is_unchanged or originals.hash_of(content) == source.sha256
    if is_unchanged and source.state == "ready":
        sources.settle(conn, source.id)
        return {"state": "unchanged"}
    sha256 = sources.replace_original(conn, source.id, content)
    sources.describe(conn, source.id, fetched)
    return begun(conn, source, sha256)


def begun(conn, source: Source, sha256: str) -> dict:
    return ingestions.progress(ingestions.begin(conn, source.organization_id, source.id, sha256))
