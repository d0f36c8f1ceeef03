"""Post what happened in conversations to the organizations' own systems."""

import time
from dataclasses import dataclass, field
from datetime import datetime

import f.ops.standard_webhooks as standard_webhooks
from f.shared.crypto import open_sealed
from f.shared.db import connect
from f.shared.errors import Misconfigured
from f.shared.resources import postgresql

# A long queue waits in Postgres, not in a worker: the rest is for the next run.
RUN_SECONDS = 30


@dataclass(frozen=True)
class Claimed:
    """An event that nobody else posts for a minute. `data` holds what people wrote."""

    id: str
    endpoint_id: str
    url: str
    sealed_secret: str
    kind: str
    data: dict = field(repr=False)
    created_at: datetime


def main(db: postgresql, sealing_key: str) -> dict:
    """How many were taken, and how many will be tried again or given up."""
    ends_at = time.monotonic() + RUN_SECONDS
    taken = refused = 0
    while time.monotonic() < ends_at:
        with connect(db) as conn:
            event = claim(conn)
        if event is None:
            break
        status = post(sealing_key, event)
        is_taken = status is not None and 200 <= status < 300
        with connect(db) as conn:
            settle(conn, event, is_taken, status == standard_webhooks.GONE)
        taken, refused = taken + is_taken, refused + (not is_taken)
    with connect(db) as conn:
        forget(conn)
    return {"taken": taken, "refused": refused}


def post(sealing_key: str, event: Claimed) -> int | None:
    """Its id is the same in every attempt: who receives it twice can tell."""
    try:
        secret = open_sealed(sealing_key, event.sealed_secret, sealing_place(event.endpoint_id))
    except Misconfigured:
        return None  # like one that does not answer: it must not keep the others waiting
    body = standard_webhooks.body_of(event.kind, event.created_at.isoformat(), event.data)
    now = int(time.time())
    return standard_webhooks.post(event.url, secret, f"msg_{event.id}", now, body)


def sealing_place(endpoint_id: str) -> str:
    return f"webhook_endpoints.sealed_secret:{endpoint_id}"


def claim(conn) -> Claimed | None:
    with conn.cursor() as cursor:
        cursor.execute(
            "select id, endpoint_id, url, sealed_secret, kind, data, created_at"
            " from claim_outgoing_event()"
        )
        row = cursor.fetchone()
    return row and Claimed(*row)


def settle(conn, event: Claimed, is_taken: bool, is_gone: bool) -> None:
    with conn.cursor() as cursor:
        cursor.execute("select settle_outgoing_event(%s, %s, %s)", (event.id, is_taken, is_gone))


def forget(conn) -> None:
    with conn.cursor() as cursor:
        cursor.execute("select forget_outgoing_events(), forget_web_leftovers()")
