"""Buttons pressed on Telegram: they stop waiting with our answer, whoever writes and whether."""

import json

import pytest

from f.ops import sweep_conversations
from local.telegram_api import TelegramApi
from tests.channels.vendors import add_channel, post
from tests.conftest import SEALING_KEY

PRESSED = {"id": "press1", "from": {"id": 5}, "data": "Red"}
CHAT = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}}


@pytest.fixture
def telegram(query, windmill):
    """Telegram's stand-in, with a bot connected to it."""
    with TelegramApi("4242:AAbottoken") as api:
        add_channel(query, "telegram", "4242", api_url=api.base_url)
        yield api


@pytest.fixture
def press(telegram):
    """press(**changed) -> our answer to the webhook, which Telegram read."""

    def run(**changed) -> dict:
        update = {"update_id": 1, "callback_query": {**PRESSED, **changed}}
        answer = post("telegram", "4242", update)
        assert telegram.signs == confirmed_before, "nobody waits for a call of ours"
        telegram.read_answer(answer["result"])
        confirmed_before[:] = telegram.signs
        return answer

    confirmed_before: list[dict] = []
    return run


def confirmed(api) -> list[str]:
    return [sign["callback_query_id"] for sign in api.signs if "callback_query_id" in sign]


def test_a_press_is_confirmed_before_anybody_thinks_of_an_answer(telegram, press):
    assert press(message=CHAT)["windmill_status_code"] == 200

    assert confirmed(telegram) == ["press1"]


def test_a_press_is_confirmed_where_the_chatbot_is_silent(telegram, press, query):
    press(id="press0", message=CHAT)
    query("update conversations set mode = 'human'")

    press(message=CHAT)

    assert confirmed(telegram) == ["press0", "press1"]


def test_a_press_that_nobody_can_answer_is_confirmed_all_the_same(telegram, press, query):
    press(inline_message_id="inline")

    assert confirmed(telegram) == ["press1"]
    assert query("select count(*) from inbound_messages") == [(0,)]


def test_a_press_that_is_brought_twice_does_no_harm(telegram, press, query):
    answers = [press(message=CHAT) for _ in range(2)]

    assert [one["windmill_status_code"] for one in answers] == [200, 200]
    assert confirmed(telegram) == ["press1"]
    assert query("select count(*) from inbound_messages") == [(1,)]


def test_a_press_that_was_left_behind_is_confirmed_when_telegram_brings_it_again(
    telegram, press, query, operations_database
):
    body = {"update_id": 1, "callback_query": {**PRESSED, "message": CHAT}}
    query(
        "insert into webhook_deliveries (organization_id, channel_id, body, received_at)"
        " select organization_id, id, %s, now() - interval '1 minute' from channels"
        " where kind = 'telegram'",
        json.dumps(body),
    )
    sweep_conversations.accept_left_behind(operations_database, SEALING_KEY)
    assert query("select body from inbound_messages") == [("Red",)]

    press(message=CHAT)

    assert confirmed(telegram) == ["press1"]
    assert query("select count(*) from inbound_messages") == [(1,)]


def test_the_answer_to_any_other_message_asks_telegram_nothing(telegram):
    message = {**CHAT, "from": {"id": 5}, "text": "button:press1"}

    answer = post("telegram", "4242", {"update_id": 1, "message": message})

    assert (answer["result"], telegram.signs) == ({"status": "ok"}, [])
