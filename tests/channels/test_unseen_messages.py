"""What contacts see and we are not shown: kept as such, so that they are told, on every channel."""

import json
from urllib.parse import urlencode

import pytest

from f.channels import registry
from f.channels.content import UNSEEN
from f.channels.messages import Ignored, InboundMessage, Request

CHAT = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}}
FORM = {"MessageSid": "SM1", "From": "whatsapp:+551100", "To": "whatsapp:+14", "Body": ""}


def _telegram(**content) -> bytes:
    return json.dumps({"update_id": 1, "message": {**CHAT, **content}}).encode()


def _messenger(*attachments: dict, **message) -> bytes:
    message = {"mid": "m", **message} | ({"attachments": [*attachments]} if attachments else {})
    event = {"sender": {"id": "9"}, "recipient": {"id": "1"}, "message": message}
    return json.dumps({"object": "page", "entry": [{"id": "1", "messaging": [event]}]}).encode()


def _whatsapp(**message) -> bytes:
    message = {"from": "15550001", "id": "wamid.1", "type": "unsupported", **message}
    value = {"metadata": {"phone_number_id": "100"}, "messages": [message]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def read(kind: str, body: bytes):
    [delivery] = registry.library(kind).parse(Request(body))
    return delivery.items[0]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("telegram", _telegram(poll={"question": "Tea or coffee?", "options": []})),
        ("telegram", _telegram(dice={"emoji": "🎲", "value": 4})),
        ("telegram", _telegram(story={"id": 1, "chat": {"id": 5}})),
        ("telegram", _telegram(game={"title": "Snake"})),
        ("messenger", _messenger({"type": "appointment_booking", "payload": {}})),
        ("messenger", _messenger({"type": "fallback", "payload": None})),
        ("messenger", _messenger({"type": "reel", "payload": {}})),
        ("messenger", _messenger({"type": "unheard_of"})),
        ("whatsapp", _whatsapp(errors=[{"code": 131060}])),
        ("whatsapp", _whatsapp(unsupported={"type": "poll_creation"}, errors=[{"code": 131051}])),
        ("whatsapp", _whatsapp(unsupported={"type": "kind_of_the_future"})),
        ("twilio", urlencode({**FORM, "MessageType": "order"}).encode()),
    ],
)
def test_what_we_are_not_shown_is_kept_so_that_the_contact_is_told(kind, body):
    message = read(kind, body)

    assert isinstance(message, InboundMessage)
    assert (message.kind, message.media["type"], message.text) == ("media", UNSEEN, "")


def test_words_beside_it_are_kept():
    message = read("messenger", _messenger({"type": "unheard_of"}, text="This one?"))

    assert (message.media["type"], message.text) == (UNSEEN, "This one?")


def test_a_reel_or_a_post_is_its_title_and_its_address():
    reel = {"type": "reel", "payload": {"url": "https://fb.example/r", "title": "Chairs"}}
    post = {"type": "post", "payload": {"url": "https://fb.example/p"}}

    assert read("messenger", _messenger(reel)).text == "Chairs\nhttps://fb.example/r"
    assert read("messenger", _messenger(post, text="This?")).text == "This?\nhttps://fb.example/p"


def test_a_link_that_nothing_is_shown_of_is_what_the_contact_wrote():
    link = {"type": "fallback", "payload": None}
    message = read("messenger", _messenger(link, text="https://shop.example/chair?"))

    assert (message.kind, message.text) == ("text", "https://shop.example/chair?")


def test_a_link_is_not_said_twice():
    link = {"type": "fallback", "payload": {"url": "https://shop.example", "title": "Chairs"}}

    message = read("messenger", _messenger(link, text="This? https://shop.example"))

    assert message.text == "This? https://shop.example\nChairs"


@pytest.mark.parametrize(
    "payload",
    [
        {"product": {"elements": [{"id": "1", "title": "Blue chair", "subtitle": "€ 40"}]}},
        {"template_type": "generic", "elements": [{"title": "Blue chair", "subtitle": "€ 40"}]},
        {"template_type": "button", "text": "Blue chair: € 40", "buttons": []},
    ],
)
def test_a_product_or_a_template_is_what_stands_on_it(payload):
    message = read("messenger", _messenger({"type": "template", "payload": payload}))

    assert (message.kind, message.text) == ("text", "Blue chair: € 40")


def test_a_file_beside_a_link_is_not_lost():
    link = {"type": "fallback", "title": "Chairs"}
    image = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/1"}}

    message = read("messenger", _messenger(link, image))

    assert (message.media["type"], message.text) == ("image", "Chairs")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("telegram", _telegram(chat_background_set={"type": {}})),
        ("telegram", _telegram(gift={"gift": {}})),
        ("messenger", _messenger()),
        ("whatsapp", _whatsapp(unsupported={"type": "edit"})),
        ("whatsapp", _whatsapp(unsupported={"type": "keep_in_chat"})),
        ("whatsapp", _whatsapp(unsupported={"type": "hsm"})),
        ("whatsapp", _whatsapp(errors=[{"code": 131051}])),
        ("whatsapp", _whatsapp()),
        ("whatsapp", _whatsapp(type="request_welcome")),
        ("twilio", urlencode(FORM).encode()),
        ("twilio", urlencode({**FORM, "MessageType": "text"}).encode()),
    ],
)
def test_what_nobody_wrote_is_answered_by_nobody(kind, body):
    assert isinstance(read(kind, body), Ignored)


def test_an_edit_into_something_unseen_leaves_our_copy():
    edit = {"original_message_id": "wamid.0", "message": {"type": "unsupported"}}

    assert isinstance(read("whatsapp", _whatsapp(type="edit", edit=edit)), Ignored)
