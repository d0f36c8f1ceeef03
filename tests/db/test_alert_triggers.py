"""Rows that come to an end which a person should know of raise their alert, on whatever path."""

import pytest

from tests.db.turns import commit

ALERTS = "select code, occurrences from alerts order by code"


@pytest.fixture
def sending(query, thinking):
    """The id of a turn whose one message is on its way."""
    _, turn_id, fence = thinking
    commit(query, turn_id, fence)
    query("update outbound_messages set state = 'sending'")
    return turn_id


def test_a_turn_that_is_buried_is_an_alert_with_its_ids_alone(query, thinking):
    conversation_id, turn_id, _ = thinking

    query("update turns set state = 'buried', attempts = 5")
    query("update turns set state = 'buried'")

    [(summary,)] = query("select summary from alerts")
    assert query(ALERTS) == [("turn_buried", 1)]
    assert summary == (
        f"turn {turn_id} of conversation {conversation_id} was given up after 5 attempts"
    )


def test_a_message_of_which_nobody_can_say_is_an_alert(query, sending):
    query("update outbound_messages set state = 'unknown', error_code = 'turn_buried'")

    assert query(ALERTS) == [("delivery_unknown", 1)]


def test_a_message_that_the_vendor_refused_is_an_alert_with_its_code(query, sending):
    query("update outbound_messages set state = 'failed', error_code = '131026'")

    assert query(ALERTS) == [("delivery_refused", 1)]
    assert query("select summary like '%% with code 131026' from alerts") == [(True,)]


@pytest.mark.parametrize("code", ["teammate_took_over", "turn_buried", "contact_opted_out"])
def test_a_message_that_we_chose_not_to_send_is_none(query, sending, code):
    query("update outbound_messages set state = 'failed', error_code = %s", code)

    assert query(ALERTS) == []


def test_a_message_that_arrives_is_none(query, sending):
    for state in ("sent", "delivered", "read"):
        query("update outbound_messages set state = %s", state)

    assert query(ALERTS) == []


def test_a_channel_in_trouble_is_one_alert_with_a_count(query, arrive):
    for number in range(3):
        arrive(contact_key=f"1555{number}")
    query(
        "insert into turns (organization_id, conversation_id, arrivals_seen)"
        " select organization_id, id, 1 from conversations"
    )

    query("update turns set state = 'buried'")

    assert query(ALERTS) == [("turn_buried", 3)]


def test_a_delivery_at_its_last_try_is_an_alert(query):
    query(
        "insert into webhook_deliveries (organization_id, channel_id, body)"
        " select organization_id, id, '{broken' from channels where kind = 'whatsapp'"
    )

    for _ in range(5):
        query("update webhook_deliveries set attempts = attempts + 1")

    assert query(ALERTS) == [("delivery_not_accepted", 1)]
