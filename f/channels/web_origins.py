"""Which websites may embed a channel's widget, by the Origin that browsers send."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ORIGIN = re.compile(r"(https?)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
ALLOWED = re.compile(
    r"(?:(https?)://)?((?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
)
PORTS = {"https": "443", "http": "80"}


@dataclass(frozen=True)
class _Allowed:
    scheme: str
    host: str
    port: str

    def lets_in(self, scheme: str, host: str, port: str) -> bool:
        if (scheme, port) != (self.scheme, self.port):
            return False
        # The star stands for one name or more, never for none and never for a part of one.
        return host.endswith(self.host[1:]) if self.host[:2] == "*." else host == self.host


def is_pattern(text: str) -> bool:
    """`shop.example`, `*.shop.example`; with http:// or a port where they are not https and 443."""
    return bool(ALLOWED.fullmatch(text.lower()))


def is_allowed(origin: str, patterns: Iterable[str]) -> bool:
    """`origin`: the header, with `null` (sandboxed frames, files) and what is no origin refused."""
    found = ORIGIN.fullmatch(origin.lower())
    if found is None:
        return False
    scheme, host, port = found.groups()
    port = port or PORTS[scheme]
    return any(one.lets_in(scheme, host, port) for one in map(_read, patterns) if one)


def _read(pattern: object) -> _Allowed | None:
    found = ALLOWED.fullmatch(pattern.lower()) if isinstance(pattern, str) else None
    if found is None:
        return None
    scheme = found[1] or "https"
    return _Allowed(scheme, found[2], found[3] or PORTS[scheme])
