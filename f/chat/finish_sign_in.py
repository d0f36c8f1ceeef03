"""Take back a contact who signed in at an MCP server, and show the code to write in the chat.

The preprocessor does the work: what came back in the address must not stay in a job's arguments.
The code does, and is worth something in one contact's own chat alone, for a quarter of an hour.
"""

import html
from dataclasses import dataclass

import f.agent.oauth as oauth
import f.agent.sign_ins as sign_ins
from f.agent.oauth import Tokens
from f.agent.sign_ins import Returned
from f.shared.db import again_while_away, connect
from f.shared.errors import UpstreamError
from f.shared.resources import postgresql
from f.shared.windmill import get_resource, get_variable

# Before a chatbot is known that has its own words.
UNKNOWN = "This link was used before, or is too old. Ask for another one in the chat."
PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Chat</title></head><body style="font: 1.2em sans-serif; margin: 2em; white-space: pre-line"
>{text}</body></html>
"""
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Shown:
    status_code: int
    text: str


def preprocessor(event: dict) -> dict:
    db = get_resource("f/chat/app_database")
    shown = finish(db, get_variable("f/chat/sealing_key"), event["query"])
    return {"status_code": shown.status_code, "text": shown.text}


def main(status_code: int, text: str) -> dict:
    return {
        "windmill_status_code": status_code,
        "windmill_content_type": "text/html; charset=utf-8",
        "windmill_headers": HEADERS,
        "result": PAGE.format(text=html.escape(text)),
    }


def finish(db: postgresql, sealing_key: str, query: dict) -> Shown:
    """The state is spent before anything else happens: a link works once, whatever comes of it."""
    state = query.get("state")
    if not isinstance(state, str):
        return Shown(400, UNKNOWN)
    with connect(db) as conn:
        returned = sign_ins.take(conn, sealing_key, state)
    if returned is None:
        return Shown(400, UNKNOWN)
    code = query.get("code")
    if not isinstance(code, str) or not came_from_issuer(query, returned):
        return Shown(400, returned.failure_notice)
    try:
        tokens = oauth.exchange(
            returned.terms, returned.client, returned.callback_url, code, returned.verifier
        )
    except UpstreamError:
        return Shown(502, returned.failure_notice)
    written = keep(db, sealing_key, state, returned, tokens)
    if written is None:
        return Shown(400, returned.failure_notice)
    return Shown(200, returned.signed_in_notice.replace("{code}", written))


def keep(
    db: postgresql, sealing_key: str, state: str, returned: Returned, tokens: Tokens
) -> str | None:
    """What the contact has to write. The code that the tokens came for brings no others."""
    code = sign_ins.new_code()

    def write() -> str | None:
        with connect(db) as conn:
            return sign_ins.keep(conn, sealing_key, state, returned, tokens, code)

    return again_while_away(write)


def came_from_issuer(query: dict, returned: Returned) -> bool:
    """A code of another authorization server must not be taken to this one (RFC 9207)."""
    named = query.get("iss")
    return named == returned.terms.issuer or (named is None and not returned.terms.tells_issuer)
