"""Post a signed event to an organization's own address: the only code that knows the form.

https://www.standardwebhooks.com; the addresses are strangers', so only public ones are reached.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import ssl

import f.shared.safe_fetch as safe_fetch
from f.shared.errors import InputRefused, Misconfigured
from f.shared.internet import Internet, ask
from f.shared.web_addresses import read_url

SECRET_PREFIX = "whsec_"
SECONDS = 15  # claim_outgoing_event keeps others away for longer (db/migrations)
GONE = 410


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`secret`: whsec_ and base64 of the key. Raises Misconfigured when it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise Misconfigured("a webhook endpoint's secret is not base64") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def body_of(kind: str, created_at: str, data: dict) -> bytes:
    event = {"type": kind, "timestamp": created_at, "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def post(
    url: str,
    secret: str,
    message_id: str,
    timestamp: int,
    body: bytes,
    internet: Internet | None = None,
) -> int | None:
    """The status that was answered; None where nobody public answered in time. Redirects are not
    followed: their target was not named by the organization."""
    internet = internet or safe_fetch.INTERNET
    headers = {
        "content-type": "application/json",
        "user-agent": "chatmill",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
    try:
        target = read_url(url)
        safe_fetch.check_host(target, safe_fetch.Rules())
        with internet.connect(target, internet.deadline(SECONDS)) as connection:
            return ask(connection, target, "POST", headers, body).status
    except (InputRefused, TimeoutError, OSError, ssl.SSLError, http.client.HTTPException):
        return None
