"""Connections to public addresses only, each within one deadline for everything that it does."""

import http.client
import io
import socket
import ssl
from contextlib import ExitStack
from functools import cache, partial

from f.shared.addresses import is_public, is_this_machine
from f.shared.deadline import Deadline, within
from f.shared.fetch_refusals import refused
from f.shared.web_addresses import Target

MAX_CONNECT_SECONDS = 5
MAX_ADDRESSES_TRIED = 3
READ_BYTES = 64 * 1024


class DeadlineSocket:
    """What http.client needs of a socket. A server that sends a byte a second gains nothing:
    each read waits only as long as is left in all."""

    def __init__(self, sock: socket.socket, deadline: Deadline):
        self._sock = sock
        self._deadline = deadline

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()

    def sendall(self, content: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(content)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        """http.client closes when it saw the headers; the body is still to come."""


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline):
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


class Internet:
    """Its four small methods are what tests replace; `connect` is the same for all."""

    deadline = Deadline

    def may_reach(self, address: str) -> bool:
        return is_public(address) and not is_this_machine(address)

    def look_up(self, host: str) -> list[str]:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in found]

    def open(self, address: str, port: int, seconds: float) -> socket.socket:
        return socket.create_connection((address, port), timeout=seconds)

    def tls(self) -> ssl.SSLContext:
        return _tls()

    def connect(self, target: Target, deadline: Deadline) -> DeadlineSocket:
        """Raises InputRefused `url_blocked`, TimeoutError, OSError."""
        addresses = self._look_up_within(target.host, deadline)
        # One private answer among public ones is an attack, or a mistake that ends like one.
        if not addresses or not all(map(self.may_reach, addresses)):
            raise refused("url_blocked")
        sock = self._open_one(addresses, target.port, deadline)
        with ExitStack() as on_failure:
            on_failure.callback(sock.close)
            if target.scheme == "https":
                sock.settimeout(deadline.left())
                sock = self.tls().wrap_socket(sock, server_hostname=target.host)
            on_failure.pop_all()
        return DeadlineSocket(sock, deadline)

    def _look_up_within(self, host: str, deadline: Deadline) -> list[str]:
        seconds = deadline.left()
        try:
            return within(seconds, partial(self.look_up, host))
        except TimeoutError:
            raise
        except (OSError, UnicodeError):
            return []

    def _open_one(self, addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
        error = OSError("no address")
        for address in dict.fromkeys(addresses[:MAX_ADDRESSES_TRIED]):
            try:
                return self.open(address, port, min(MAX_CONNECT_SECONDS, deadline.left()))
            except OSError as exc:
                deadline.left()
                error = OSError(str(exc))
        raise error


def ask(
    connection: DeadlineSocket,
    target: Target,
    method: str,
    headers: dict[str, str],
    body: bytes | None = None,
) -> http.client.HTTPResponse:
    """The answer's head; its body is read within the same deadline. Redirects are answers."""
    client = http.client.HTTPConnection(target.host, target.port)
    client.sock = connection
    ours = {"host": target.origin_host, "connection": "close", "accept-encoding": "identity"}
    client.request(method, target.path, body, headers | ours)
    return client.getresponse()


def read_body(response: http.client.HTTPResponse, max_bytes: int) -> bytes | None:
    """None when it is longer, counted while reading: what a server says of the length binds it to
    nothing. Raises http.client.IncompleteRead when it breaks off, OSError."""
    if (response.length or 0) > max_bytes:
        return None
    body = bytearray()
    while part := response.read1(READ_BYTES):
        body += part
        if len(body) > max_bytes:
            return None
    if response.length:
        raise http.client.IncompleteRead(b"")
    return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
