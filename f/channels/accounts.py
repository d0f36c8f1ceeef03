"""Connected accounts: the only code that reads the channels table and opens its credentials."""

import json
import re
from dataclasses import dataclass, field

from f.shared.crypto import open_sealed
from f.shared.errors import Misconfigured


@dataclass(frozen=True)
class Account:
    """A channel with its vendor's secrets, and whom it writes to where a conversation is meant."""

    channel_id: str
    organization_id: str
    kind: str
    account_id: str
    credentials: dict = field(repr=False)
    contact_address: str | None = None


URL_KEY = re.compile("[A-Za-z0-9_-]{8,64}")

ACCOUNT_COLUMNS = """
channels.id, channels.organization_id, channels.kind, channels.account_id, channels.api_url,
channels.sealed_credentials
"""

# What receives and what sweeps has proved no organization: these functions look for them.
FIND_BY_URL_KEY = f"select {ACCOUNT_COLUMNS}, null from find_channel(%(value)s) as channels"

FIND_BY_CONVERSATION = f"""
select {ACCOUNT_COLUMNS}, coalesce(contacts.address, contacts.contact_key)
  from conversations
  join channels on channels.id = conversations.channel_id
  join contacts on contacts.id = conversations.contact_id
 where conversations.id = %(value)s
"""

FIND_SIBLING = f"""
select {ACCOUNT_COLUMNS}, null
  from find_sibling_channel(%(channel_id)s, %(account_id)s) as channels
"""

FIND_BY_DELIVERY = f"""
select {ACCOUNT_COLUMNS}, null from find_channel_of_delivery(%(value)s) as channels
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


def sibling(conn, sealing_key: str, account: Account, account_id: str) -> Account | None:
    """Another number of the same organization and the same app: one app has one webhook address,
    so its numbers' messages come together, under one signature."""
    wanted = {"channel_id": account.channel_id, "account_id": account_id}
    found = _find(conn, sealing_key, FIND_SIBLING, wanted)
    if found is None:
        return None
    is_same_app = found.credentials.get("app_secret") == account.credentials.get("app_secret")
    return found if is_same_app else None


def sealing_place(channel_id: str) -> str:
    """What a channel's credentials are bound to: on another row they do not open."""
    return f"channels.sealed_credentials:{channel_id}"


def _find(conn, sealing_key: str, query: str, values: dict) -> Account | None:
    with conn.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    if row is None:
        return None
    channel_id, organization_id, kind, account_id, api_url, sealed, address = row
    secrets = (
        json.loads(open_sealed(sealing_key, sealed, sealing_place(channel_id))) if sealed else {}
    )
    credentials = {**secrets, "phone_number_id": account_id, "api_url": api_url}
    return Account(channel_id, organization_id, kind, account_id, credentials, address)
