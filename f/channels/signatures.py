"""How vendors prove a webhook: Meta's HMAC over the bytes, Twilio's over address and form,
Telegram's token.

Sources: https://developers.facebook.com/docs/graph-api/webhooks/getting-started,
https://www.twilio.com/docs/usage/webhooks/webhooks-security and
https://core.telegram.org/bots/api#setwebhook
"""

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from f.channels.messages import Request, WebhookRefused

# Meta sends digits. Windmill resolves `$var:` strings in a query, so anything else might be a
# secret that a stranger asked for, and would be echoed to them.
CHALLENGE = re.compile("[0-9]{1,64}")
META_SIGNATURE = re.compile("sha256=([0-9a-f]{64})")


def confirm_meta(query: dict, credentials: dict) -> str:
    """The challenge that Meta wants back, as plain text, before it posts anything."""
    verify_token = credentials.get("verify_token") or ""
    offered, challenge = str(query.get("hub.verify_token")), str(query.get("hub.challenge"))
    is_ours = bool(verify_token) and hmac.compare_digest(offered.encode(), verify_token.encode())
    is_asked = query.get("hub.mode") == "subscribe" and CHALLENGE.fullmatch(challenge)
    if not (is_ours and is_asked):
        raise WebhookRefused(403, "handshake_refused", "The verify token is not this channel's.")
    return challenge


def refuse_handshake(query: dict, credentials: dict) -> str:
    raise WebhookRefused(405, "handshake_unknown", "This kind of channel has no handshake.")


def verify_meta(request: Request, credentials: dict) -> None:
    """Only who holds the app secret can have signed these very bytes.

    Bytes and not parsed JSON: Meta signs the escapes it wrote.
    """
    app_secret = _secret(credentials, "app_secret")
    signature = META_SIGNATURE.fullmatch(request.headers.get("x-hub-signature-256", ""))
    expected = hmac.new(app_secret, request.body, hashlib.sha256).hexdigest()
    if signature is None or not hmac.compare_digest(signature[1], expected):
        raise _wrong("The signature is not of this app and body.")


def verify_telegram(request: Request, credentials: dict) -> None:
    secret_token = _secret(credentials, "secret_token")
    offered = request.headers.get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(offered.encode(), secret_token):
        raise _wrong("The secret token is not this bot's.")


def verify_twilio(request: Request, credentials: dict) -> None:
    """Signed is the address that Twilio was given, with its query, and every field of the form.

    A second auth token is accepted while the first is being changed.
    """
    tokens = [_secret(credentials, "auth_token")]
    if credentials.get("next_auth_token"):
        tokens.append(credentials["next_auth_token"].encode())
    offered = request.headers.get("x-twilio-signature", "").encode()
    signed = [
        twilio_signature(token, url, _form(request))
        for token in tokens
        for url in _spellings(credentials.get("webhook_url") or "", request.query)
    ]
    if not any([hmac.compare_digest(offered, one.encode()) for one in signed]):
        raise _wrong("The signature is not of this account, address and form.")
    digest = request.query.get("bodySHA256")
    if digest and not hmac.compare_digest(
        str(digest).encode(), hashlib.sha256(request.body).hexdigest().encode()
    ):
        raise _wrong("The body is not the one that was signed.")


def twilio_signature(auth_token: bytes, url: str, fields: list[tuple[str, str]]) -> str:
    text = url + "".join(key + value for key, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(auth_token, text.encode(), hashlib.sha1).digest()).decode()


def _form(request: Request) -> list[tuple[str, str]]:
    """Empty values count too: a photo without a caption has one. A JSON body is not signed
    itself: its hash is in the address."""
    if "bodySHA256" in request.query:
        return []
    return parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)


def _spellings(webhook_url: str, query: dict) -> list[str]:
    """The address with and without its port: Twilio signs now this, now that.

    Of our own addresses at most one parameter hangs, so its place is never in doubt.
    """
    tail = "&".join(f"{name}={value}" for name, value in query.items())
    parts = urlsplit(webhook_url.partition("#")[0])
    if not parts.hostname:
        raise WebhookRefused(503, "secret_missing", "This channel has no webhook address yet.")
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    addresses = {
        urlunsplit(parts._replace(netloc=netloc, query=parts.query or tail))
        for netloc in (parts.netloc, parts.hostname, f"{parts.hostname}:{port}")
    }
    return sorted(addresses)


def _secret(credentials: dict, name: str) -> bytes:
    """An empty key makes a signature that everybody can compute."""
    if not credentials.get(name):
        raise WebhookRefused(503, "secret_missing", f"This channel has no {name} yet.")
    return credentials[name].encode()


def _wrong(sentence: str) -> WebhookRefused:
    return WebhookRefused(401, "signature_wrong", sentence)
