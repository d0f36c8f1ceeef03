"""The web chat of our own widget: prove a post, read it, and let replies be fetched.

The visitor's id is made by the page, kept in the browser and known to nobody else, so it is the
proof of who writes; we keep only its hash. The page posts its JSON as text/plain: in a body that
is JSON, Windmill resolves `$var:` strings, and refuses a message that names none. Replies need
no call: the page asks for them.
"""

import hashlib
import re
from dataclasses import dataclass

from f.channels.answers import acknowledged
from f.channels.checks import Problem
from f.channels.messages import Delivery, InboundMessage, Recipient, Request, WebhookRefused
from f.channels.rules import Rules
from f.channels.signatures import refuse_handshake as handshake
from f.channels.splitting import split_markdown
from f.channels.vendor_json import load, mapping, words
from f.shared.errors import InputRefused

__all__ = [
    "RULES",
    "acknowledged",
    "check",
    "handshake",
    "parse",
    "send_text",
    "show_typing",
    "split_text",
    "subscribe",
    "verify",
]

RULES = Rules(typing_seconds=0)
TEXT_LIMIT = 4000
BODY_LIMIT_BYTES = 64 * 1024

VISITOR_ID = re.compile(r"[A-Za-z0-9_-]{32,128}")
MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
POSITION = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class RepliesWanted:
    """A visitor asks for what was said after the position they have seen."""

    contact_key: str
    after: int


def verify(request: Request, credentials: dict) -> None:
    """Nobody signs for a visitor: the id in the body is the proof."""
    if len(request.body) > BODY_LIMIT_BYTES:
        raise WebhookRefused(413, "body_too_large", "A message may have 64 KB at most.")


def parse(request: Request) -> list[Delivery]:
    body = mapping(load(request.body))
    contact_key = _contact_key(body.get("visitor_id"))
    message = InboundMessage(
        # With the visitor in it, nobody can occupy the id of somebody else's message.
        provider_message_id=f"{contact_key[:16]}:{_message_id(body.get('message_id'))}",
        contact_key=contact_key,
        kind="text",
        text=_text(body.get("text")),
    )
    return [Delivery(None, [message])]


def parse_query(query: dict) -> RepliesWanted:
    """`visitor_id`, and `after`: the last position that the page has shown, 0 at first."""
    after = query.get("after") or "0"
    if not (isinstance(after, str) and POSITION.fullmatch(after)):
        raise WebhookRefused(400, "after_wrong", "`after` is a whole number.")
    return RepliesWanted(_contact_key(query.get("visitor_id")), int(after))


def split_text(text: str) -> list[str]:
    """The page writes Markdown itself, and shows options as buttons."""
    return split_markdown(text, TEXT_LIMIT, lambda rich: rich.text, shows_options=True)


def send_text(credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
    """Nothing to call: a reply is delivered by being stored, under our own id."""
    return client_reference


def check(credentials: dict) -> list[Problem]:
    """Nobody to ask: the page is ours."""
    return []


def subscribe(credentials: dict) -> None:
    """Nobody to tell: the page posts to the address that it is given."""


def show_typing(credentials: dict, to: Recipient) -> None:
    """Nothing to call: the page sees for itself that a turn is open."""


def fetch_media(credentials: dict, said: dict, max_bytes: int) -> bytes:
    """The page sends no files."""
    raise InputRefused("media_lost", "Nobody has the file any more.")


def _contact_key(visitor_id: object) -> str:
    if not (isinstance(visitor_id, str) and VISITOR_ID.fullmatch(visitor_id)):
        sentence = "`visitor_id` is 32 to 128 letters, digits, - or _, drawn at random."
        raise WebhookRefused(400, "visitor_id_wrong", sentence)
    return hashlib.sha256(visitor_id.encode()).hexdigest()


def _message_id(message_id: object) -> str:
    lower = words(message_id).lower()
    if not MESSAGE_ID.fullmatch(lower):
        raise WebhookRefused(400, "message_id_wrong", "`message_id` is a UUID made by the page.")
    return lower


def _text(value: object) -> str:
    text = words(value).strip()
    if not text:
        raise WebhookRefused(400, "text_missing", "`text` is what the visitor wrote.")
    if len(text) > TEXT_LIMIT:
        raise WebhookRefused(400, "text_too_long", f"`text` may have {TEXT_LIMIT} characters.")
    return text
