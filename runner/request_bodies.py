"""Read a request's body while counting it: no sender can fill the memory or hold a line open."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive

# A body of at most this size is read even while large ones fill what all may hold together.
SMALL_BYTES = 64 * 1024


@dataclass(frozen=True)
class BodyLimits:
    max_bytes: int = 4 * 1024 * 1024
    max_bytes_of_all: int = 16 * 1024 * 1024
    idle_seconds: float = 10
    total_seconds: float = 30


class BodyRefused(Exception):
    """The body will not be read to its end; status and sentence are the answer."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class ClientGone(Exception):
    """The connection closed before the body was complete; there is nobody to answer."""


class BodyReader:
    """Reads bodies as sent: a compressed one stays compressed, as in Windmill."""

    def __init__(self, limits: BodyLimits):
        self._limits = limits
        self._held_bytes = 0

    async def read(self, receive: Receive, headers: Mapping[str, str]) -> bytes:
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limits.max_bytes:
            raise self._too_large()
        deadline = time.monotonic() + self._limits.total_seconds
        body = bytearray()
        try:
            while await self._read_on(body, receive, deadline):
                self._check_size(len(body))
        finally:
            self._held_bytes -= len(body)
        self._check_size(len(body))
        return bytes(body)

    async def _read_on(self, body: bytearray, receive: Receive, deadline: float) -> bool:
        """Append what arrived next; False at the end."""
        patience_seconds = min(self._limits.idle_seconds, deadline - time.monotonic())
        try:
            async with asyncio.timeout(max(patience_seconds, 0)):
                message = await receive()
        except TimeoutError as error:
            raise BodyRefused(408, "The request body took too long to arrive.") from error
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        body += chunk
        self._held_bytes += len(chunk)
        return message.get("more_body", False)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.max_bytes:
            raise self._too_large()
        if size_bytes > SMALL_BYTES and self._held_bytes > self._limits.max_bytes_of_all:
            raise BodyRefused(503, "Too many large requests arrive at once; try again later.")

    def _too_large(self) -> BodyRefused:
        limit = self._limits.max_bytes
        return BodyRefused(413, f"The request body is larger than {limit} bytes.")
