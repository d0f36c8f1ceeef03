"""WhatsApp Cloud API: prove a webhook, read it, send text.

Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import hashlib
import hmac
import re

from f.channels.messages import WebhookRefused
from f.channels.whatsapp_parsing import parse
from f.channels.whatsapp_sending import send_text, split_text

__all__ = ["handshake", "parse", "send_text", "split_text", "verify"]

# Meta sends digits. Windmill resolves `$var:` strings in a query, so anything else might be a
# secret that a stranger asked for, and would be echoed to them.
CHALLENGE = re.compile("[0-9]{1,64}")
SIGNATURE = re.compile("sha256=([0-9a-f]{64})")


def handshake(query: dict, credentials: dict) -> str:
    """The challenge that Meta wants back, as plain text, before it posts anything."""
    verify_token = credentials.get("verify_token") or ""
    offered, challenge = str(query.get("hub.verify_token")), str(query.get("hub.challenge"))
    is_ours = bool(verify_token) and hmac.compare_digest(offered.encode(), verify_token.encode())
    is_asked = query.get("hub.mode") == "subscribe" and CHALLENGE.fullmatch(challenge)
    if not (is_ours and is_asked):
        raise WebhookRefused(403, "handshake_refused", "The verify token is not this channel's.")
    return challenge


def verify(raw: bytes, headers: dict[str, str], credentials: dict) -> None:
    """Only who holds the app secret can have signed these very bytes.

    `headers` have lower-case names. Bytes and not parsed JSON: Meta signs the escapes it wrote.
    """
    app_secret = credentials.get("app_secret")
    if not app_secret:
        # An empty key makes a signature that everybody can compute.
        raise WebhookRefused(503, "secret_missing", "This channel has no app secret yet.")
    signature = SIGNATURE.fullmatch(headers.get("x-hub-signature-256", ""))
    expected = hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    if signature is None or not hmac.compare_digest(signature[1], expected):
        raise WebhookRefused(401, "signature_wrong", "The signature is not of this app and body.")
