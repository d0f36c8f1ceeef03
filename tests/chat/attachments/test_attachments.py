"""Files that contacts send: looked at, heard or read; what the contact is told of the others."""

import base64
import json

import pytest

from f.chat.attachments import MOST_PICTURES
from f.chat.file_notices import NOTICES, notice
from tests.chat.attachments.contact_files import (
    OGG,
    PNG,
    asked,
    post_to_whatsapp,
)
from tests.scripted_model import says


def test_more_than_ten_files_at_once_are_not_read(says_by_whatsapp, turn_of, model, query):
    model.will(says("Many chairs."))
    for number in range(1, 13):
        conversation_id = says_by_whatsapp("image", PNG, number=number)

    assert turn_of(conversation_id) == [NOTICES["en"]["media_too_many"], "Many chairs."]
    assert query("select state, count(*) from attachments group by 1 order by 1") == [
        ("read", 10),
        ("refused", 2),
    ]
    pictures = [part for part in asked(model) if part["type"] == "image_url"]
    assert len(pictures) == MOST_PICTURES


def test_a_recording_of_more_than_ten_minutes_is_not_paid_for(
    says_by_whatsapp, turn_of, model, ears
):
    long = OGG[:-8] + (601 * 48_000).to_bytes(8, "little")
    conversation_id = says_by_whatsapp("audio", long)

    assert turn_of(conversation_id, hearing=True) == [NOTICES["en"]["media_too_large"]]
    assert ears.heard == []


def test_a_model_that_sees_is_shown_the_picture(says_by_whatsapp, turn_of, model):
    conversation_id = says_by_whatsapp("image", PNG, caption="Do you sell this?")
    model.will(says("Yes, in blue."))

    assert turn_of(conversation_id) == ["Yes, in blue."]

    words, picture = asked(model)
    assert words == {"type": "text", "text": "Do you sell this?"}
    encoded = base64.b64encode(PNG).decode()
    assert picture["image_url"]["url"] == f"data:image/png;base64,{encoded}"


def test_where_no_model_sees_the_contact_is_told_and_the_words_are_answered(
    says_by_whatsapp, turn_of, model, graph
):
    conversation_id = says_by_whatsapp("image", PNG, caption="Are you open?")
    model.will(says("Until six."))

    assert turn_of(conversation_id, seeing=False) == [
        NOTICES["en"]["picture_not_seen"],
        "Until six.",
    ]
    assert asked(model) == "Are you open?"


def test_a_file_without_words_that_cannot_be_read_costs_no_model(
    says_by_whatsapp, turn_of, model, query
):
    conversation_id = says_by_whatsapp("video", b"\0\0\0\x18ftypmp42")
    query("update contacts set language = 'pt-BR'")

    assert turn_of(conversation_id) == [NOTICES["pt"]["media_unsupported"]]
    assert model.requests == []


def test_a_voice_message_is_answered_by_what_it_says(says_by_whatsapp, turn_of, model, ears, query):
    conversation_id = says_by_whatsapp("audio", OGG, voice=True)
    model.will(says("At nine."))

    assert turn_of(conversation_id, hearing=True) == ["At nine."]

    assert ears.heard == [OGG]
    assert asked(model) == "When do you open?"
    assert query("select body from inbound_messages") == [("When do you open?",)]
    assert query("select content from attachments") == [(None,)], "only the words are kept"


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"type": "duration", "seconds": 7}, (7, 0, False)),
        ({"type": "tokens", "input_tokens": 70, "output_tokens": 9}, (70, 9, False)),
        (None, (12, 0, True)),
    ],
)
def test_what_hearing_costs_is_charged_with_the_turn(
    says_by_whatsapp, turn_of, model, ears, query, usage, told
):
    ears.usage = usage
    query("insert into prices values ('whisper-1', '2020-01-01', 10000, 20000)")
    model.will(says("At nine."))
    turn_of(says_by_whatsapp("audio", OGG), hearing=True)

    assert query(
        "select input_tokens, output_tokens, is_estimated from model_calls where draft = 9"
    ) == [told]
    [(turn_id,)] = query("select id from turns")
    [(cost,)] = query(
        "select sum(cost) from usage_holds, calls_of(usage_holds) as calls"
        " where turn_id = %s and calls.model = 'whisper-1'",
        turn_id,
    )
    assert cost == told[0] * 10000 + told[1] * 20000


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("image", b"%PDF-1.7 no picture", "media_unsupported"),
        ("audio", b"#!/bin/sh\nrm -rf /", "media_unsupported"),
        ("document", b"PK\x03\x04 no archive", "document_broken"),
        ("document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "media_unsupported"),
        ("image", b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "media_too_large"),
    ],
)
def test_a_file_is_what_its_bytes_say(says_by_whatsapp, turn_of, query, ears, kind, content, code):
    replies = turn_of(says_by_whatsapp(kind, content), hearing=True)

    assert query("select state, refusal, content from attachments") == [("refused", code, None)]
    assert replies == [notice(code, "en", {})]


def test_a_picture_that_came_as_a_file_is_looked_at(says_by_whatsapp, turn_of, model):
    model.will(says("A chair."))
    turn_of(says_by_whatsapp("document", PNG, filename="scan.bin"))

    assert asked(model)[1]["type"] == "image_url"


@pytest.mark.parametrize("caption", [None, "Which is better?"])
def test_of_what_we_are_not_shown_the_contact_is_told_and_the_rest_is_answered(
    query, windmill, graph, turn_of, model, caption
):
    post_to_whatsapp(_unsupported("wamid.poll"))
    if caption:
        text = {"from": "15550001", "id": "wamid.text", "type": "text", "text": {"body": caption}}
        post_to_whatsapp(_of_number(text))
        model.will(says("The blue one."))

    [(conversation_id,)] = query("select id::text from conversations")
    replies = turn_of(conversation_id)

    assert replies == [NOTICES["en"]["message_unseen"], *(["The blue one."] if caption else [])]
    assert "unsupported" not in json.dumps([one["messages"][1:] for one in model.requests])


def _unsupported(message_id: str) -> dict:
    message = {"from": "15550001", "id": message_id, "type": "unsupported"}
    poll = {"unsupported": {"type": "poll_creation"}, "errors": [{"code": 131051}]}
    return _of_number(message | poll)


def _of_number(message: dict) -> dict:
    value = {"metadata": {"phone_number_id": "100"}, "contacts": [{"wa_id": "15550001"}]}
    return {"field": "messages", "value": value | {"messages": [message]}}


def test_a_sentence_of_the_organizations_own_goes_before_ours():
    assert notice("media_lost", "fr", {"notices": {"media_lost": "Encore !"}}) == "Encore !"
    assert {frozenset(words) for words in NOTICES.values()} == {frozenset(NOTICES["en"])}
