"""What an address from outside must look like before anything is looked up for it."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from f.shared.fetch_refusals import refused

MAX_URL_CHARACTERS = 2048
PORTS = {"http": 80, "https": 443}
# ASCII only: other writing must come as punycode, for two programs may read it in two ways.
URL_CHARACTERS = re.compile(r"[!-\[\]-~]+")
HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
# Names of one word (Docker's services) have no dot, so HOST_NAME refuses them already.
PRIVATE_ENDINGS = (
    *(".localhost", ".local", ".localdomain", ".internal", ".intranet", ".private", ".corp"),
    *(".lan", ".home", ".home.arpa", ".svc", ".onion"),
)


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin_host(self) -> str:
        """As the Host header wants it: the port is the scheme's own, so it is left out."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.origin_host}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}"


def read_url(url: str) -> Target:
    """Raises InputRefused `url_blocked`, without having asked anybody about the name."""
    if len(url) > MAX_URL_CHARACTERS or not URL_CHARACTERS.fullmatch(url):
        raise refused("url_blocked")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise refused("url_blocked") from exc
    scheme, host = parts.scheme, (parts.hostname or "").lower()
    if "@" in parts.netloc + parts.fragment or port not in (None, PORTS.get(scheme)):
        raise refused("url_blocked")
    if scheme not in PORTS or not is_allowed_host(host):
        raise refused("url_blocked")
    query = f"?{parts.query}" if parts.query else ""
    return Target(scheme, host, PORTS[scheme], (parts.path or "/") + query)


def is_allowed_host(host: str) -> bool:
    """Whether it is written as one address of four numbers or of IPv6, or is a public name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(HOST_NAME.fullmatch(host)) and not host.endswith(PRIVATE_ENDINGS)
    return "%" not in host


def redirected(target: Target, location: str) -> str:
    """http.client read the header as Latin-1; raw UTF-8 in a path is common, elsewhere refused."""
    location = quote(location.encode("latin-1", "replace"), safe=SAFE_CHARACTERS)
    try:
        return urljoin(target.url, location)
    except ValueError as exc:
        raise refused("url_blocked") from exc


SAFE_CHARACTERS = "".join(map(chr, range(33, 127)))
