"""OAuth 2.1 with a server whose terms are known: a link to sign in, and tokens for what comes back.

RFC 6749 with PKCE (7636), registration (7591), resource indicators (8707), revocation (7009).
"""

import base64
import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass, field
from urllib.parse import quote, urlencode

import f.shared.safe_call as safe_call
from f.agent.oauth_terms import Terms, json_object
from f.shared.deadline import Deadline
from f.shared.errors import InputRefused, UpstreamDown, UpstreamRefused

SECONDS = 10
CLIENT_NAME = "Chatmill"
# What may stand in a header; anything else could end it.
TOKEN = re.compile(r"[!-~]{1,8000}")
MAX_CLIENT_ID_CHARACTERS = 500
LONGEST_SECONDS = 366 * 24 * 3600
EARLY_SECONDS = 30  # a token that ends during the call is of no use


@dataclass(frozen=True)
class Client:
    client_id: str
    secret: str = field(repr=False, default="")


@dataclass(frozen=True)
class Tokens:
    """`ends_at`: seconds since 1970; None: nobody told."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False, default="")
    ends_at: float | None = None

    @property
    def is_over(self) -> bool:
        return self.ends_at is not None and self.ends_at < time.time() + EARLY_SECONDS

    def text(self) -> str:
        return json.dumps(asdict(self))


def register(terms: Terms, callback_url: str) -> Client:
    """Raises UpstreamRefused, UpstreamDown, like all of these."""
    if terms.registration_endpoint is None:
        raise UpstreamRefused("its authorization server takes no clients that nobody entered")
    wanted = {
        "client_name": CLIENT_NAME,
        "redirect_uris": [callback_url],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": terms.client_authentication,
        **({"scope": terms.scope} if terms.scope else {}),
    }
    headers = {"content-type": "application/json"}
    told = _answered(terms.registration_endpoint, headers, json.dumps(wanted).encode())
    client_id, secret = told.get("client_id"), told.get("client_secret") or ""
    if not _is_token(client_id) or (secret and not _is_token(secret)):
        raise UpstreamDown("the authorization server gave no name that can be used")
    if len(client_id) > MAX_CLIENT_ID_CHARACTERS:
        raise UpstreamRefused("its authorization server gave a name that is too long to be kept")
    return Client(client_id, secret)


def link(terms: Terms, client: Client, callback_url: str, state: str, verifier: str) -> str:
    """Where the contact signs in. `state` and `verifier`: at least 256 random bits each."""
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": callback_url,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        "resource": terms.resource,
        **({"scope": terms.scope} if terms.scope else {}),
    }
    mark = "&" if "?" in terms.authorization_endpoint else "?"
    return f"{terms.authorization_endpoint}{mark}{urlencode(asked)}"


def exchange(terms: Terms, client: Client, callback_url: str, code: str, verifier: str) -> Tokens:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback_url,
        "code_verifier": verifier,
        "resource": terms.resource,
    }
    return _tokens(_post(terms.token_endpoint, terms, client, form))


def refresh(terms: Terms, client: Client, tokens: Tokens) -> Tokens:
    """UpstreamRefused: they were revoked, and the contact has to sign in again."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh_token,
        "resource": terms.resource,
    }
    return _tokens(_post(terms.token_endpoint, terms, client, form), tokens.refresh_token)


def revoke(terms: Terms, client: Client, tokens: Tokens) -> None:
    if terms.revocation_endpoint is not None:
        token = tokens.refresh_token or tokens.access_token
        _post(terms.revocation_endpoint, terms, client, {"token": token}, is_empty=True)


def _post(url: str, terms: Terms, client: Client, form: dict, is_empty: bool = False) -> dict:
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
    }
    form = {**form, "client_id": client.client_id}
    if client.secret and terms.client_authentication == "client_secret_basic":
        pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif client.secret:
        form["client_secret"] = client.secret
    return _answered(url, headers, urlencode(form).encode(), is_empty)


def _answered(url: str, headers: dict, body: bytes, is_empty: bool = False) -> dict:
    try:
        answer = safe_call.call("POST", url, headers, body, Deadline(SECONDS))
    except InputRefused as error:
        raise UpstreamRefused("the authorization server's address is not allowed") from error
    if answer.status >= 500 or answer.status == 429:
        raise UpstreamDown("the authorization server gave no answer", status=answer.status)
    if answer.status not in (200, 201):
        # Its words may quote what we sent.
        raise UpstreamRefused("the authorization server refused", status=answer.status)
    return {} if is_empty else json_object(answer)


def _tokens(told: dict, refresh_token: str = "") -> Tokens:
    access, kind, seconds = (
        told.get("access_token"),
        told.get("token_type"),
        told.get("expires_in"),
    )
    again = told.get("refresh_token") or refresh_token
    if not _is_token(access) or (again and not _is_token(again)):
        raise UpstreamDown("the authorization server gave no token that can be sent")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise UpstreamDown("the authorization server gave a token of another kind")
    is_told = isinstance(seconds, int | float) and 0 < seconds <= LONGEST_SECONDS
    return Tokens(access, again, time.time() + seconds if is_told else None)


def _is_token(value: object) -> bool:
    return isinstance(value, str) and bool(TOKEN.fullmatch(value))
