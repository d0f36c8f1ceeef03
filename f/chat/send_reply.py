"""Deliver the turn's replies on the contact's channel."""

import f.channels.accounts as accounts
import f.channels.registry as registry
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


def main(db: postgresql, sealing_key: str, conversation_id: str, turn_id: str, fence: int) -> dict:
    with connect(db) as conn:
        account = accounts.of_conversation(conn, sealing_key, conversation_id)
    sent = 0
    while send_next(db, account, turn_id, fence):
        sent += 1
    with connect(db) as conn:
        wait_seconds = turns.complete(conn, turn_id, fence, "sent")
    start_when_due(conversation_id, wait_seconds)
    return {"sent": sent}


def send_next(db: postgresql, account: accounts.Account, turn_id: str, fence: int) -> bool:
    """Sends one message; False when none is left. The mark `sending` is committed before the
    call, so that a crash in between is seen as what it is: nobody knows."""
    with connect(db) as conn:
        claimed = outbox.claim(conn, turn_id, fence)
    if claimed.outcome == "done":
        return False
    if claimed.outcome == "wait":
        raise DeliveryUnknown(f"message {claimed.id} was being sent when its worker was lost")
    if claimed.outcome == "send":
        deliver(db, account, claimed)
    return True


def deliver(db: postgresql, account: accounts.Account, message: outbox.Claimed) -> None:
    library = registry.library(account.kind)
    try:
        provider_message_id = library.send_text(
            account.credentials, account.contact_address, message.body, message.id
        )
    except (UpstreamBusy, UpstreamDown, Misconfigured):
        with connect(db) as conn:
            outbox.mark_ready(conn, message.id)  # surely not accepted: the next try may send it
        raise
    except DeliveryUnknown:
        raise  # stays `sending`: a receipt or the grace decides
    except UpstreamError as error:
        with connect(db) as conn:
            outbox.mark_failed(conn, message.id, error.code or str(error.status))
        return
    with connect(db) as conn:
        outbox.mark_sent(conn, message.id, provider_message_id)
