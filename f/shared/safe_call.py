"""Call a server whose address came from outside, with a secret, and reach nothing private.

A redirect is an answer like any other: nothing follows it, so what was sent goes nowhere else.
"""

import http.client
from dataclasses import dataclass

from f.shared.deadline import Deadline
from f.shared.errors import UpstreamDown
from f.shared.fetch_refusals import refused
from f.shared.internet import Internet
from f.shared.safe_fetch import own_hosts
from f.shared.web_addresses import read_url

INTERNET = Internet()
SCHEMES = ("https",)  # a secret is sent, so nobody may listen
MAX_BYTES = 256 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    content: bytes

    def header(self, name: str) -> str:
        return next((value for one, value in self.headers if one.lower() == name), "")


def call(
    method: str, url: str, headers: dict[str, str], body: bytes | None, deadline: Deadline
) -> Answer:
    """Any answer, whatever its status. Raises InputRefused (the address is not allowed),
    UpstreamDown (no whole answer in time, or too large)."""
    target = read_url(url)
    if target.scheme not in SCHEMES or target.host in own_hosts():
        raise refused("url_blocked")
    sent = {
        **headers,
        "host": target.origin_host,
        "connection": "close",
        "accept-encoding": "identity",
    }
    try:
        with INTERNET.connect(target, deadline) as connection:
            client = http.client.HTTPConnection(target.host, target.port)
            client.sock = connection
            client.request(method, target.path, body, sent)
            answer = client.getresponse()
            return Answer(answer.status, answer.getheaders(), _read(answer))
    except (OSError, http.client.HTTPException) as error:
        raise UpstreamDown("the server gave no whole answer") from error


def _read(answer: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while part := answer.read1(64 * 1024):
        body += part
        if len(body) > MAX_BYTES:
            raise UpstreamDown("the server's answer is too large")
    return bytes(body)
