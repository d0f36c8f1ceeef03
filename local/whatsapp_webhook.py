"""What Meta would post: a webhook with one text message, and its signature over the very bytes."""

import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass

import urllib3

PHONE_NUMBER_ID = re.compile(rb'"phone_number_id"\s*:\s*"([^"\\]+)"')


@dataclass(frozen=True)
class Answered:
    status: int
    body: str
    seconds: float


def text_message(phone_number_id: str, text: str, wa_id: str, name: str = "Ada") -> bytes:
    """Escapes what is not ASCII, as Meta does."""
    message = {
        "from": wa_id,
        "id": f"wamid.{secrets.token_hex(20).upper()}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "351210000000",
            "phone_number_id": phone_number_id,
        },
        "contacts": [{"profile": {"name": name}, "wa_id": wa_id}],
        "messages": [message],
    }
    entry = {"id": "100000000000000", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def phone_number_id_in(payload: bytes) -> str | None:
    found = PHONE_NUMBER_ID.search(payload)
    return found[1].decode(errors="replace") if found else None


def signature(payload: bytes, app_secret: str) -> dict[str, str]:
    digest = hmac.new(app_secret.encode(), payload, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


def post_signed(url: str, payload: bytes, app_secret: str) -> Answered:
    headers = {"content-type": "application/json", **signature(payload, app_secret)}
    started = time.perf_counter()
    answer = urllib3.request("POST", url, body=payload, headers=headers, retries=False, timeout=60)
    seconds = time.perf_counter() - started
    return Answered(answer.status, answer.data.decode(errors="replace"), seconds)
