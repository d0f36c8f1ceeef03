"""Replies through each vendor's stand-in, which checks what the vendor checks."""

import pytest

from f.channels import messenger, registry, telegram, twilio, whatsapp
from f.channels.messages import Recipient
from f.shared.errors import (
    ContactGone,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamRefused,
    WindowClosed,
)
from local.graph_api import GraphApi
from local.messenger_api import MessengerApi
from local.messenger_api import refusal as graph_refusal
from local.telegram_api import TelegramApi, error, too_many_requests
from local.twilio_api import TwilioApi
from local.twilio_api import refusal as twilio_refusal

REFERENCE = "0e000000-0000-4000-8000-000000000001"
ASKED = "**Which** one?\n- [Red](reply:)\n- [Blue](reply:)"
LONG = "A sentence of many words, again and again. " * 200


@pytest.fixture
def bot():
    with TelegramApi("4242:AAtoken") as api:
        yield api, {"account_id": "4242", "bot_token": "4242:AAtoken", "api_url": api.base_url}


@pytest.fixture
def page():
    with MessengerApi("EAAtoken", "secret", ["1"]) as api:
        tokens = {"access_token": "EAAtoken", "app_secret": "secret"}
        yield api, {"account_id": "1", "api_url": api.base_url, **tokens}


@pytest.fixture
def number():
    with TwilioApi("AC1", "token", "14155238886") as api:
        tokens = {"account_sid": "AC1", "auth_token": "token"}
        yield api, {"account_id": "14155238886", "api_url": api.base_url, **tokens}


@pytest.fixture
def graph():
    with GraphApi("EAAtoken", ["100"]) as api:
        yield api, {"account_id": "100", "access_token": "EAAtoken", "api_url": api.base_url}


def test_telegram_gets_marks_as_entities_and_options_as_buttons(bot):
    api, credentials = bot

    message_id = telegram.send_text(credentials, Recipient("77"), ASKED, REFERENCE)

    assert message_id == "77:1"
    assert api.accepted[0].body["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    keyboard = api.accepted[0].body["reply_markup"]["inline_keyboard"]
    assert [row[0]["callback_data"] for row in keyboard] == ["Red", "Blue"]


def test_in_a_telegram_topic_the_answer_quotes_the_question(bot):
    api, credentials = bot

    to = Recipient("-100123/42", is_group=True, reply_to="-100123:7")
    telegram.send_text(credentials, to, "Yes.", REFERENCE)

    body = api.accepted[0].body
    assert (body["chat_id"], body["message_thread_id"]) == (-100123, 42)
    assert body["reply_parameters"]["message_id"] == 7


def test_what_telegram_cannot_parse_is_sent_once_again_as_plain_words(bot):
    api, credentials = bot
    api.will_fail(error(400, "Bad Request: can't parse entities: unsupported start tag"))

    sent = telegram.send_text(
        credentials, Recipient("77"), "**Look** [here](https://a.example)", REFERENCE
    )

    assert sent == "77:1"
    assert [(one.text, "entities" in one.body) for one in api.accepted] == [
        ("Look here (https://a.example)", False)
    ]


def test_plain_words_that_telegram_refuses_too_are_not_sent_a_third_time(bot):
    api, credentials = bot
    api.will_fail(*[error(400, "Bad Request: can't parse entities: no")] * 2)

    with pytest.raises(UpstreamRefused):
        telegram.send_text(credentials, Recipient("77"), "**Look**", REFERENCE)

    assert api.accepted == []


def test_a_link_whose_address_has_no_room_keeps_its_words(bot):
    api, credentials = bot
    api.will_fail(error(400, "Bad Request: can't parse entities: no"))
    text = f"{'word ' * 790}[here](https://a.example/{'x' * 500})"

    telegram.send_text(credentials, Recipient("77"), text, REFERENCE)

    assert "a.example" not in api.accepted[0].text


def test_messenger_gets_plain_words_and_quick_replies(page):
    api, credentials = page

    messenger.send_text(credentials, Recipient("9"), ASKED, REFERENCE)
    messenger.show_typing(credentials, Recipient("9"))

    message = api.accepted[0].body["message"]
    assert (message["text"], message["metadata"]) == ("Which one?", REFERENCE)
    assert [reply["title"] for reply in message["quick_replies"]] == ["Red", "Blue"]
    assert [sign["sender_action"] for sign in api.signs] == ["mark_seen", "typing_on"]


def test_twilio_numbers_the_options_and_asks_for_reports_with_our_reference(number):
    api, credentials = number
    credentials["webhook_url"] = "http://127.0.0.1:9/none"
    api.receipts = None

    twilio.send_text(credentials, Recipient("5511900000001"), ASKED, REFERENCE)
    twilio.show_typing(credentials, Recipient("5511900000001", reply_to="SM1#2"))

    assert api.accepted[0].to == "whatsapp:+5511900000001"
    assert api.accepted[0].text == "*Which* one?\n1. Red\n2. Blue"
    assert api.accepted[0].body["StatusCallback"].endswith(f"?reference={REFERENCE}")
    assert api.signs[0]["messageId"] == "SM1"


def test_into_a_conversation_we_write_marked_as_ours(number):
    api, credentials = number

    twilio.send_text(credentials, Recipient("CH1", is_group=True), "Yes.", REFERENCE)

    assert (api.accepted[0].to, api.accepted[0].body["Attributes"]) == ("CH1", '{"chatmill": true}')


def test_whatsapp_gets_buttons_or_a_list_or_numbers(graph):
    api, credentials = graph
    many = "Which?\n" + "\n".join(f"- [Choice {number}](reply:)" for number in range(9))
    long = ASKED + "\n- [A title that is far too long for any button](reply:)"

    for text in (ASKED, many, long):
        whatsapp.send_text(credentials, Recipient("15550001"), text, REFERENCE)

    kinds = [one.body.get("interactive", {}).get("type") for one in api.accepted]
    assert kinds == ["button", "list", None]
    assert api.accepted[2].text.endswith("3. A title that is far too long for any button")


def test_a_whatsapp_group_is_written_to_as_a_group(graph):
    api, credentials = graph

    whatsapp.send_text(credentials, Recipient("Z3Jv", True, "wamid.Q"), ASKED, REFERENCE)

    body = api.accepted[0].body
    assert (body["recipient_type"], body["context"]) == ("group", {"message_id": "wamid.Q"})
    assert body["type"] == "text", "groups take no buttons"


@pytest.mark.parametrize("kind", ["telegram", "messenger", "twilio"])
def test_long_replies_come_in_pieces_that_the_vendor_takes(kind, bot, page, number):
    api, credentials = {"telegram": bot, "messenger": page, "twilio": number}[kind]
    library = registry.library(kind)

    for piece in library.split_text(LONG):
        library.send_text(credentials, Recipient("7700077"), piece, REFERENCE)

    assert len(api.accepted) > 1
    assert " ".join(one.text for one in api.accepted).split() == LONG.split()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (graph_refusal(400, 10, "outside", 2018278), WindowClosed),
        (graph_refusal(403, 10, "no permission"), Misconfigured),
        (graph_refusal(401, 190, "token EAAtoken expired"), Misconfigured),
        (graph_refusal(400, 100, "no such user", 2018001), ContactGone),
        (graph_refusal(400, 551, "not available", 1545041), ContactGone),
        (graph_refusal(400, 613, "slower"), UpstreamBusy),
        (graph_refusal(500, 2, "transient"), UpstreamDown),
        (graph_refusal(400, 2018108, "no"), UpstreamRefused),
    ],
)
def test_what_a_refusal_of_messenger_means(page, reply, error):
    _refused(messenger, page, reply, error)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (twilio_refusal(400, 63016, "outside"), WindowClosed),
        (twilio_refusal(400, 21610, "stopped"), ContactGone),
        (twilio_refusal(401, 20003, "authenticate"), Misconfigured),
        (twilio_refusal(429, 20429, "too many"), UpstreamBusy),
        (twilio_refusal(429, 63018, "pair rate"), UpstreamBusy),
        (twilio_refusal(503, 20503, "later"), UpstreamDown),
        (twilio_refusal(400, 63024, "invalid recipient"), UpstreamRefused),
    ],
)
def test_what_a_refusal_of_twilio_means(number, reply, error):
    _refused(twilio, number, reply, error)


def test_a_contact_who_blocked_the_bot_is_gone(bot):
    api, credentials = bot
    api.blocked.add(77)

    with pytest.raises(ContactGone):
        telegram.send_text(credentials, Recipient("77"), "Hi", REFERENCE)


def test_telegram_says_how_long_to_wait_and_its_token_is_in_no_error(bot):
    api, credentials = bot
    api.will_fail(too_many_requests(7))

    with pytest.raises(UpstreamBusy) as busy:
        telegram.send_text(credentials, Recipient("77"), "Hi", REFERENCE)
    with pytest.raises(Misconfigured) as refused:
        telegram.send_text(credentials | {"bot_token": "4242:wrong"}, Recipient("77"), "Hi", "")

    assert busy.value.retry_after_seconds == 7
    assert "wrong" not in f"{refused.value!r} {vars(refused.value)} {refused.value.__cause__}"


def _refused(library, vendor, reply, error) -> None:
    api, credentials = vendor
    api.will_fail(reply)

    with pytest.raises(error) as refused:
        library.send_text(credentials, Recipient("77"), "Hi", REFERENCE)

    assert type(refused.value) is error
    assert "EAAtoken" not in f"{refused.value!r} {vars(refused.value)}"
