"""Deliver the turn's replies on the contact's channel."""

import time

import f.channels.accounts as accounts
import f.channels.registry as registry
import f.chat.lease as lease
import f.chat.outbox as outbox
import f.chat.turns as turns
from f.chat.next_turn import start_when_due
from f.shared.db import connect
from f.shared.errors import (
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamError,
)
from f.shared.resources import postgresql

# A process that slept between the mark `sending` and the call must not make it any more: the
# time in which others wait for its receipt would be over.
LATEST_START_SECONDS = 5


def main(db: postgresql, sealing_key: str, conversation_id: str, turn_id: str, fence: int) -> dict:
    with turns.transaction(db, turn_id, fence) as conn:
        turns.begin_attempt(conn, turn_id, fence)
        account = accounts.of_conversation(conn, sealing_key, conversation_id)
    with lease.kept(db, turn_id, fence):
        sent, wait_seconds = send_all(db, account, turn_id, fence)
    with connect(db) as conn:
        if wait_seconds is None:
            next_seconds = turns.complete(conn, turn_id, fence, "sent")
        else:
            next_seconds = turns.postpone(conn, turn_id, fence, wait_seconds)
    start_when_due(conversation_id, next_seconds)
    return {"sent": sent, "waits_for_receipt": wait_seconds is not None}


def send_all(
    db: postgresql, account: accounts.Account, turn_id: str, fence: int
) -> tuple[int, float | None]:
    """How many were sent; and the seconds until it is known what became of one that an earlier
    worker was cut off from, where the next must wait for that."""
    sent = 0
    while True:
        started = time.monotonic()
        with connect(db) as conn:
            claimed = outbox.claim(conn, turn_id, fence)
        if claimed.outcome in ("done", "wait"):
            return sent, claimed.wait_seconds
        if claimed.outcome == "send":
            if time.monotonic() - started > LATEST_START_SECONDS:
                raise DeliveryUnknown(f"message {claimed.id} was marked and not sent in time")
            sent += deliver(db, account, claimed)


def deliver(db: postgresql, account: accounts.Account, message: outbox.Claimed) -> bool:
    """The mark `sending` is committed before the call, so that a crash in between is seen as what
    it is: nobody knows."""
    library = registry.library(account.kind)
    try:
        provider_message_id = library.send_text(
            account.credentials, account.contact_address, message.body, message.id
        )
    except (UpstreamBusy, UpstreamDown, Misconfigured):
        with connect(db) as conn:
            outbox.mark_ready(conn, message.id)
        raise
    except DeliveryUnknown:
        raise  # stays `sending`: a receipt or the grace decides
    except UpstreamError as error:
        with connect(db) as conn:
            outbox.mark_failed(conn, message.id, error.code or str(error.status))
        return False
    with connect(db) as conn:
        outbox.mark_sent(conn, message.id, provider_message_id)
    return True
