"""Originals as they were given or fetched: the only code that knows where they are kept.

In Postgres: a source and its original appear, change and go together, in one transaction, and one
backup has both. 10 MB a file at most; large values lie outside of the row and are compressed.
"""

import hashlib

WRITE = """
update sources set original = %(original)s, sha256 = %(sha256)s, size_bytes = %(size_bytes)s
 where id = %(source_id)s
"""

READ = "select original from sources where id = %s"


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(conn, source_id: str, content: bytes) -> str:
    """Its hash. The transaction has entered the source's organization."""
    values = {
        "source_id": source_id,
        "original": content,
        "sha256": hash_of(content),
        "size_bytes": len(content),
    }
    with conn.cursor() as cursor:
        cursor.execute(WRITE, values)
    return values["sha256"]


def read(conn, source_id: str) -> bytes:
    with conn.cursor() as cursor:
        cursor.execute(READ, [source_id])
        return bytes(cursor.fetchone()[0])
