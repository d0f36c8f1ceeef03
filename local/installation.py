"""What the seed leaves out: credentials of the demo's channel, organizations for one's own try."""

import json
import secrets
from dataclasses import dataclass

from f.channels.accounts import sealing_place
from f.shared.crypto import open_sealed, seal
from f.shared.errors import Misconfigured
from local.migrations import connection_to
from local.secrets_file import Secrets

# Both as in db/seed.sql.
DEMO_ORGANIZATION = "0a000000-0000-4000-8000-000000000001"
DEMO_ACCOUNT = "100000000000001"
# What the stand-in for Meta is told; it posts nowhere by itself.
LOCAL_WEBHOOK = "http://localhost/api/r/chatmill/demo-whatsapp"

CHANNELS_OF_ORGANIZATION = """
select kind, id, url_key, account_id from channels where organization_id = %s
 order by kind = 'whatsapp' and sealed_credentials is not null and api_url is null, created_at desc
"""

# An organization for one's own document: the demo's plan and chatbot, none of its documents.
COPY_ORGANIZATION = """
insert into organizations (plan_id, name)
select plan_id, 'Your documents' from organizations where id = %(demo)s
returning id
"""
COPY_CHATBOT = """
insert into chatbots (organization_id, name, instructions, unknown_reply, debounce_seconds)
select %(organization_id)s, 'Your assistant', 'Be friendly and brief.',
       'I could not find that in your document.', 0
returning id
"""
ADD_CHANNEL = """
insert into channels (organization_id, chatbot_id, kind, name, url_key, account_id)
values (%(organization_id)s, %(chatbot_id)s, %(kind)s, %(kind)s, %(url_key)s, %(account_id)s)
"""


@dataclass(frozen=True)
class Channel:
    id: str
    url_key: str
    account_id: str


def channels_of(resource: dict, organization_id: str) -> dict[str, Channel]:
    """By kind: whatsapp, web. Of several the first, which came with the organization; of WhatsApp's
    rather one at Meta: only the first may be pointed at the stand-in."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(CHANNELS_OF_ORGANIZATION, [organization_id])
        return {kind: Channel(*columns) for kind, *columns in cursor.fetchall()}


def connect_channels(
    resource: dict, organization_id: str, secrets: Secrets, graph_url: str
) -> None:
    """Point the WhatsApp channel at the stand-in, with this installation's secrets."""
    credentials = {
        name: getattr(secrets, name) for name in ("app_secret", "verify_token", "access_token")
    }
    channel_id = channels_of(resource, organization_id)["whatsapp"].id
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("select sealed_credentials from channels where id = %s", [channel_id])
        (sealed,) = cursor.fetchone()
        if not holds(secrets.sealing_key, sealed, channel_id, credentials):
            place = sealing_place(channel_id)
            sealed = seal(secrets.sealing_key, json.dumps(credentials), place)
        cursor.execute(
            "update channels set sealed_credentials = %s, api_url = %s, webhook_url = %s"
            " where id = %s",
            [sealed, graph_url, LOCAL_WEBHOOK, channel_id],
        )
        connection.commit()


def is_connected_to_meta(resource: dict, organization_id: str) -> bool:
    """By `channel add`: credentials, and no other address than Meta's own."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select exists (select from channels where organization_id = %s and kind = 'whatsapp'"
            " and sealed_credentials is not null and api_url is null)",
            [organization_id],
        )
        return cursor.fetchone()[0]


def holds(sealing_key: str, sealed: str | None, channel_id: str, credentials: dict) -> bool:
    if sealed is None:
        return False
    try:
        return (
            json.loads(open_sealed(sealing_key, sealed, sealing_place(channel_id))) == credentials
        )
    except Misconfigured:
        return False


def make_organization(resource: dict) -> str:
    """An organization of its own, so that answers come from the document given and no other."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute(COPY_ORGANIZATION, {"demo": DEMO_ORGANIZATION})
        (organization_id,) = cursor.fetchone()
        cursor.execute(COPY_CHATBOT, {"organization_id": organization_id})
        (chatbot_id,) = cursor.fetchone()
        for kind in ("whatsapp", "web"):
            values = {
                "organization_id": organization_id,
                "chatbot_id": chatbot_id,
                "kind": kind,
                "url_key": secrets.token_hex(16),
                "account_id": str(secrets.randbelow(9 * 10**14) + 10**14),
            }
            cursor.execute(ADD_CHANNEL, values)
        connection.commit()
        return organization_id


def forget_earlier_runs(resource: dict) -> None:
    """The demo has a database of its own; every run finds it with an empty inbox."""
    with connection_to(resource) as connection, connection.cursor() as cursor:
        cursor.execute("truncate contacts, webhook_deliveries, delivery_receipts cascade")
        cursor.execute("delete from organizations where id <> %s", [DEMO_ORGANIZATION])
        cursor.execute(
            "update channels set account_id = %s where organization_id = %s and kind = 'whatsapp'",
            [DEMO_ACCOUNT, DEMO_ORGANIZATION],
        )
        connection.commit()
