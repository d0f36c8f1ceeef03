"""Receipts, marks and echoes move our messages forward, in whatever order they come."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.channels.vendors import add_channel, post
from tests.channels.webhooks import CONTACT, messenger, reply_taken_as, whatsapp, whatsapp_text
from tests.conftest import connected


def test_w18_receipts_move_forward_only_in_whatever_order(query, replied):
    watermark = {"watermark": int(time.time() * 1000) + 60_000}
    messenger({"read": watermark})
    messenger({"delivery": {"mids": ["m_out"], **watermark}})

    assert query("select state from outbound_messages") == [("read",)]


def test_w18_a_read_mark_that_overtakes_the_delivery_is_kept(query, replied):
    query("update outbound_messages set sending_at = now() - interval '1 second'")
    # The vendor's time of the message: after our call began, before we noted that it was sent.
    written_at = {"watermark": int(time.time() * 1000) - 500}
    query("update outbound_messages set sent_at = now()")
    messenger({"read": written_at})
    first = query("select state from outbound_messages")
    messenger({"delivery": {"mids": ["m_out"], **written_at}})

    assert first == query("select state from outbound_messages") == [("read",)]


@pytest.mark.parametrize("mark", ["read", "delivery"])
def test_w18_a_mark_that_overtakes_the_answer_to_our_call_is_kept(query, replied, mark):
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    messenger({mark: {"watermark": int(time.time() * 1000) + 5_000}})
    before = query("select state from outbound_messages")

    query("update outbound_messages set state = 'sent', provider_message_id = 'm_out'")

    assert before == [("sending",)], "it may still be refused"
    known = {"read": "read", "delivery": "delivered"}[mark]
    assert query("select state from outbound_messages") == [(known,)]


@pytest.mark.parametrize("is_mark_first", [True, False])
def test_w18_a_mark_and_the_note_that_it_was_sent_see_each_other(
    owner, query, replied, is_mark_first
):
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    [(channel_id,)] = query("select id::text from channels where kind = 'messenger'")
    mark = "select accept_watermark(%s, %s, 'read', now() + interval '1 s')"
    note = "update outbound_messages set state = 'sent' where id = %s"
    steps = [(mark, (channel_id, CONTACT)), (note, (replied,))]
    first, second = steps if is_mark_first else steps[::-1]
    with connected(owner) as one, connected(owner) as other, ThreadPoolExecutor(1) as pool:
        with one.cursor() as cursor:
            cursor.execute(*first)
        later = pool.submit(_commit, other, *second)
        time.sleep(0.2)
        one.commit()
        later.result(10)

    assert query("select state from outbound_messages") == [("read",)]


def _commit(connection, statement: str, values: tuple) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    connection.commit()


def test_a_read_mark_from_before_our_reply_says_nothing_of_it(query, replied):
    query("update outbound_messages set sending_at = now(), sent_at = now()")
    messenger({"read": {"watermark": int(time.time() * 1000) - 5_000}})

    assert query("select state from outbound_messages") == [("sent",)]


def test_the_echo_of_our_own_reply_is_its_receipt(query, replied):
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    echo = {"is_echo": True, "mid": "m_new", "metadata": replied, "text": "Hi!"}
    messenger({"message": echo}, sender="1", recipient=CONTACT)

    assert query("select state, provider_message_id from outbound_messages") == [("sent", "m_new")]
    assert query("select mode from conversations") == [("bot",)]


def test_one_participant_of_a_whatsapp_group_does_not_make_its_message_failed(query, number):
    whatsapp_text("Hello")
    query("update conversations set group_key = 'G'")
    reply_taken_as(query, "wamid.out")
    status = {"id": "wamid.out", "recipient_type": "group", "recipient_id": "G"}
    one = {"status": "failed", "errors": [{"code": 131026}], "recipient_participant_id": "1555"}

    whatsapp(statuses=[status | one])
    assert query("select state from outbound_messages") == [("sent",)]

    whatsapp(statuses=[status | {"status": "failed", "errors": [{"code": 131208}]}])
    assert query("select state from outbound_messages") == [("failed",)]


def test_a_status_of_twilio_finds_our_message_by_the_reference_in_its_address(query, replied):
    channel_id = add_channel(query, "twilio", "14155238886")
    query("update conversations set channel_id = %s", channel_id)
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    status = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": "whatsapp:+14155238886"}
    post("twilio", "14155238886", status, query={"reference": replied})

    assert query("select state, provider_message_id from outbound_messages") == [
        ("delivered", "SM9")
    ]
