"""What vendors tell after they took a message: refusals, groups that move, words taken back."""

import json
import time

import pytest

from tests.channels.telegram_group import GROUP, say
from tests.channels.vendors import add_channel, post
from tests.channels.webhooks import TWILIO_MESSAGE, whatsapp, whatsapp_text

SUPERGROUP = -1009999


def _status(status: str, code: str) -> None:
    form = {"MessageSid": "SM9", "MessageStatus": status, "From": "whatsapp:+14155238886"}
    post("twilio", "14155238886", form | {"ErrorCode": code})


@pytest.mark.parametrize("code", ["21610", "63014", "63033"])
def test_who_opted_out_at_the_vendor_is_not_written_to_again(query, sent, code):
    _status("undelivered", code)

    assert query("select state, error_code from outbound_messages") == [("failed", "contact_gone")]
    assert query("select opted_out_at is not null from contacts") == [(True,)]
    assert query("select code from alerts") == []
    assert query("select error_code from delivery_receipts") == [(code,)]


def test_a_window_that_closed_before_delivery_holds_the_reply_with_an_alert(query, sent):
    for _ in range(2):
        _status("failed", "63016")

    assert query("select state, error_code from outbound_messages") == [("held", "window_closed")]
    assert query("select code, occurrences from alerts") == [("window_closed", 1)]
    assert query("select opted_out_at from contacts") == [(None,)]


def test_w18_a_late_sent_does_not_undo_a_refusal(query, sent):
    _status("undelivered", "21610")
    _status("sent", "")

    assert query("select state from outbound_messages") == [("failed",)]


def test_any_other_code_is_a_failed_reply_and_an_alert(query, sent):
    _status("failed", "63013")

    assert query("select state, error_code from outbound_messages") == [("failed", "63013")]
    assert query("select code from alerts") == [("delivery_refused",)]


def test_a_group_that_became_a_supergroup_keeps_everybodys_history(query, bot):
    say("@AcmeHelpBot hours?", message_thread_id=42, is_topic_message=True)
    say("@AcmeHelpBot hours?", sender=2)
    say("", migrate_to_chat_id=SUPERGROUP)

    assert query("select outcome from webhook_deliveries order by received_at")[-1] == (
        {"group_moved": 1},
    )
    assert {key for (key,) in query("select group_key from conversations")} == {
        f"{SUPERGROUP}/42",
        str(SUPERGROUP),
    }


def test_who_wrote_in_the_supergroup_before_it_was_told_keeps_both(query, bot):
    say("@AcmeHelpBot hours?")
    say("@AcmeHelpBot hours?", chat={"id": SUPERGROUP, "type": "supergroup"})
    say("", migrate_to_chat_id=SUPERGROUP)

    assert query("select group_key from conversations order by 1") == [
        (str(GROUP),),
        (str(SUPERGROUP),),
    ]


def test_words_taken_back_are_in_no_delivery_that_brought_or_repeated_them(query, number):
    message = {"from": "15550001", "id": "wamid.A/B=", "timestamp": str(int(time.time()))}
    message |= {"type": "text", "text": {"body": "My card is 4111"}}
    for _ in range(2):
        whatsapp(messages=[message])
    whatsapp_text("Another")
    revoke = {"original_message_id": "wamid.A/B="}
    whatsapp(messages=[{"from": "15550001", "id": "wamid.R", "type": "revoke", "revoke": revoke}])

    kept = json.dumps(query("select body from webhook_deliveries"))
    assert "4111" not in kept
    assert "Another" in kept, "what others brought stays"


def test_every_file_of_a_message_through_twilio_is_kept_and_waited_for(query, windmill):
    add_channel(query, "twilio", "14155238886")
    files = {"NumMedia": "2", "MediaUrl0": "https://api.twilio.com/0"}
    files |= {"MediaUrl1": "https://api.twilio.com/1", "MediaContentType1": "audio/ogg"}
    to = {"To": "whatsapp:+14155238886", "Body": "Both?", "MessageType": "image"}

    post("twilio", "14155238886", TWILIO_MESSAGE | to | files)

    assert query("select body, media->>'url' from inbound_messages order by id") == [
        ("Both?", "https://api.twilio.com/0"),
        ("[voice message]", "https://api.twilio.com/1"),
    ]
    assert query("select count(distinct coalesce(album_id, '')) from inbound_messages") == [(2,)]


def test_every_file_of_a_conversations_message_is_kept_where_its_words_are_for_us(query, windmill):
    add_channel(query, "twilio", "14155238886", settings={"names": ["acme"]})
    event = {"EventType": "onMessageAdded", "ConversationSid": "CH1", "AccountSid": "AC1"}
    event |= {"Author": "whatsapp:+5511900000001", "Attributes": "{}", "ChatServiceSid": "IS1"}
    files = [
        {"Sid": "ME1", "ContentType": "image/png", "Filename": "a.png"},
        {"Sid": "ME2", "ContentType": "application/pdf", "Filename": "b.pdf"},
        {"Sid": "ME3", "ContentType": "audio/ogg"},
    ]
    event |= {"Media": json.dumps(files)}

    post("twilio", "14155238886", {**event, "MessageSid": "IM1", "Body": "@acme look"})
    post("twilio", "14155238886", {**event, "MessageSid": "IM2", "Body": "for the others"})

    assert query(
        "select provider_message_id, body, media->>'type', media->>'provider_media_id'"
        " from inbound_messages order by id"
    ) == [
        ("IM1", "look", "image", "ME1"),
        ("IM1#1", "[document]", "document", "ME2"),
        ("IM1#2", "[voice message]", "audio", "ME3"),
    ]
    assert query("select distinct album_id from inbound_messages where album_id <> ''") == [
        ("IM1",)
    ]
