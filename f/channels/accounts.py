"""Connected accounts: the only code that reads the channels table and opens its credentials."""

import json
import re
from dataclasses import dataclass, field

from f.channels.messages import Recipient
from f.shared.crypto import open_sealed
from f.shared.errors import Misconfigured


@dataclass(frozen=True)
class Account:
    """A channel with its vendor's secrets and its organization's settings, and whom it writes to
    where a conversation is meant."""

    channel_id: str
    organization_id: str
    kind: str
    account_id: str
    credentials: dict = field(repr=False)
    settings: dict = field(default_factory=dict, repr=False)
    recipient: Recipient | None = None


URL_KEY = re.compile("[A-Za-z0-9_-]{8,64}")

ACCOUNT_COLUMNS = """
channels.id, channels.organization_id, channels.kind, channels.account_id, channels.api_url,
channels.webhook_url, channels.settings, channels.sealed_credentials
"""

# What receives and what sweeps has proved no organization: these functions look for them.
FIND_BY_URL_KEY = f"select {ACCOUNT_COLUMNS}, null, null from find_channel(%(value)s) as channels"

FIND_BY_CONVERSATION = f"""
select {ACCOUNT_COLUMNS}, coalesce(contacts.address, contacts.contact_key),
       nullif(conversations.group_key, '')
  from conversations
  join channels on channels.id = conversations.channel_id
  join contacts on contacts.id = conversations.contact_id
 where conversations.id = %(value)s
"""

FIND_SIBLING = f"""
select {ACCOUNT_COLUMNS}, null, null
  from find_sibling_channel(%(channel_id)s, %(account_id)s) as channels
"""

FIND_ACTIVE = f"select {ACCOUNT_COLUMNS}, null, null from channels_to_check() as channels"

FIND_BY_DELIVERY = f"""
select {ACCOUNT_COLUMNS}, null, null from find_channel_of_delivery(%(value)s) as channels
"""


def by_url_key(conn, sealing_key: str, url_key: object) -> Account | None:
    # Windmill resolves `$res:` in a path too: what arrives need not be a text.
    if not (isinstance(url_key, str) and URL_KEY.fullmatch(url_key)):
        return None
    return _find(conn, sealing_key, FIND_BY_URL_KEY, {"value": url_key})


def of_delivery(conn, sealing_key: str, delivery_id: str) -> Account | None:
    return _find(conn, sealing_key, FIND_BY_DELIVERY, {"value": delivery_id})


def of_conversation(conn, sealing_key: str, conversation_id: str) -> Account:
    account = _find(conn, sealing_key, FIND_BY_CONVERSATION, {"value": conversation_id})
    if account is None:
        raise Misconfigured(f"conversation {conversation_id} has no channel")
    return account


def active(conn, sealing_key: str) -> list[Account | str]:
    """Every channel in use; of one whose credentials do not open, its id."""
    with conn.cursor() as cursor:
        cursor.execute(FIND_ACTIVE)
        rows = cursor.fetchall()
    found: list[Account | str] = []
    for row in rows:
        try:
            found.append(_account(sealing_key, row))
        except Misconfigured:
            found.append(row[0])
    return found


def is_of(account: Account, account_id: str | None) -> bool:
    """Whether a body that names this account, or none, is for the channel it was posted to."""
    names = ("messaging_service_sid", "account_sid")
    known = {account.account_id, *(account.credentials.get(name) for name in names), None}
    return account_id in known


def sibling(conn, sealing_key: str, account: Account, account_id: str) -> Account | None:
    """Another number of the same organization and the same app: one app has one webhook address,
    so its numbers' messages come together, under one signature."""
    wanted = {"channel_id": account.channel_id, "account_id": account_id}
    found = _find(conn, sealing_key, FIND_SIBLING, wanted)
    if found is None:
        return None
    secrets = [
        (one.credentials.get("app_secret"), one.credentials.get("auth_token"))
        for one in (found, account)
    ]
    return found if secrets[0] == secrets[1] else None


def report_problem(conn, channel_id: str, code: str, details: str = "") -> None:
    """An alert, once for a channel and one of the codes of checks.WORDS."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select report_channel_problem(%s, %s, %s)", (channel_id, code, details or None)
        )


def sealing_place(channel_id: str) -> str:
    """What a channel's credentials are bound to: on another row they do not open."""
    return f"channels.sealed_credentials:{channel_id}"


def _find(conn, sealing_key: str, query: str, values: dict) -> Account | None:
    with conn.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return None if row is None else _account(sealing_key, row)


def _account(sealing_key: str, row: tuple) -> Account:
    *columns, api_url, webhook_url, settings, sealed, address, group_key = row
    channel_id, account_id = columns[0], columns[3]
    secrets = (
        json.loads(open_sealed(sealing_key, sealed, sealing_place(channel_id))) if sealed else {}
    )
    credentials = {
        **secrets,
        "account_id": account_id,
        "api_url": api_url,
        "webhook_url": webhook_url,
    }
    recipient = Recipient(group_key or address, group_key is not None) if address else None
    return Account(*columns, credentials, settings, recipient)
