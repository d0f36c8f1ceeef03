"""Send text, options and signs of life through WhatsApp Cloud.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

import re

import f.channels.dialects as dialects
import f.channels.graph as graph
import f.channels.markdown as markdown
from f.channels.messages import Recipient
from f.channels.options import Option, numbered, taken_apart
from f.channels.rules import Rate, Rules
from f.channels.splitting import split_markdown
from f.channels.vendor_json import identifier, items, mapping
from f.channels.whatsapp_codes import CODES
from f.shared.errors import DeliveryUnknown, Misconfigured

TEXT_LIMIT = 4096
INTERACTIVE_LIMIT = 1024
MOST_BUTTONS, BUTTON_LIMIT = 3, 20
MOST_ROWS, ROW_LIMIT = 10, 24
LIST_LABEL = "☰"

BSUID = re.compile(r"[A-Z]{2}\.")

# To one contact 1 message in 6 s, of which 45 may be borrowed; a number 80 a second.
RULES = Rules(window_hours=24, pair=Rate(1 / 6, 45), account=Rate(80, 80), typing_seconds=24)


def split_text(text: str) -> list[str]:
    return split_markdown(text, TEXT_LIMIT, dialects.whatsapp, shows_options=False)


def send_text(credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
    """Send one message; the id that comes back is Meta's word of acceptance, not of delivery.

    `client_reference` comes back in every status of the message.
    """
    message = _addressed(to) | {"biz_opaque_callback_data": client_reference}
    if to.is_group and to.reply_to:
        message["context"] = {"message_id": to.reply_to}
    return _message_id(_post(credentials, message | _content(text, to.is_group)))


def send_template(credentials: dict, to: Recipient, template: dict, client_reference: str) -> str:
    """`template`: {name, language}, approved by Meta, without variables."""
    name, language = template.get("name"), template.get("language")
    if not (name and language):
        raise Misconfigured(
            "The channel's template has no name or language.", "template_incomplete"
        )
    message = _addressed(to) | {
        "biz_opaque_callback_data": client_reference,
        "type": "template",
        "template": {"name": name, "language": {"code": language}},
    }
    return _message_id(_post(credentials, message))


def _message_id(answer: dict) -> str:
    messages = items(answer.get("messages"))
    message_id = identifier(mapping(messages[0]).get("id")) if messages else None
    if message_id is None:
        raise DeliveryUnknown("WhatsApp took the message and gave no id for it.")
    return message_id


def show_typing(credentials: dict, to: Recipient) -> None:
    """Marks the contact's message as read and shows that an answer comes. Groups have neither."""
    if to.is_group or not to.reply_to:
        return
    _post(
        credentials,
        {"status": "read", "message_id": to.reply_to, "typing_indicator": {"type": "text"}},
    )


def _post(credentials: dict, body: dict) -> dict:
    body = {"messaging_product": "whatsapp", **body}
    return graph.call(credentials, "POST", "/messages", body, CODES, "WhatsApp")


def _addressed(to: Recipient) -> dict:
    if to.is_group:
        return {"recipient_type": "group", "to": to.address}
    is_id = BSUID.match(to.address)
    return {"recipient_type": "individual", "recipient" if is_id else "to": to.address}


def _content(text: str, is_group: bool) -> dict:
    """Groups get no buttons, and neither do titles that do not fit."""
    words, options = taken_apart(text)
    body = dialects.whatsapp(markdown.read(words))
    if options and body and not is_group and len(body) <= INTERACTIVE_LIMIT:
        action = _buttons(options) or _list(options)
        if action:
            return {"type": "interactive", "interactive": {"body": {"text": body}, **action}}
    text = "\n".join(part for part in (body, numbered(options)) if part)
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _buttons(options: list[Option]) -> dict | None:
    if len(options) > MOST_BUTTONS or _longest(options) > BUTTON_LIMIT:
        return None
    buttons = [
        {"type": "reply", "reply": {"id": f"option:{number}", "title": option.title}}
        for number, option in enumerate(options, 1)
    ]
    return {"type": "button", "action": {"buttons": buttons}}


def _list(options: list[Option]) -> dict | None:
    if len(options) > MOST_ROWS or _longest(options) > ROW_LIMIT:
        return None
    rows = [
        {"id": f"option:{number}", "title": option.title}
        for number, option in enumerate(options, 1)
    ]
    return {"type": "list", "action": {"button": LIST_LABEL, "sections": [{"rows": rows}]}}


def _longest(options: list[Option]) -> int:
    return max(len(option.title) for option in options)
