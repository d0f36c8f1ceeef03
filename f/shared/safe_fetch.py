"""Fetch what lies at an address that somebody from outside gave us, and reach nothing private.

Every name is resolved once, every one of its addresses must be public, and the connection goes
to the address that was checked; a redirect starts all of it again. Put an egress firewall in
front as well: this code is one wall, not two.
"""

import http.client
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from f.shared.fetch_refusals import refused
from f.shared.internet import Internet, ask, read_body
from f.shared.web_addresses import Target, read_url, redirected

MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
MAX_HEADER_CHARACTERS = 100
PLAIN = re.compile(r"[ -~]*")
MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
# Servers often know no better than octet-stream; what a file is, its bytes tell later.
DOCUMENT_TYPES = (
    "text/",
    "application/pdf",
    "application/xhtml+xml",
    "application/xml",
    "application/json",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.",
)
REFUSED_STATUSES = {404: "url_not_found", 410: "url_not_found"} | dict.fromkeys(
    (401, 403, 407), "url_needs_login"
)
INTERNET = Internet()


@dataclass(frozen=True)
class Rules:
    """What may be fetched. `media_types` are beginnings; `own_hosts` are this installation's.

    `secret_headers` are sent to their own host only, over TLS only, on every hop anew.
    """

    media_types: tuple[str, ...] = DOCUMENT_TYPES
    max_bytes: int = 10 * 1024 * 1024
    seconds: float = 20
    allowed_hosts: frozenset[str] | None = None
    own_hosts: frozenset[str] = frozenset()
    secret_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetched:
    url: str
    media_type: str
    charset: str
    content: bytes
    etag: str = ""
    last_modified: str = ""
    is_unchanged: bool = False


@dataclass(frozen=True)
class Known:
    """What the server said of the version that we have; it may then answer that nothing changed."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        asked = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


def fetch(
    url: str, rules: Rules = Rules(), known: Known = Known(), internet: Internet | None = None
) -> Fetched:
    """Raises InputRefused with one of fetch_refusals' codes."""
    internet = internet or INTERNET
    deadline = internet.deadline(rules.seconds)
    for _ in range(MAX_REDIRECTS + 1):
        target = read_url(url)
        check_host(target, rules)
        try:
            with internet.connect(target, deadline) as connection:
                response = ask(connection, target, "GET", headers_for(target, rules, known))
                if response.status not in REDIRECTS:
                    return read_response(response, target, rules, known)
        except TimeoutError as exc:
            raise refused("url_too_slow") from exc
        except (OSError, ssl.SSLError, http.client.HTTPException) as exc:
            raise refused("url_blocked") from exc
        url = redirected(target, response.headers.get("location", ""))
    raise refused("url_blocked")


def check_host(target: Target, rules: Rules) -> None:
    if target.host in rules.own_hosts | own_hosts():
        raise refused("url_blocked")
    if rules.allowed_hosts is not None and not any(
        target.host == host or (host.startswith(".") and target.host.endswith(host))
        for host in rules.allowed_hosts
    ):
        raise refused("url_blocked")


def own_hosts() -> set[str]:
    """This installation's names are public, and what lies behind them may trust this machine."""
    urls = (os.environ.get(name, "") for name in ("WM_BASE_URL", "BASE_INTERNAL_URL"))
    return {host.lower() for url in urls if (host := urlsplit(url).hostname)}


def headers_for(target: Target, rules: Rules, known: Known) -> dict[str, str]:
    is_safe = target.scheme == "https"
    secrets = rules.secret_headers.get(target.host, {}) if is_safe else {}
    return {"user-agent": "chatmill", **known.headers(), **secrets}


def read_response(
    response: http.client.HTTPResponse, target: Target, rules: Rules, known: Known
) -> Fetched:
    is_unchanged = response.status == 304 and bool(known.headers())
    if response.status != 200 and not is_unchanged:
        raise refused(REFUSED_STATUSES.get(response.status, "url_failed"))
    media_type = media_type_of(response)
    if not is_unchanged and not media_type.startswith(rules.media_types):
        raise refused("url_type_refused")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise refused("url_type_refused")
    content = read_body(response, rules.max_bytes)
    if content is None:
        raise refused("url_too_large")
    return Fetched(
        url=target.url,
        media_type=media_type,
        charset=response.headers.get_content_charset() or "",
        content=content,
        etag=said(response, "etag"),
        last_modified=said(response, "last-modified"),
        is_unchanged=is_unchanged,
    )


def media_type_of(response: http.client.HTTPResponse) -> str:
    """Nothing when it says none, or none that can be stored."""
    found = response.headers.get_content_type() if "content-type" in response.headers else ""
    return found if MEDIA_TYPE.fullmatch(found) else ""


def said(response: http.client.HTTPResponse, name: str) -> str:
    """A header to send back later, when it is one that can be stored and sent."""
    value = response.headers.get(name, "")
    return value if len(value) <= MAX_HEADER_CHARACTERS and PLAIN.fullmatch(value) else ""
