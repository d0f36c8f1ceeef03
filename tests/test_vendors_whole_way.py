"""The whole way on each vendor's stand-in: signed webhook in, reply out, signed receipts back."""

import json
import time
import urllib.parse

import pytest
import urllib3

from f.channels.accounts import sealing_place
from f.shared.crypto import seal
from local.messenger_api import MessengerApi
from local.telegram_api import TelegramApi
from local.twilio_api import TwilioApi
from local.whatsapp_webhook import post_signed, text_message
from tests.channels.vendors import CREDENTIALS, add_channel
from tests.test_whole_way import ACCOUNT_ID, both_modes, chatmill  # noqa: F401

QUESTION = "When is the shop in Braga open?"
ORDER = "Our order 4711 holds nine blue chairs."
ANSWER = "The shop in Braga is open on Sundays from ten to two."


@pytest.fixture
def connect(query, chatmill):  # noqa: F811
    """connect(kind, account, api) -> the address that the vendor posts to."""

    def run(kind: str, account_id: str, api) -> str:
        url = f"{chatmill.server.base_url}/api/r/chatmill/{kind}-{account_id}"
        channel_id = add_channel(query, kind, account_id, api_url=api.base_url, webhook_url=url)
        secrets = json.dumps(CREDENTIALS[kind])
        sealed = seal(chatmill.secrets.sealing_key, secrets, sealing_place(channel_id))
        query("update channels set sealed_credentials = %s where id = %s", sealed, channel_id)
        return url

    return run


@pytest.mark.parametrize("seed", [None, 2, 4, 6])
def test_w18_a_question_on_messenger_is_answered_and_read(query, chatmill, connect, seed):  # noqa: F811
    with MessengerApi("EAAtoken", "app secret", ["1"]) as api:
        api.shuffle_seed = seed
        url = connect("messenger", "1", api)
        api.report_to(url, "1")
        message = {"message": {"mid": "m_q", "text": QUESTION}, "timestamp": _now() * 1000}
        event = {"sender": {"id": "9"}, "recipient": {"id": "1"}, **message}
        body = {"object": "page", "entry": [{"id": "1", "messaging": [event]}]}

        answered = post_signed(url, json.dumps(body).encode(), "app secret")
        _until(query, "select count(accepted_at) from webhook_deliveries", [(4,)])
        _until(query, "select state from outbound_messages", [("read",)])

    assert answered.status == 200
    assert [taken.text for taken in api.accepted] == [ANSWER]
    assert query("select mode from conversations") == [("bot",)], "our own echo is no teammate"


def test_a_question_on_telegram_is_answered(query, chatmill, connect):  # noqa: F811
    with TelegramApi("4242:AAbottoken") as api:
        url = connect("telegram", "4242", api)
        chat = {"chat": {"id": 5, "type": "private"}, "from": {"id": 5, "first_name": "Ada"}}
        update = {"update_id": 1, "message": {"message_id": 1, "date": _now(), **chat}}
        update["message"]["text"] = QUESTION
        token = CREDENTIALS["telegram"]["secret_token"]
        headers = {
            "content-type": "application/json",
            "x-telegram-bot-api-secret-token": token,
        }

        answer = urllib3.request("POST", url, body=json.dumps(update), headers=headers)
        _until(query, "select state from outbound_messages", [("sent",)])

    assert answer.status == 200
    assert [(taken.to, taken.text) for taken in api.accepted] == [("5", ANSWER)]


def test_a_press_on_telegram_is_confirmed_by_our_answer(chatmill, connect):  # noqa: F811
    with TelegramApi("4242:AAbottoken") as api:
        url = connect("telegram", "4242", api)
        update = {
            "update_id": 2,
            "callback_query": {"id": "press1", "from": {"id": 5}, "data": "x"},
        }
        token = CREDENTIALS["telegram"]["secret_token"]
        headers = {"x-telegram-bot-api-secret-token": token, "content-type": "application/json"}

        answer = urllib3.request("POST", url, body=json.dumps(update), headers=headers)
        api.read_answer(answer.json())

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert [sign["callback_query_id"] for sign in api.signs] == ["press1"]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_w14_w18_on_twilio_receipts_in_any_order_end_at_read(
    query,
    chatmill,  # noqa: F811
    connect,
    seed,
):
    with TwilioApi("AC1", "twilio token", "14155238886") as api:
        api.shuffle_seed = seed
        url = connect("twilio", "14155238886", api)
        form = {"MessageSid": "SM1", "AccountSid": "AC1", "From": "whatsapp:+5511900000001"}

        answer = api.post(url, {**form, "To": "whatsapp:+14155238886", "Body": QUESTION})
        _until(query, "select count(*) from delivery_receipts", [(3,)])

    assert (answer.status, answer.data) == (200, b"<Response/>")
    assert answer.headers["content-type"] == "text/xml"
    assert [(taken.to, taken.text) for taken in api.accepted] == [
        ("whatsapp:+5511900000001", ANSWER)
    ]
    assert urllib.parse.urlsplit(api.accepted[0].body["StatusCallback"]).query
    assert query("select state from outbound_messages") == [("read",)]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_w18_in_a_conversation_of_twilio_each_participant_is_told_of_apart(
    query,
    chatmill,  # noqa: F811
    connect,
    seed,
):
    asking, away = "whatsapp:+5511900000001", "whatsapp:+5511900000002"
    with TwilioApi("AC1", "twilio token", "14155238886") as api:
        api.shuffle_seed = seed
        api.participants["CH1"] = [asking, away]
        api.wrote(asking)
        api.events_url = connect("twilio", "14155238886", api)
        event = {"EventType": "onMessageAdded", "ConversationSid": "CH1", "AccountSid": "AC1"}
        event |= {"MessageSid": "IM1", "Author": asking, "Attributes": "{}"}

        api.post(api.events_url, event | {"Body": f"@14155238886 {QUESTION}"})
        _until(query, "select count(*) from delivery_receipts", [(4,)])

    assert [(taken.to, taken.text) for taken in api.accepted] == [("CH1", ANSWER)]
    assert query("select state, error_code from outbound_messages") == [("read", None)]
    assert query("select status, error_code from delivery_receipts where participant = 'MB1'") == [
        ("failed", "63016")
    ]
    assert query("select count(*) from alerts") == [(0,)]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_w18_on_whatsapp_receipts_in_any_order_end_at_read(query, chatmill, seed):  # noqa: F811
    chatmill.graph.shuffle_seed = seed
    url = f"{chatmill.server.base_url}/api/r/chatmill/demo-whatsapp"
    chatmill.graph.report_to(url, chatmill.secrets.app_secret)

    chatmill.say(QUESTION)
    _until(query, "select count(*) from delivery_receipts", [(3,)])

    assert chatmill.replies() == [ANSWER]
    assert query("select state from outbound_messages") == [("read",)]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_w18_in_a_group_on_whatsapp_each_participant_is_told_of_apart(query, chatmill, seed):  # noqa: F811
    graph = chatmill.graph
    graph.shuffle_seed, graph.groups["Z3Jv"] = seed, ["15550001", "15550002"]
    graph.unreached.add("15550002")
    url = f"{chatmill.server.base_url}/api/r/chatmill/demo-whatsapp"
    graph.report_to(url, chatmill.secrets.app_secret)
    body = json.loads(text_message(ACCOUNT_ID, f"@{ACCOUNT_ID} {QUESTION}", "15550001"))
    [message] = body["entry"][0]["changes"][0]["value"]["messages"]
    message["group_id"] = "Z3Jv"

    chatmill.post(json.dumps(body).encode())
    _until(query, "select count(*) from delivery_receipts", [(4,)])

    assert chatmill.replies() == [ANSWER]
    assert query("select state, error_code from outbound_messages") == [("read", None)]
    assert query("select count(*) from alerts") == [(0,)]


@both_modes
def test_a_file_is_read_in_a_step_of_its_own_where_there_is_one(query, chatmill):  # noqa: F811
    chatmill.graph.files["media1"] = ORDER.encode()
    asked = "How many blue chairs does our order 4711 hold?"
    file = {"id": "media1", "filename": "order.txt", "caption": asked}
    body = json.loads(text_message(ACCOUNT_ID, "", "15550001"))
    [message] = body["entry"][0]["changes"][0]["value"]["messages"]
    message |= {"type": "document", "document": file}

    chatmill.post(json.dumps(body).encode())
    chatmill.say(QUESTION)

    ran = [event for event in chatmill.events if event.step_id == "read_attachments"]
    # Of a skipped step the result is the one before it.
    results = [event.result for event in ran if event.kind == "finished"]
    assert [result.get("read") for result in results] == [1, None]
    assert query("select state, text from attachments") == [("read", ORDER)]
    assert chatmill.replies() == [ORDER, ANSWER]
    assert "chairs" not in str([[event.args, event.result] for event in chatmill.events])


def _now() -> int:
    return int(time.time())


def _until(query, statement: str, wanted: list[tuple]) -> None:
    deadline = time.monotonic() + 30
    while query(statement) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert query(statement) == wanted
