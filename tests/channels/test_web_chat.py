"""Our own web chat: who writes is proved by an id that only the visitor's browser has."""

import hashlib
import json

import pytest

from f.channels.messages import Delivery, InboundMessage, Recipient, Request, WebhookRefused
from f.channels.web import (
    RepliesWanted,
    handshake,
    parse,
    parse_query,
    send_text,
    split_text,
    verify,
)

VISITOR_ID = "v1_" + "Kq3-" * 10
CONTACT_KEY = hashlib.sha256(VISITOR_ID.encode()).hexdigest()
MESSAGE_ID = "6a1f2c3d-0000-4000-8000-00000000000a"


def test_a_post_becomes_a_message_of_the_channel_it_came_to():
    assert parse(_request()) == [
        Delivery(
            None,
            [
                InboundMessage(
                    provider_message_id=f"{CONTACT_KEY[:16]}:{MESSAGE_ID}",
                    contact_key=CONTACT_KEY,
                    kind="text",
                    text="Do you ship to Malta?",
                )
            ],
        )
    ]


def test_the_visitors_id_is_a_secret_and_is_not_kept():
    assert VISITOR_ID not in repr(parse(_request()))


def test_the_same_message_id_of_another_visitor_is_another_message():
    mine, theirs = (
        parse(_request(visitor_id=visitor))[0].items[0].provider_message_id
        for visitor in (VISITOR_ID, "w" * 32)
    )

    assert mine != theirs


def test_a_message_id_counts_in_either_case():
    assert parse(_request(message_id=MESSAGE_ID.upper())) == parse(_request())


def test_text_is_cleaned_and_what_looks_like_a_reference_is_only_text():
    message = parse(_request(text=" $res:f/chat/app_database\0 "))[0].items[0]

    assert message.text == "$res:f/chat/app_database"


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"visitor_id": None}, "visitor_id_wrong"),
        ({"visitor_id": "short"}, "visitor_id_wrong"),
        ({"visitor_id": "v" * 129}, "visitor_id_wrong"),
        ({"visitor_id": VISITOR_ID + "\n"}, "visitor_id_wrong"),
        ({"visitor_id": [VISITOR_ID]}, "visitor_id_wrong"),
        ({"message_id": "1"}, "message_id_wrong"),
        ({"message_id": 7}, "message_id_wrong"),
        ({"text": None}, "text_missing"),
        ({"text": " \0\n"}, "text_missing"),
        ({"text": "x" * 4001}, "text_too_long"),
    ],
)
def test_a_wrong_post_is_refused_with_what_is_wrong(changed, code):
    with pytest.raises(WebhookRefused) as refused:
        parse(_request(**changed))

    assert (refused.value.status, refused.value.code) == (400, code)


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"null"])
def test_json_that_is_no_object_is_refused(raw):
    with pytest.raises(WebhookRefused):
        parse(Request(raw))


def test_a_text_may_have_four_thousand_characters():
    assert len(parse(_request(text="😀" * 4000))[0].items[0].text) == 4000


def test_a_body_over_64_kilobytes_is_refused_before_it_is_read():
    verify(Request(b" " * 65_536), {})

    with pytest.raises(WebhookRefused) as refused:
        verify(Request(b" " * 65_537), {})

    assert (refused.value.status, refused.value.code) == (413, "body_too_large")


def test_a_visitor_asks_for_the_replies_after_a_position():
    assert parse_query({"visitor_id": VISITOR_ID}) == RepliesWanted(CONTACT_KEY, 0)
    assert parse_query({"visitor_id": VISITOR_ID, "after": "17"}).after == 17


@pytest.mark.parametrize("after", ["-1", "1.5", "last", "9" * 19, 17])
def test_a_position_that_is_none_is_refused(after):
    with pytest.raises(WebhookRefused) as refused:
        parse_query({"visitor_id": VISITOR_ID, "after": after})

    assert refused.value.code == "after_wrong"


def test_nobody_reads_replies_without_the_visitors_id():
    with pytest.raises(WebhookRefused):
        parse_query({"visitor_id": CONTACT_KEY[:20]})


def test_a_reply_is_sent_by_being_stored():
    assert send_text({}, Recipient(CONTACT_KEY), "Yes.", "reference-1") == "reference-1"
    assert split_text("Yes.") == ["Yes."]


def test_there_is_no_handshake():
    with pytest.raises(WebhookRefused) as refused:
        handshake({}, {})

    assert refused.value.status == 405


def _request(**changed) -> Request:
    post = {"visitor_id": VISITOR_ID, "message_id": MESSAGE_ID, "text": "Do you ship to Malta?"}
    return Request(json.dumps(post | changed).encode())
