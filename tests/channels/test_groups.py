"""In a group only what is meant for us is read; the rest is nobody's business."""

import time

import pytest

from f.channels.groups import is_meant_for, without_mention
from tests.channels.telegram_group import GROUP, mention, say
from tests.channels.vendors import add_channel, post
from tests.channels.webhooks import reply_taken_as

NAMES = ["AcmeHelpBot", "Acme", "+1 415-523-8886"]


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        ("@acmehelpbot hours?", True),
        ("hours, @ACME?", True),
        ("Acme: hours?", True),
        ("acme, hours?", True),
        ("\u2068@Acme\u2069 hours?", True),
        ("@14155238886 hours?", True),
        ("\u2068@14155238886\u2069 hours?", True),
        ("I like acme", False),
        ("@141552388865 hours?", False),
        ("mail@acme.example", False),
        ("@acmeother hours?", False),
        ("@@acme", False),
    ],
)
def test_who_is_called(text, is_ours):
    assert is_meant_for(text, (), NAMES) is is_ours


def test_the_mention_is_no_part_of_the_question():
    assert without_mention("@AcmeHelpBot what are your hours?", NAMES) == "what are your hours?"
    assert without_mention("acme: hours?", NAMES) == "hours?"
    assert without_mention("@14155238886 hours?", NAMES) == "hours?"
    assert without_mention("@Acme", NAMES) == "@Acme"
    assert without_mention("\u2068@\u2068Acme\u2069\u2069 hours?", NAMES) == "hours?"


def test_signs_that_join_emoji_and_letters_stay_where_the_contact_put_them():
    said = "my 👨\u200d👩\u200d👧 می\u200cخواهند"
    assert without_mention(f"@Acme {said}", NAMES) == said


def test_a_text_of_invisible_signs_is_read_in_no_time():
    started = time.monotonic()
    without_mention("\u2068" * 65_000, NAMES)
    assert time.monotonic() - started < 2


def test_chatter_is_neither_stored_nor_answered(query, windmill, bot):
    say("Lunch?")
    say("@somebody hi", entities=mention("@somebody"))

    assert query("select count(*) from inbound_messages") == [(0,)]
    assert query("select count(*) from contacts") == [(0,)]
    assert windmill.started == []


def test_a_mention_a_command_and_a_button_are_meant_for_us(query, bot):
    say("@AcmeHelpBot hours?", entities=mention("@AcmeHelpBot"))
    say("/help@AcmeHelpBot")
    say("/help@OtherBot")
    say("/unheard_of")

    assert query("select body, command from inbound_messages order by id") == [
        ("hours?", None),
        ("/help@AcmeHelpBot", "help"),
    ]


def test_words_that_are_commands_alone_are_none_among_others(query, bot):
    say("stop")
    say("help")

    assert query("select count(*) from inbound_messages") == [(0,)]


def test_a_reply_to_our_message_is_meant_for_us(query, bot):
    say("@AcmeHelpBot hours?")
    reply_taken_as(query, f"{GROUP}:500")

    say("And on Sunday?", sender=2, reply_to_message={"message_id": 500})
    say("I see", sender=2, reply_to_message={"message_id": 501})

    assert query("select body from inbound_messages order by id") == [
        ("hours?",),
        ("And on Sunday?",),
    ]


def test_each_person_of_a_group_has_a_history_of_their_own(query, bot):
    for sender in (1, 2, 1):
        say("@AcmeHelpBot hours?", sender=sender)

    assert query(
        "select contact_key, group_key, count(*) from inbound_messages join conversations on"
        " conversations.id = conversation_id join contacts on contacts.id = contact_id"
        " group by 1, 2 order by 1"
    ) == [("1", str(GROUP), 2), ("2", str(GROUP), 1)]


def test_a_topic_of_a_forum_is_a_place_of_its_own(query, bot):
    say("@AcmeHelpBot hours?", message_thread_id=42, is_topic_message=True)

    assert query("select group_key from conversations") == [(f"{GROUP}/42",)]


def test_a_group_that_an_anonymous_admin_makes_a_supergroup_goes_on(query, bot):
    say("@AcmeHelpBot hours?")
    say("", migrate_to_chat_id=-1009, **{"from": {"id": 9, "is_bot": True}}, sender_chat={"id": 1})

    assert query("select group_key from conversations") == [("-1009",)]


def test_bots_and_anonymous_admins_are_not_answered(query, bot):
    say("@AcmeHelpBot hi", **{"from": {"id": 9, "is_bot": True}})
    say("@AcmeHelpBot hi", sender_chat={"id": GROUP})

    assert query("select count(*) from inbound_messages") == [(0,)]


def test_a_conversation_of_twilio_does_not_make_us_answer_ourselves(query, windmill):
    add_channel(query, "twilio", "14155238886", settings={"names": ["acme"]})
    event = {"EventType": "onMessageAdded", "ConversationSid": "CH1", "AccountSid": "AC1"}
    event |= {"Author": "whatsapp:+5511900000001", "Body": "@acme open?", "Attributes": "{}"}
    for number, more in enumerate(
        [{}, {"Source": "API"}, {"Attributes": '{"chatmill": true}'}, {"Author": "mia"}]
    ):
        post("twilio", "14155238886", {**event, "MessageSid": f"IM{number}", **more})

    assert query(
        "select body, group_key from inbound_messages join conversations on"
        " conversations.id = conversation_id"
    ) == [("open?", "CH1")]
