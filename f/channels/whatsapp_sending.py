"""Send text through WhatsApp Cloud and say what a refusal means.

Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages and, for the
codes, https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

import re
from urllib.parse import quote

from f.channels.text import split
from f.channels.vendor_json import identifier, items, mapping, object_in, words
from f.shared.errors import (
    ChatmillError,
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamError,
    UpstreamRefused,
)
from f.shared.http import request

TEXT_LIMIT = 4096
GRAPH_URL = "https://graph.facebook.com"
GRAPH_VERSION = "v26.0"  # Meta keeps a version for about two years

BSUID = re.compile(r"[A-Z]{2}\.")

TRY_LATER = (1, 2, 131000, 131016, 133004)
TOO_FAST = (4, 80007, 130429, 131056, 131057, 131208)
NEEDS_A_PERSON = (
    *(0, 3, 10, 33, 190, 368),  # token, permission, wrong phone number id, policy
    *range(200, 300),  # permission
    *(131005, 131031, 131037, 131042, 131044, 131045, 133010),  # account, payment, registration
)
ERROR_CLASSES: dict[str, type[ChatmillError]] = (
    dict.fromkeys(map(str, TRY_LATER), UpstreamDown)
    | dict.fromkeys(map(str, TOO_FAST), UpstreamBusy)
    | dict.fromkeys(map(str, NEEDS_A_PERSON), Misconfigured)
)


def split_text(text: str) -> list[str]:
    return split(text, TEXT_LIMIT)


def send_text(credentials: dict, to: str, text: str, client_reference: str) -> str:
    """Send one message; the id that comes back is Meta's word of acceptance, not of delivery.

    `credentials` hold access_token and phone_number_id, and may hold api_url and api_version.
    `client_reference` comes back in every status of the message.
    """
    if not credentials.get("access_token"):
        raise Misconfigured(f"Number {credentials['phone_number_id']} has no access token yet.")
    try:
        answer = request(
            "POST",
            _messages_url(credentials),
            headers={"authorization": f"Bearer {credentials['access_token']}"},
            json=_message(to, text, client_reference),
        )
    except (UpstreamDown, UpstreamBusy, UpstreamRefused) as exc:
        if exc.status is None:
            raise
        raise _refusal(credentials["phone_number_id"], exc) from exc
    return _message_id(answer.body)


def _messages_url(credentials: dict) -> str:
    base = (credentials.get("api_url") or GRAPH_URL).rstrip("/")
    version = credentials.get("api_version") or GRAPH_VERSION
    return f"{base}/{version}/{quote(credentials['phone_number_id'], safe='')}/messages"


def _message(to: str, text: str, client_reference: str) -> dict:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "recipient" if BSUID.match(to) else "to": to,
        "type": "text",
        "text": {"body": text, "preview_url": False},
        "biz_opaque_callback_data": client_reference,
    }


def _message_id(body: bytes) -> str:
    messages = items(object_in(body).get("messages"))
    message_id = identifier(mapping(messages[0]).get("id")) if messages else None
    if message_id is None:
        raise DeliveryUnknown("WhatsApp took the message and gave no id for it.")
    return message_id


def _refusal(phone_number_id: str, exc: UpstreamError) -> ChatmillError:
    """Decides on Meta's code: the HTTP status says less, the message text changes."""
    error = mapping(object_in(exc.body).get("error"))
    code = _code_of(error)
    if code is None:
        return _unexplained(exc)
    sentence = f"WhatsApp refused a message from number {phone_number_id}: error {code}"
    error_class = ERROR_CLASSES.get(code, UpstreamRefused)
    if error_class is Misconfigured:
        # Without Meta's own words: those of a broken token repeat the token.
        return Misconfigured(f"{sentence}. The channel's settings need a person.")
    details = words(mapping(error.get("error_data")).get("details"), 200)
    return error_class(f"{sentence}. {details}".rstrip(), status=exc.status, code=code)


def _code_of(error: dict) -> str | None:
    """100 is any wrong parameter, but with subcode 33 the phone number id is not ours."""
    code = identifier(error.get("code"))
    is_unknown_number = code == "100" and identifier(error.get("error_subcode")) == "33"
    return "33" if is_unknown_number else code


def _unexplained(exc: UpstreamError) -> UpstreamError:
    """A 5xx that is not Graph's own came from a gateway, which may have passed the call on."""
    error_class = DeliveryUnknown if isinstance(exc, UpstreamDown) else type(exc)
    return error_class(f"WhatsApp answered {exc.status} without a code.", status=exc.status)
