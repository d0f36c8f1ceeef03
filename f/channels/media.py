"""Fetch a contact's file from its vendor; the vendor's secrets go to the vendor's hosts alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import f.shared.safe_fetch as safe_fetch
from f.shared.errors import InputRefused, UpstreamDown, UpstreamRefused
from f.shared.http import MAX_ANSWER_BYTES, request

SECONDS = 20
# Addresses of files are short-lived, and servers of files fail for a moment: worth another try.
NOT_THERE = "the vendor's server gave no file"


@dataclass(frozen=True)
class Place:
    """`hosts`: where the vendor keeps files, as safe_fetch.Rules has it. `secrets`: headers for
    `secret_hosts` only; a redirect to another of the hosts goes without."""

    hosts: frozenset[str]
    secret_hosts: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def fetch(url: str, place: Place, credentials: dict, max_bytes: int) -> bytes:
    """Raises InputRefused `media_too_large`, UpstreamDown for whatever may mend itself."""
    for headers in (place.secrets, {}):  # after a redirect without
        if _is_on(credentials.get("api_url"), url):
            found = _from_own_api(url, headers, max_bytes)
            if isinstance(found, bytes):
                return found
            url = found
    rules = safe_fetch.Rules(
        media_types=("",),  # what it is, its bytes tell
        max_bytes=max_bytes,
        seconds=SECONDS,
        allowed_hosts=place.hosts,
        secret_headers=dict.fromkeys(place.secret_hosts, place.secrets),
    )
    try:
        return safe_fetch.fetch(url, rules).content
    except InputRefused as refusal:
        if refusal.code == "url_too_large":
            raise too_large() from None
        # Without its cause: a vendor's address may hold a token.
        raise UpstreamDown(f"{NOT_THERE}: {refusal.code}") from None


def check_size(said: object, max_bytes: int) -> None:
    if isinstance(said, int) and said > max_bytes:
        raise too_large()


def too_large() -> InputRefused:
    return InputRefused("media_too_large", "The file is larger than is read of its kind.")


def _is_on(api_url: str | None, url: str) -> bool:
    """Whether the operator's own setting says that the API is there: a stand-in, or Telegram's
    server for bots in one's own network, which the fetch of strangers' addresses would refuse."""
    own = _origin(api_url or "")
    return own is not None and own == _origin(url)


def _origin(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.netloc else None


def _from_own_api(url: str, headers: Mapping[str, str], max_bytes: int) -> bytes | str:
    """Its bytes, or where it says that they are."""
    try:
        answer = request("GET", url, headers=dict(headers), timeout_seconds=SECONDS)
    except UpstreamRefused as error:
        if error.status is None:
            raise too_large() from None
        raise UpstreamDown(f"{NOT_THERE}: {error.status}", status=error.status) from None
    if answer.status in safe_fetch.REDIRECTS:
        return urljoin(url, answer.headers.get("location", ""))
    if len(answer.body) > min(max_bytes, MAX_ANSWER_BYTES):
        raise too_large()
    return answer.body
