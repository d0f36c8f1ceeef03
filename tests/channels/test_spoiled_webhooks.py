"""Messenger, Telegram and Twilio with any one part of a webhook replaced by junk: always read."""

import copy
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from f.channels import registry
from f.channels.messages import Item, Request

JUNK = (None, True, 0, -1e308, "", "x" * 9000, [], [[]], [None], {}, {"id": {}})

CONTACT, PAGE = {"id": "9"}, {"id": "1"}
EVENTS = [
    {"message": {"mid": "m", "text": "Hi", "reply_to": {"mid": "m0"}}},
    {"message": {"mid": "m", "quick_reply": {"payload": "p"}, "text": "Red"}},
    {"message": {"mid": "m", "is_echo": True, "app_id": 7, "metadata": "r", "text": "Hi"}},
    {"message": {"mid": "m", "attachments": [{"type": "image", "payload": {"url": "https://a"}}]}},
    {"message": {"mid": "m", "attachments": [{"type": "fallback", "title": "t", "payload": None}]}},
    {
        "message": {
            "mid": "m",
            "attachments": [
                {"type": "location", "payload": {"coordinates": {"lat": 1, "long": 2}}}
            ],
        }
    },
    {"message": {"mid": "m", "sticker_id": 3, "attachments": [{"type": "sticker"}]}},
    {"message_edit": {"mid": "m", "text": "t", "num_edit": 1}},
    {"postback": {"title": "t", "payload": "p", "referral": {"ref": "r", "source": "ADS"}}},
    {"reaction": {"mid": "m", "emoji": "e", "action": "react"}},
    {"delivery": {"mids": ["m"], "watermark": 1}},
    {"read": {"watermark": 1}},
    {"pass_thread_control": {"new_owner_app_id": 7}},
    {"policy-enforcement": {"action": "block"}},
]
CHAT = {"message_id": 1, "date": 1, "chat": {"id": -5, "type": "supergroup"}, "from": {"id": 5}}
MENTION = {"type": "mention", "offset": 0, "length": 2}
UPDATES = [
    {
        "message": {
            **CHAT,
            "text": "@a hi",
            "entities": [{"type": "mention", "offset": 0, "length": 2}],
        }
    },
    {"message": {**CHAT, "photo": [{"file_id": "f", "width": 9}], "caption": "c"}},
    {"message": {**CHAT, "voice": {"file_id": "f", "duration": 1}, "media_group_id": "g"}},
    {"message": {**CHAT, "venue": {"title": "t", "location": {"latitude": 1, "longitude": 2}}}},
    {"message": {**CHAT, "text": "x", "reply_to_message": {"message_id": 2}}},
    {"message": {**CHAT, "text": "x", "forward_origin": {"sender_user": {"first_name": "n"}}}},
    {"edited_message": {**CHAT, "text": "x"}},
    {"callback_query": {"id": "1", "from": {"id": 5}, "data": "d", "message": CHAT}},
    {
        "my_chat_member": {
            "chat": {"id": 5, "type": "private"},
            "new_chat_member": {"status": "kicked"},
        }
    },
]
FORMS = [
    {"MessageSid": "SM1", "From": "whatsapp:+551100", "To": "whatsapp:+14", "Body": "Hi"},
    {"MessageSid": "SM1", "From": "whatsapp:+55110", "MediaUrl0": "u", "MediaContentType0": "a/b"},
    {"MessageSid": "SM1", "From": "whatsapp:+551100", "Latitude": "1", "Longitude": "2"},
    {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "63016"},
    {"EventType": "onMessageAdded", "ConversationSid": "CH1", "MessageSid": "IM1",
     "Author": "whatsapp:+551100", "Media": '[{"Sid": "ME1", "ContentType": "image/png"}]',
     "DateCreated": "2026-09-25T20:30:00.000Z"},
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: next(iter(event)))
def test_w17_a_spoiled_event_of_messenger_is_read(event):
    event = {"sender": CONTACT, "recipient": PAGE, "timestamp": 1, **event}
    whole = {"object": "page", "entry": [{"id": "1", "messaging": [event]}]}

    for spoiled in _spoiled(whole):
        _read("messenger", json.dumps(spoiled).encode())


@pytest.mark.parametrize("update", UPDATES, ids=lambda update: next(iter(update)))
def test_w17_a_spoiled_update_of_telegram_is_read(update):
    for spoiled in _spoiled({"update_id": 1, **update}):
        _read("telegram", json.dumps(spoiled).encode())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: next(reversed(form)))
def test_w13_w17_a_spoiled_form_of_twilio_is_read(form):
    for name in form:
        for junk in ("", "x" * 9000, "\0", "[", "[null]", "é", "whatsapp:"):
            _read("twilio", urlencode({**form, name: junk}).encode())
        _read("twilio", urlencode({key: form[key] for key in form if key != name}).encode())


def _read(kind: str, body: bytes) -> None:
    for delivery in registry.library(kind).parse(Request(body)):
        assert delivery.items
        assert all(isinstance(item, Item) for item in delivery.items)


def _spoiled(whole: dict) -> Iterator[dict]:
    for place in list(_places(whole)):
        for junk in JUNK:
            spoiled = copy.deepcopy(whole)
            parent = spoiled
            for key in place[:-1]:
                parent = parent[key]
            parent[place[-1]] = junk
            yield spoiled


def _places(value: object, above: tuple = ()) -> Iterator[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in inner:
        yield (*above, key)
        if isinstance(child, dict | list):
            yield from _places(child, (*above, key))
