"""Decide whether a request to an HTTP trigger may pass, by the trigger's authentication method."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Windmill: windmill-trigger-http/src/http_trigger_auth.rs
GITHUB = {
    "algorithm": "sha256",
    "encoding": "hex",
    "signature_header_name": "X-Hub-Signature-256",
    "signature_prefix": "sha256=",
}
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": lambda digest: digest.hex().encode(),
    "base64": base64.b64encode,
    "base64uri": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"="),
}
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
SIGNATURE_PROVIDERS = frozenset({"Github", "Custom"})


@dataclass(frozen=True)
class Credentials:
    """What a request shows and what it is compared with; header names are lower-case."""

    headers: Mapping[str, str]
    body: bytes
    resource: object
    token: str


class Refused(Exception):
    """The request may not pass: answer with `text`, or with `error` as JSON."""

    def __init__(self, status: int, *, text: str = "", error: str = ""):
        super().__init__(text or error)
        self.status = status
        self.text = text
        self.error = error


class AuthenticationMisconfigured(ValueError):
    """The trigger's authentication resource lacks something; nobody may pass until it is set."""


def authenticate(method: str, credentials: Credentials) -> None:
    """Raise Refused unless the request shows what the method asks for."""
    METHODS[method](credentials)


def require_bearer_token(headers: Mapping[str, str], token: str) -> None:
    _require(headers.get("authorization", ""), f"Bearer {token}")


def _let_pass(credentials: Credentials) -> None:
    """With `custom_script` too: the trigger's own script must verify the request."""


def _require_windmill_token(credentials: Credentials) -> None:
    require_bearer_token(credentials.headers, credentials.token)


def _require_api_key(credentials: Credentials) -> None:
    header_name = _setting(credentials.resource, "api_key_header").lower()
    expected = _setting(credentials.resource, "api_key_secret")
    _require(credentials.headers.get(header_name, ""), expected)


def _require_basic(credentials: Credentials) -> None:
    username = _setting(credentials.resource, "username")
    pair = f"{username}:{_setting(credentials.resource, 'password')}"
    expected = "Basic " + base64.b64encode(pair.encode()).decode()
    _require(credentials.headers.get("authorization", ""), expected)


def _require_signature(credentials: Credentials) -> None:
    config = _signature_config(credentials.resource)
    header_name = _setting(config, "signature_header_name")
    shown = credentials.headers.get(header_name.lower())
    if shown is None:
        raise Refused(400, error=f"missing header {header_name}")
    if not _is_same(shown, _signature(config, credentials)):
        raise Refused(401, error="signature invalid")


def _signature(config: dict, credentials: Credentials) -> str:
    secret = _setting(credentials.resource, "secret_key").encode()
    algorithm = ALGORITHMS[_setting(config, "algorithm", allowed=ALGORITHMS)]
    encode = ENCODERS[_setting(config, "encoding", allowed=ENCODERS)]
    digest = hmac.new(secret, credentials.body, algorithm).digest()
    return (config.get("signature_prefix") or "") + encode(digest).decode()


def _signature_config(resource: object) -> object:
    provider = _setting(resource, "signature_provider", allowed=SIGNATURE_PROVIDERS)
    return GITHUB if provider == "Github" else resource.get("authentication_config")


def _setting(settings: object, name: str, allowed=None) -> str:
    """A non-empty text: an unset secret must never equal an absent header."""
    value = settings.get(name) if isinstance(settings, dict) else None
    if not isinstance(value, str) or not value or (allowed and value not in allowed):
        raise AuthenticationMisconfigured(f"its authentication resource has no usable {name}")
    return value


def _require(shown: str, expected: str) -> None:
    if not _is_same(shown, expected):
        raise Refused(401, text="Unauthorized")


def _is_same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(), expected.encode())


METHODS: dict[str, Callable[[Credentials], None]] = {
    "none": _let_pass,
    "custom_script": _let_pass,
    "windmill": _require_windmill_token,
    "api_key": _require_api_key,
    "basic_http": _require_basic,
    "signature": _require_signature,
}
