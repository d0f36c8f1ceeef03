"""The inbox: deliveries as they came, and what was accepted from them.

Receiving is one insert. Accepting reads the stored body and can be done again, so a crash in
between loses nothing.
"""

import json
from collections import Counter

import f.channels.accounts as accounts
import f.channels.registry as registry
from f.channels.accounts import Account
from f.channels.messages import Delivery, Echo, Ignored, InboundMessage, Item, Receipt
from f.shared.windmill import start_flow


def receive(conn, account: Account, body: str) -> str:
    """Stores a verified delivery as received; its id."""
    with conn.cursor() as cursor:
        cursor.execute("select store_delivery(%s, %s)", (account.channel_id, body))
        return cursor.fetchone()[0]


def accept(
    conn, sealing_key: str, account: Account, delivery_id: str, deliveries: list[Delivery]
) -> list[dict]:
    """Stores what the delivery holds and says which conversations to wake, and when:
    [{conversation_id, wait_seconds}]."""
    outcomes: Counter[str] = Counter()
    wake: list[dict] = []
    for delivery in deliveries:
        owner = _owner(conn, sealing_key, account, delivery)
        # One order for everybody who locks several conversations at once.
        for item in sorted(delivery.items, key=_locked_row):
            outcomes[_accept_item(conn, owner, item, wake)] += 1
    with conn.cursor() as cursor:
        cursor.execute("select finish_delivery(%s, %s)", (delivery_id, json.dumps(outcomes)))
    return wake


def start_flows(wake: list[dict]) -> None:
    """A flow for each conversation that accept() or the sweep says to wake."""
    for conversation in wake:
        start_flow(
            "f/chat/answer_message",
            {"conversation_id": conversation["conversation_id"]},
            conversation["wait_seconds"],
        )


def accept_again(
    conn, sealing_key: str, account: Account, delivery_id: str, body: str
) -> list[dict]:
    """Accepts a delivery that was received and left behind."""
    deliveries = registry.library(account.kind).parse(body.encode())
    return accept(conn, sealing_key, account, delivery_id, deliveries)


def take_left_behind(conn) -> tuple[str, str] | None:
    """(delivery id, body) of one delivery that nobody accepted for half a minute."""
    with conn.cursor() as cursor:
        cursor.execute("select id, body from take_left_behind_delivery()")
        return cursor.fetchone()


def forget_accepted(conn) -> int:
    with conn.cursor() as cursor:
        cursor.execute("select forget_accepted_deliveries()")
        return cursor.fetchone()[0]


def _owner(conn, sealing_key: str, account: Account, delivery: Delivery) -> Account | None:
    if delivery.account_id in (None, account.account_id):
        return account
    return accounts.sibling(conn, sealing_key, account, delivery.account_id)


def _locked_row(item: Item) -> str:
    return getattr(item, "contact_key", None) or item.provider_message_id or ""


def _accept_item(conn, account: Account | None, item: Item, wake: list[dict]) -> str:
    match item:
        case Ignored():
            return f"ignored:{item.reason}"
        case _ if account is None:
            return "ignored:another_account"
        case InboundMessage(group_id=str()):
            return "ignored:group"
        case InboundMessage():
            return _accept_message(conn, account, item, wake)
        case Receipt():
            _accept_receipt(conn, account, item)
            return "receipt"
        case Echo():
            return "ignored:echo"


def _accept_message(conn, account: Account, message: InboundMessage, wake: list[dict]) -> str:
    with conn.cursor() as cursor:
        cursor.execute(
            "select outcome, conversation_id, wait_seconds"
            " from accept_message(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                account.channel_id,
                message.contact_key,
                message.contact_phone,
                message.contact_name and message.contact_name[:200],
                message.provider_message_id,
                message.kind,
                message.text or f"[{message.kind}]",
                message.media and json.dumps(message.media),
                message.reply_to,
                message.sent_at,
            ),
        )
        outcome, conversation_id, wait_seconds = cursor.fetchone()
    if wait_seconds is not None:
        wake.append({"conversation_id": conversation_id, "wait_seconds": float(wait_seconds)})
    return outcome


def _accept_receipt(conn, account: Account, receipt: Receipt) -> None:
    with conn.cursor() as cursor:
        cursor.execute(
            "select accept_receipt(%s, %s, %s, %s, %s, %s)",
            (
                account.channel_id,
                receipt.provider_message_id,
                receipt.status,
                receipt.client_reference,
                receipt.error_code,
                receipt.occurred_at,
            ),
        )
