"""The web chat of our own widget, as the core sees it: posts that were proved, and nobody to call.

Pages do not post to Windmill's route: what a page reads would be a job's result, which Windmill
stores and shows, and a connection that is held would hold a worker. They post to the web chat's
own server (local/web_api.py), which proves who writes and stores the delivery that is read here.
"""

import json

from f.channels.answers import acknowledged
from f.channels.checks import Problem, problem_of
from f.channels.messages import Delivery, InboundMessage, Recipient, Request, WebhookRefused
from f.channels.rules import Rules
from f.channels.signatures import refuse_handshake as handshake
from f.channels.splitting import split_markdown
from f.channels.vendor_json import load, mapping, words
from f.channels.web_posts import TEXT_LIMIT, Posted
from f.shared.errors import ChatmillError
from f.shared.http import request as call

__all__ = [
    "RULES",
    "acknowledged",
    "check",
    "delivered",
    "handshake",
    "parse",
    "send_text",
    "show_typing",
    "split_text",
    "subscribe",
    "verify",
]

RULES = Rules(typing_seconds=0)


def verify(request: Request, credentials: dict) -> None:
    """The route of vendors' webhooks proves nothing about a visitor."""
    raise WebhookRefused(
        404, "web_chat_elsewhere", "The web chat has a server of its own, at /api/web/."
    )


def delivered(contact_key: str, posted: Posted, media: dict | None) -> bytes:
    """A post as the inbox keeps it: who wrote was proved, what they showed for it is left out."""
    body = {
        "contact_key": contact_key,
        "message_id": posted.client_message_id,
        "text": posted.text,
        "media": media,
    }
    return json.dumps(body).encode()


def parse(request: Request) -> list[Delivery]:
    """What delivered() wrote."""
    body = mapping(load(request.body))
    contact_key = words(body.get("contact_key"))
    media = body.get("media")
    message = InboundMessage(
        # With the contact in it, nobody can occupy the id of somebody else's message.
        provider_message_id=f"{contact_key}:{words(body.get('message_id'))}",
        contact_key=contact_key,
        kind="media" if media else "text",
        text=words(body.get("text")),
        media=mapping(media) or None,
    )
    return [Delivery(None, [message])]


def split_text(text: str) -> list[str]:
    """The page writes Markdown itself, and shows options as buttons."""
    return split_markdown(text, TEXT_LIMIT, lambda rich: rich.text, shows_options=True)


def send_text(credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
    """Nothing to call: a reply is delivered by being stored, under our own id."""
    return client_reference


def check(credentials: dict) -> list[Problem]:
    """Whether a page on another machine could reach the chat."""
    if not credentials["webhook_url"]:
        return [Problem("no_webhook_url")]
    try:
        facts = mapping(call("GET", credentials["webhook_url"]).json())
    except ChatmillError as error:
        return [Problem("web_chat_unreachable", problem_of(error).details)]
    return [] if facts.get("may_be_embedded") else [Problem("no_origins")]


def subscribe(credentials: dict) -> None:
    """Nobody to tell: the page posts to the address that it is given."""


def show_typing(credentials: dict, to: Recipient) -> None:
    """Nothing to call: the page sees for itself that a turn is open."""
