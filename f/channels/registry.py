"""Which library speaks for a channel of which kind.

Imported when a channel of its kind is there: on Windmill each module costs a step 15 to 20 ms.
"""

import importlib
from typing import Protocol

from f.channels.checks import Problem
from f.channels.messages import Delivery, Recipient, Request, WebhookRefused
from f.channels.rules import Rules
from f.shared.errors import Misconfigured


class ChannelLibrary(Protocol):
    """What the core asks of a channel.

    `credentials` are the channel's secrets, and where its API is. What is not the vendor's is
    refused with `WebhookRefused`; sending raises the errors of f/shared/errors.py.

    Some vendors know more: `send_template(credentials, to, template, client_reference)` where a
    window closes, `accepted(deliveries)` in place of `acknowledged(None)` where the answer to a
    webhook may hold a call.
    """

    RULES: Rules

    def handshake(self, query: dict, credentials: dict) -> str:
        """The plain text that answers the vendor's GET."""

    def verify(self, request: Request, credentials: dict) -> None:
        """Refuse a request that is not the vendor's."""

    def parse(self, request: Request) -> list[Delivery]:
        """Everything the body holds; never loses one item over another."""

    def acknowledged(self, refusal: WebhookRefused | None) -> dict:
        """The Windmill result that answers the webhook."""

    def split_text(self, text: str) -> list[str]:
        """A reply in Markdown as pieces that the channel takes, each Markdown again."""

    def send_text(self, credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
        """Send one piece and return the vendor's id of it; DeliveryUnknown if nobody can say."""

    def check(self, credentials: dict) -> list[Problem]:
        """What the vendor says is wrong with the account; asks it, and changes nothing."""

    def subscribe(self, credentials: dict) -> None:
        """Have the vendor post to `webhook_url`, where an API can; else does nothing."""

    def show_typing(self, credentials: dict, to: Recipient) -> None:
        """Show that the message was seen and that an answer comes."""


class MediaLibrary(Protocol):
    """A module of its own beside the library, `.._media`: few messages have files, and the fetch of
    strangers' addresses is much to import."""

    def fetch_media(self, credentials: dict, said: dict, max_bytes: int) -> bytes:
        """A file's bytes, by what the inbox keeps of it (content.media_of). InputRefused
        `media_too_large`; UpstreamError where another try may help."""


LIBRARIES = {
    "messenger": "f.channels.messenger",
    "telegram": "f.channels.telegram",
    "twilio": "f.channels.twilio",
    "web": "f.channels.web",
    "whatsapp": "f.channels.whatsapp",
}


def library(kind: str) -> ChannelLibrary:
    return importlib.import_module(_module_of(kind))


def media_library(kind: str) -> MediaLibrary:
    return importlib.import_module(f"{_module_of(kind)}_media")


def _module_of(kind: str) -> str:
    if kind not in LIBRARIES:
        raise Misconfigured(f"No channel of kind {kind!r}; there are {', '.join(LIBRARIES)}.")
    return LIBRARIES[kind]
