"""Receive a channel's webhook: verify, store, wake.

The preprocessor does the work and returns ids, so that no text stays in the job's arguments.
It reads `raw_string` only: Windmill resolves `$var:` strings inside `event["body"]`.
"""

import f.channels.accounts as accounts
import f.channels.inbox as inbox
import f.channels.registry as registry
from f.channels.answers import acknowledged
from f.channels.messages import Request, WebhookRefused
from f.channels.vendor_json import UUID
from f.shared.db import connect
from f.shared.windmill import get_resource, get_variable


def preprocessor(event: dict) -> dict:
    request = Request((event.get("raw_string") or "").encode(), event["headers"], event["query"])
    wake, response = receive(event["params"].get("channel", ""), request)
    return {"wake": wake, "response": response}


def main(wake: list, response: dict) -> dict:
    inbox.start_flows(wake)
    return response


def receive(url_key: str, request: Request) -> tuple[list[dict], dict]:
    """Conversations to wake, and what the vendor gets: 200 only after both commits."""
    db = get_resource("f/channels/ingress_database")
    sealing_key = get_variable("f/chat/sealing_key")
    with connect(db) as conn:
        account = accounts.by_url_key(conn, sealing_key, url_key)
    if account is None:
        unknown = WebhookRefused(404, "channel_unknown", "No channel has this address.")
        return [], acknowledged(unknown)
    library = registry.library(account.kind)
    try:
        library.verify(request, account.credentials)
        deliveries = library.parse(request)
    except WebhookRefused as refusal:
        if refusal.code == "secret_missing":
            with connect(db) as conn:
                accounts.report_problem(conn, account.channel_id, "credentials_missing")
        return [], library.acknowledged(refusal)
    with connect(db) as conn:
        delivery_id = inbox.receive(conn, account, request.body.decode(), reference_in(request))
    with connect(db) as conn:
        wake = inbox.accept(conn, sealing_key, account, delivery_id, deliveries)
    answer = getattr(library, "accepted", None)
    return wake, answer(deliveries) if answer else library.acknowledged(None)


def reference_in(request: Request) -> str | None:
    """Our own id of a message, which a vendor brings back in the address of a status."""
    reference = request.query.get("reference")
    return reference if isinstance(reference, str) and UUID.fullmatch(reference) else None
