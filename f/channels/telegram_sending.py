"""Send text, buttons and signs of life through Telegram, and say what a refusal means.

Source: https://core.telegram.org/bots/api#sendmessage
"""

import f.channels.dialects as dialects
import f.channels.markdown as markdown
from f.channels.messages import Recipient
from f.channels.options import Option, numbered, taken_apart
from f.channels.refusals import Codes, refusal
from f.channels.rich_text import RichText, utf16_length
from f.channels.rules import Rate, Rules
from f.channels.splitting import split_markdown
from f.channels.telegram import BUTTON_PREFIX
from f.channels.vendor_json import identifier, mapping, object_in, words
from f.shared.errors import (
    ChatmillError,
    DeliveryUnknown,
    Misconfigured,
    UpstreamError,
    UpstreamRefused,
)
from f.shared.http import request

API_URL = "https://api.telegram.org"
TEXT_LIMIT = 4096
BUTTON_BYTES = 64

CODES = Codes(
    later=("500", "502", "503", "504"),
    too_fast=("429",),
    needs_a_person=("401", "404", "409"),  # the token is revoked, or somebody else polls
    gone=("403",),
)

# Telegram sends no receipts, so nobody could tell a lost message from a delivered one.
RULES = Rules(
    pair=Rate(1, 3),
    group=Rate(10 / 60, 10),  # Telegram takes twenty in any minute
    account=Rate(30, 30),
    after_silence="unknown",
    typing_seconds=4,
)


class EntitiesRefused(UpstreamRefused):
    """Telegram reads our marks otherwise than we do: nothing was sent."""


class GroupMoved(UpstreamRefused):
    """The group became a supergroup: nothing was sent, and it goes on under another id."""

    def __init__(self, chat_id: int):
        super().__init__("Telegram moved the group.", status=400)
        self.chat_id = chat_id


def split_text(text: str) -> list[str]:
    return split_markdown(text, TEXT_LIMIT, lambda rich: rich.text, shows_options=False)


def send_text(credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
    """Send one message, its marks as entities, which no sign in the text can break."""
    message = _addressed(to) | _content(text) | {"link_preview_options": {"is_disabled": True}}
    if to.is_group and to.reply_to and not to.reply_to.startswith(BUTTON_PREFIX):
        message["reply_parameters"] = {
            "message_id": int(to.reply_to.rpartition(":")[2]),
            "allow_sending_without_reply": True,
        }
    answer = _send(credentials, message, text)
    message_id = identifier(mapping(answer.get("result")).get("message_id"))
    if message_id is None:
        raise DeliveryUnknown("Telegram took the message and gave no id for it.")
    return f"{message['chat_id']}:{message_id}"


def _send(credentials: dict, message: dict, text: str) -> dict:
    """What Telegram refused for these two reasons it surely did not send: once again, mended."""
    try:
        return call(credentials, "sendMessage", message)
    except GroupMoved as moved:
        message["chat_id"] = moved.chat_id
    except EntitiesRefused:
        message.pop("entities", None)
        message.update(_content(text, with_marks=False))
    return call(credentials, "sendMessage", message)


def show_typing(credentials: dict, to: Recipient) -> None:
    call(credentials, "sendChatAction", _addressed(to) | {"action": "typing"})


def call(credentials: dict, method: str, body: dict) -> dict:
    """The address holds the bot's token: it is never logged, nor in an error."""
    token = credentials.get("bot_token")
    if not token:
        raise Misconfigured(f"bot {credentials['account_id']} has no token yet.")
    base = (credentials.get("api_url") or API_URL).rstrip("/")
    try:
        answer = request("POST", f"{base}/bot{token}/{method}", json=body)
    except UpstreamError as exc:
        if exc.status is None:
            raise
        raise _refusal(credentials, exc) from exc
    return object_in(answer.body)


def _refusal(credentials: dict, exc: UpstreamError) -> ChatmillError:
    """How long to wait stands in the body; a group that became a supergroup names its new id."""
    body = object_in(exc.body)
    parameters = mapping(body.get("parameters"))
    moved_to = parameters.get("migrate_to_chat_id")
    if isinstance(moved_to, int) and not isinstance(moved_to, bool):
        return GroupMoved(moved_to)
    seconds = parameters.get("retry_after")
    if isinstance(seconds, int) and not isinstance(seconds, bool):
        exc.retry_after_seconds = seconds
    code = identifier(body.get("error_code"))
    description = words(body.get("description"), 200)
    if code == "400" and "chat not found" in description.lower():
        code = "403"
    if code == "400" and "can't parse" in description.lower():
        return EntitiesRefused("Telegram could not read our marks.", status=400, code=code)
    return refusal(CODES, "Telegram", credentials, exc, code, description)


def _addressed(to: Recipient) -> dict:
    chat_id, _, topic = to.address.partition("/")
    return {"chat_id": int(chat_id)} | ({"message_thread_id": int(topic)} if topic else {})


def _content(text: str, with_marks: bool = True) -> dict:
    words_said, options = taken_apart(text)
    rich = markdown.read(words_said)
    body, entities = dialects.telegram(rich) if with_marks else (_plain(rich), [])
    keyboard = _keyboard(options) if body else None
    if options and not keyboard:
        body = "\n".join(part for part in (body, numbered(options)) if part)
    return (
        {"text": body}
        | ({"entities": entities} if entities else {})
        | ({"reply_markup": {"inline_keyboard": keyboard}} if keyboard else {})
    )


def _plain(rich: RichText) -> str:
    """With the addresses of links behind their words, where there is room for them."""
    text = dialects.plain(rich)
    return text if utf16_length(text) <= TEXT_LIMIT else rich.text


def _keyboard(options: list[Option]) -> list | None:
    """What comes back of a pressed button is its data: the title itself, where it fits."""
    if any(len(option.title.encode()) > BUTTON_BYTES for option in options):
        return None
    return [[{"text": option.title, "callback_data": option.title}] for option in options] or None
