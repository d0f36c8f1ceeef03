"""Which library speaks for a channel of which kind."""

from typing import Protocol

import f.channels.web as web
import f.channels.whatsapp as whatsapp
from f.channels.messages import Delivery
from f.shared.errors import Misconfigured


class ChannelLibrary(Protocol):
    """What the core asks of a channel.

    `credentials` are the channel's secrets, and where its API is. What is not the vendor's is
    refused with `WebhookRefused`; sending raises the errors of f/shared/errors.py.
    """

    def handshake(self, query: dict, credentials: dict) -> str:
        """The plain text that answers the vendor's GET."""

    def verify(self, raw: bytes, headers: dict[str, str], credentials: dict) -> None:
        """Refuse a request that is not the vendor's; names of headers are in lower case."""

    def parse(self, raw: bytes) -> list[Delivery]:
        """Everything the body holds; never loses one item over another."""

    def split_text(self, text: str) -> list[str]:
        """A reply as messages that the channel takes."""

    def send_text(self, credentials: dict, to: str, text: str, client_reference: str) -> str:
        """Send one message and return the vendor's id of it; DeliveryUnknown if nobody can say."""


LIBRARIES: dict[str, ChannelLibrary] = {
    "web": web,
    "whatsapp": whatsapp,
}


def library(kind: str) -> ChannelLibrary:
    if kind not in LIBRARIES:
        raise Misconfigured(f"No channel of kind {kind!r}; there are {', '.join(LIBRARIES)}.")
    return LIBRARIES[kind]
