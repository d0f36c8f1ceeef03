"""What pages of the web chat send: sizes, ids and texts, refused in words where they are wrong."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from f.channels.messages import WebhookRefused
from f.channels.vendor_json import UUID, load, mapping, words

TEXT_LIMIT = 4000
BODY_LIMIT_BYTES = 64 * 1024
UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024
MOST_LINES = 200
LONGEST_WAIT_SECONDS = 25

NUMBER = re.compile(r"[0-9]{1,18}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
# Signs of direction would show exe.pdf where the name ends in fdp.exe.
UNFIT_FOR_A_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True)
class Posted:
    """`attachment_id`: a file that the same session uploaded before."""

    client_message_id: str
    text: str
    attachment_id: str | None


@dataclass(frozen=True)
class Started:
    """`identity`: what the page shows for who its visitor is; empty for somebody unknown."""

    identity: dict
    language: str | None


@dataclass(frozen=True)
class Wanted:
    """Lines after `since`, at most `limit`; where there are none, wait so long for one."""

    since: int
    limit: int
    wait_seconds: int


def read_post(body: bytes) -> Posted:
    found = mapping(load(body))
    attachment_id = found.get("attachment_id")
    text = words(found.get("message")).strip()
    if not text and attachment_id is None:
        raise WebhookRefused(400, "text_missing", "`message` is what the visitor wrote.")
    if len(text) > TEXT_LIMIT:
        raise WebhookRefused(
            400, "text_too_long", f"`message` has {TEXT_LIMIT} characters at most."
        )
    return Posted(
        client_message_id=_uuid(found.get("client_message_id"), "client_message_id_wrong"),
        text=text,
        attachment_id=attachment_id and _uuid(attachment_id, "attachment_unknown"),
    )


def read_mode(body: bytes) -> str:
    mode = mapping(load(body)).get("mode")
    if mode not in ("human", "bot"):
        raise WebhookRefused(400, "mode_wrong", "`mode` is human or bot.")
    return mode


def read_start(body: bytes) -> Started:
    """An empty body is a visitor of whom nothing is known."""
    found = mapping(load(body)) if body.strip() else {}
    language = words(found.get("language")).lower()[:3].partition("-")[0]
    return Started(
        identity=mapping(found.get("identity")),
        language=language if LANGUAGE.fullmatch(language) else None,
    )


def read_wanted(query: dict[str, str]) -> Wanted:
    """`since`: number of the last line that the page has, 0 at first."""
    return Wanted(
        since=_number(query.get("since"), 0, 10**18),
        limit=max(1, _number(query.get("limit"), 50, MOST_LINES)),
        wait_seconds=_number(query.get("wait"), 0, LONGEST_WAIT_SECONDS),
    )


def conversation_id(value: str) -> str:
    return _uuid(value, "conversation_unknown", 404)


def session_id(value: str) -> str:
    """An id that is none is one that nobody has."""
    return _uuid(value, "session_token_invalid", 403)


def file_name(header: str) -> str:
    """The visitor's name of a file, percent-encoded in a header, made fit to be shown and saved."""
    name = words(unquote(header).encode("utf-8", "replace").decode(), 200)
    return UNFIT_FOR_A_NAME.sub("_", name).strip(". ") or "file"


def _uuid(value: object, code: str, status: int = 400) -> str:
    lower = words(value).lower()
    if not UUID.fullmatch(lower):
        raise WebhookRefused(status, code, "An id of this chat is a UUID.")
    return lower


def _number(value: str | None, default: int, most: int) -> int:
    if value is None:
        return default
    if not NUMBER.fullmatch(value):
        raise WebhookRefused(400, "number_wrong", "since, limit and wait are whole numbers.")
    return min(int(value), most)
