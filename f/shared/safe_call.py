"""Call a server whose address came from outside, with a secret, and reach nothing private.

A redirect is an answer like any other: nothing follows it, so what was sent goes nowhere else.
"""

import http.client
from dataclasses import dataclass

from f.shared.deadline import Deadline
from f.shared.errors import UpstreamDown
from f.shared.fetch_refusals import refused
from f.shared.internet import Internet, ask, read_body
from f.shared.safe_fetch import Rules, check_host
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
    if target.scheme not in SCHEMES:
        raise refused("url_blocked")
    check_host(target, Rules())
    try:
        with INTERNET.connect(target, deadline) as connection:
            answer = ask(connection, target, method, headers, body)
            content = read_body(answer, MAX_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise UpstreamDown("the server gave no whole answer") from error
    if content is None:
        raise UpstreamDown("the server's answer is too large")
    return Answer(answer.status, answer.getheaders(), content)
