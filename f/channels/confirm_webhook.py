"""Answer the handshake with which a vendor checks a webhook's address."""

import f.channels.accounts as accounts
import f.channels.registry as registry
from f.channels.messages import WebhookRefused
from f.shared.db import connect
from f.shared.windmill import get_resource, get_variable


def preprocessor(event: dict) -> dict:
    try:
        challenge = confirm(event["params"].get("channel", ""), event["query"])
    except WebhookRefused as refusal:
        return {"status_code": refusal.status, "text": str(refusal)}
    return {"status_code": 200, "text": challenge}


def main(status_code: int, text: str) -> dict:
    return {
        "windmill_status_code": status_code,
        "windmill_content_type": "text/plain",
        "result": text,
    }


def confirm(url_key: str, query: dict) -> str:
    """The challenge to send back. Raises WebhookRefused."""
    sealing_key = get_variable("f/chat/sealing_key")
    with connect(get_resource("f/channels/ingress_database")) as conn:
        account = accounts.by_url_key(conn, sealing_key, url_key)
    if account is None:
        raise WebhookRefused(404, "channel_unknown", "No channel has this address.")
    return registry.library(account.kind).handshake(query, account.credentials)
