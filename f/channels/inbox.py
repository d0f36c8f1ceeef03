"""The inbox: deliveries as they came, and what was accepted from them.

Receiving is one insert. Accepting reads the stored body and can be done again, so a crash in
between loses nothing.
"""

import json
from collections import Counter
from functools import partial

import f.channels.accounts as accounts
import f.channels.items as items
from f.channels.accounts import Account
from f.channels.messages import Delivery, Ignored, Item, Request
from f.shared.db import savepoint
from f.shared.errors import DataRefused
from f.shared.windmill import start_flow


def receive(conn, account: Account, body: str, reference: str | None = None) -> str:
    """Stores a verified delivery as received; its id."""
    with conn.cursor() as cursor:
        cursor.execute("select store_delivery(%s, %s, %s)", (account.channel_id, body, reference))
        return cursor.fetchone()[0]


def accept(
    conn, sealing_key: str, account: Account, delivery_id: str, deliveries: list[Delivery]
) -> list[dict]:
    """Stores what the delivery holds and says which conversations to wake, and when:
    [{conversation_id, wait_seconds}]."""
    try:
        with savepoint(conn):
            outcomes, wake = _accept_all(conn, sealing_key, account, deliveries, _accept_item)
    except DataRefused:
        # A bug of ours in one item. Refusing the webhook for it would lose the others, for days.
        apart = partial(_accept_apart, delivery_id)
        outcomes, wake = _accept_all(conn, sealing_key, account, deliveries, apart)
    with conn.cursor() as cursor:
        cursor.execute("select finish_delivery(%s, %s)", (delivery_id, json.dumps(outcomes)))
    return wake


def _accept_all(conn, sealing_key: str, account: Account, deliveries: list[Delivery], accept_one):
    outcomes: Counter[str] = Counter()
    wake: list[dict] = []
    for delivery in deliveries:
        owner = _owner(conn, sealing_key, account, delivery)
        # One order for everybody who locks several conversations at once.
        for item in sorted(delivery.items, key=_locked_row):
            outcomes[accept_one(conn, owner, item, wake)] += 1
    return outcomes, wake


def start_flows(wake: list[dict]) -> None:
    """A flow for each conversation that accept() or the sweep says to wake."""
    for conversation in wake:
        start_flow(
            "f/chat/answer_message",
            {"conversation_id": conversation["conversation_id"]},
            conversation["wait_seconds"],
        )


def take_left_behind(conn) -> tuple[str, Request] | None:
    """(delivery id, request) of one delivery that nobody accepted for ten seconds."""
    with conn.cursor() as cursor:
        cursor.execute("select id, body, reference from take_left_behind_delivery()")
        row = cursor.fetchone()
    if row is None:
        return None
    return row[0], Request(row[1].encode(), query={"reference": row[2]} if row[2] else {})


def forget_accepted(conn) -> int:
    with conn.cursor() as cursor:
        cursor.execute("select forget_accepted_deliveries()")
        return cursor.fetchone()[0]


def give_back(conn) -> int:
    """Conversations that no teammate wrote in for as long as their channel says."""
    with conn.cursor() as cursor:
        cursor.execute("select give_back_conversations()")
        return cursor.fetchone()[0]


def _owner(conn, sealing_key: str, account: Account, delivery: Delivery) -> Account | None:
    if accounts.is_of(account, delivery.account_id):
        return account
    return accounts.sibling(conn, sealing_key, account, delivery.account_id)


def _locked_row(item: Item) -> str:
    return getattr(item, "contact_key", None) or getattr(item, "provider_message_id", None) or ""


def _accept_apart(
    delivery_id: str, conn, account: Account | None, item: Item, wake: list[dict]
) -> str:
    """What the database refuses is kept as it came, for a week, and a person is told where."""
    woken: list[dict] = []
    try:
        with savepoint(conn):
            outcome = _accept_item(conn, account, item, woken)
    except DataRefused:
        refused = f"{type(item).__name__} of delivery {delivery_id}"
        accounts.report_problem(conn, account.channel_id, "item_refused", refused)
        return "refused"
    wake += woken
    return outcome


def _accept_item(conn, account: Account | None, item: Item, wake: list[dict]) -> str:
    if isinstance(item, Ignored):
        return f"ignored:{item.reason}"
    if account is None:
        return "ignored:another_account"
    return items.accept(conn, account, item, wake)
