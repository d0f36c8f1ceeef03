"""Who a visitor is, when the organization's own server says so: by a hash or a short-lived token.

What a page says by itself proves nothing: a claim without proof is refused, so that nobody reads
what somebody else wrote by typing their e-mail address.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass

import jwt  # pin: PyJWT==2.15.1

from f.channels.messages import WebhookRefused
from f.channels.vendor_json import words

LONGEST_TOKEN_SECONDS = 3600
ID_LIMIT = 256


@dataclass(frozen=True)
class Person:
    """`key`: the same in every session of theirs; `name`: for teammates, if it was signed."""

    key: str
    name: str | None


def prove(identity: dict, secret: str | None, embed_key: str) -> Person | None:
    """None for a visitor of whom nothing is claimed. `identity` is `{token}`, a JWT (HS256; `sub`,
    `exp` at most an hour ahead, `aud` the embed key, `name`), or `{identifier, identifier_hash}`
    with the hash hex(HMAC-SHA256(secret, identifier)).

    Raises WebhookRefused `identity_refused`, without saying what was wrong with it.
    """
    if not identity:
        return None
    if not secret:
        raise _refused()
    if "token" in identity:
        return _by_token(words(identity["token"], 4096), secret, embed_key)
    return _by_hash(identity, secret)


def prove_teammate(authorization: str, secret: str | None, embed_key: str) -> None:
    """`authorization`: `Bearer` and a token like a visitor's whose `role` is teammate, which only
    the organization's own server can sign. Raises WebhookRefused `teammate_refused`."""
    scheme, _, token = authorization.partition(" ")
    try:
        claims = _claims(token.strip(), secret, embed_key, "role") if secret else {}
    except WebhookRefused:
        claims = {}
    if scheme.lower() != "bearer" or claims.get("role") != "teammate":
        raise WebhookRefused(403, "teammate_refused", "This token is not a teammate's.")


def hash_of(secret: str, identifier: str) -> str:
    """The prefix keeps it from being the signature of a token: both have the same key, and visitors
    choose their names."""
    return hmac.new(secret.encode(), f"visitor:{identifier}".encode(), hashlib.sha256).hexdigest()


def _by_hash(identity: dict, secret: str) -> Person:
    identifier = words(identity.get("identifier"), ID_LIMIT + 1)
    shown = words(identity.get("identifier_hash"), 100).lower()
    if not hmac.compare_digest(hash_of(secret, identifier).encode(), shown.encode()):
        raise _refused()
    # A name that was not signed is only what the page says.
    return _person(identifier, None)


def _by_token(token: str, secret: str, embed_key: str) -> Person:
    claims = _claims(token, secret, embed_key, "sub")
    return _person(words(claims["sub"], ID_LIMIT + 1), words(claims.get("name"), 200) or None)


def _claims(token: str, secret: str, embed_key: str, needed: str) -> dict:
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=embed_key,
            options={"require": ["exp", "aud", needed]},
        )
    except jwt.PyJWTError as error:
        raise _refused() from error
    if int(claims["exp"]) > time.time() + LONGEST_TOKEN_SECONDS:  # some servers write it as text
        raise _refused()
    return claims


def _person(identifier: str, name: str | None) -> Person:
    if not 0 < len(identifier) <= ID_LIMIT:
        raise _refused()
    # The beginning differs from a session's: nobody can be named so that they are a session.
    return Person(f"person:{hashlib.sha256(identifier.encode()).hexdigest()}", name)


def _refused() -> WebhookRefused:
    return WebhookRefused(403, "identity_refused", "This proof of who the visitor is is not valid.")
