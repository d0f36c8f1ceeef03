"""Receive a channel's webhook: verify, store, wake.

The preprocessor does the work and returns ids, so that no text stays in the job's arguments.
It reads `raw_string` only: Windmill resolves `$var:` strings inside `event["body"]`.
"""

import f.channels.accounts as accounts
import f.channels.inbox as inbox
import f.channels.registry as registry
from f.channels.messages import WebhookRefused
from f.shared.db import connect
from f.shared.windmill import get_resource, get_variable


def preprocessor(event: dict) -> dict:
    try:
        wake = receive(
            event["params"].get("channel", ""), event.get("raw_string") or "", event["headers"]
        )
    except WebhookRefused as refusal:
        return {"wake": [], "response": refused(refusal)}
    return {"wake": wake, "response": {"windmill_status_code": 200, "result": {"status": "ok"}}}


def main(wake: list, response: dict) -> dict:
    inbox.start_flows(wake)
    return response


def receive(url_key: str, body: str, headers: dict) -> list[dict]:
    """Conversations to wake. Answered 200 only after both commits. Raises WebhookRefused."""
    db = get_resource("f/channels/ingress_database")
    sealing_key = get_variable("f/chat/sealing_key")
    with connect(db) as conn:
        account = accounts.by_url_key(conn, sealing_key, url_key)
    if account is None:
        raise WebhookRefused(404, "channel_unknown", "No channel has this address.")
    library = registry.library(account.kind)
    library.verify(body.encode(), headers, account.credentials)
    deliveries = library.parse(body.encode())
    with connect(db) as conn:
        delivery_id = inbox.receive(conn, account, body)
    with connect(db) as conn:
        return inbox.accept(conn, sealing_key, account, delivery_id, deliveries)


def refused(refusal: WebhookRefused) -> dict:
    return {
        "windmill_status_code": refusal.status,
        "result": {"error": {"code": refusal.code, "message": str(refusal)}},
    }
