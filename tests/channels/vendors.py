"""Channels of each kind in a test's database, and webhooks to them through the real steps."""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

from f.channels import receive_webhook
from f.channels.accounts import sealing_place
from f.channels.registry import library
from f.shared.crypto import seal
from tests.conftest import CHATBOT_ID, ORGANIZATION_ID, SEALING_KEY

WEBHOOK_URL = "https://bot.example.com/api/r/chatmill"
CREDENTIALS = {
    "whatsapp": {"app_secret": "app secret", "verify_token": "verify", "access_token": "EAAtoken"},
    "messenger": {
        "app_secret": "app secret",
        "verify_token": "verify",
        "access_token": "EAAtoken",
        "app_id": "77",
    },
    "telegram": {"bot_token": "4242:AAbottoken", "secret_token": "tenant42_Secret-Token"},
    "twilio": {"account_sid": "AC1", "auth_token": "twilio token"},
}


def add_channel(query, kind: str, account_id: str, credentials: dict | None = None, **columns):
    """A channel of the demo's organization; its id. The address ends in `kind-account_id`."""
    url_key = f"{kind}-{account_id}".replace("+", "")
    values = {
        "organization_id": ORGANIZATION_ID,
        "chatbot_id": CHATBOT_ID,
        "kind": kind,
        "name": kind,
        "url_key": url_key,
        "account_id": account_id,
        "webhook_url": f"{WEBHOOK_URL}/{url_key}",
        "after_silence": library(kind).RULES.after_silence,
        **{key: json.dumps(one) if isinstance(one, dict) else one for key, one in columns.items()},
    }
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    [(channel_id,)] = query(
        f"insert into channels ({names}) values ({places}) returning id::text", *values.values()
    )
    set_credentials(query, channel_id, credentials or CREDENTIALS[kind])
    return channel_id


def set_credentials(query, channel_id: str, credentials: dict) -> None:
    sealed = seal(SEALING_KEY, json.dumps(credentials), sealing_place(channel_id))
    query("update channels set sealed_credentials = %s where id = %s", sealed, channel_id)


def deliver(url_key: str, raw: bytes, headers: dict[str, str], query: dict | None = None) -> dict:
    """What the vendor gets in answer."""
    event = {
        "params": {"channel": url_key},
        "raw_string": raw.decode(),
        "headers": headers,
        "query": query or {},
    }
    return receive_webhook.main(**receive_webhook.preprocessor(event))


def post(kind: str, account_id: str, body: dict, query: dict | None = None) -> dict:
    """A webhook with the vendor's own proof, for a channel that add_channel() made."""
    url_key = f"{kind}-{account_id}".replace("+", "")
    raw = urlencode(body).encode() if kind == "twilio" else json.dumps(body).encode()
    return deliver(url_key, raw, _proof(kind, url_key, body, raw, query or {}), query)


def _proof(kind: str, url_key: str, body: dict, raw: bytes, query: dict) -> dict[str, str]:
    secrets = CREDENTIALS[kind]
    if kind == "telegram":
        return {"x-telegram-bot-api-secret-token": secrets["secret_token"]}
    if kind == "twilio":
        url = f"{WEBHOOK_URL}/{url_key}" + (f"?{urlencode(query)}" if query else "")
        text = url + "".join(f"{name}{body[name]}" for name in sorted(body))
        signed = hmac.new(secrets["auth_token"].encode(), text.encode(), hashlib.sha1).digest()
        return {"x-twilio-signature": base64.b64encode(signed).decode()}
    digest = hmac.new(secrets["app_secret"].encode(), raw, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}
