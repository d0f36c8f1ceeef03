"""HTTP on one thread for thousands of small requests: what the stand-ins answer with."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

REASONS = {200: "OK", 201: "Created"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """`is_cut`: the connection is closed without an answer."""

    status: int = 200
    body: object = ""
    delay_seconds: float = 0
    is_cut: bool = False
    retry_after_seconds: int | None = None

    def content(self) -> bytes:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        content = text.encode()
        kind = "text/plain" if isinstance(self.body, str) else "application/json"
        after = self.retry_after_seconds
        head = (
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Refused')}\r\n"
            + (f"Retry-After: {after}\r\n" if after is not None else "")
            + f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


Answer = Callable[[Request], Reply]


class Connection(asyncio.Protocol):
    """Requests of one connection come one after the other: our clients do not pipeline."""

    def __init__(self, answer: Answer):
        self._answer = answer
        self._received = b""

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        lengths = [line for line in lines if line.lower().startswith("content-length:")]
        length = int(lengths[0].partition(":")[2]) if lengths else 0
        if len(rest) < length:
            return
        self._received = rest[length:]
        method, path, _ = first.split(" ", 2)
        self._send(self._answer(Request(method, path, rest[:length])))

    def _send(self, reply: Reply) -> None:
        if reply.delay_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(reply.delay_seconds, self._send_now, reply)
        else:
            self._send_now(reply)

    def _send_now(self, reply: Reply) -> None:
        if reply.is_cut:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(reply.content())


async def serve(answer: Answer, port: int = 0) -> tuple[asyncio.Server, str]:
    """The server, and the address where it listens."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer), "127.0.0.1", port, backlog=512)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}"
