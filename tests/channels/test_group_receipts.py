"""What a vendor tells of each participant of a group, and what follows for the reply."""

import time

import pytest

from f.ops import sweep_conversations
from tests.channels.vendors import post
from tests.conftest import SEALING_KEY


@pytest.fixture(autouse=True)
def group(query, sent):
    query("update conversations set group_key = 'CH1'")


def _of_participant(participant: str, status: str, code: str = "0") -> None:
    event = {"EventType": "onDeliveryUpdated", "ConversationSid": "CH1", "MessageSid": "SM9"}
    event |= {"AccountSid": "AC1", "ParticipantSid": participant}
    post("twilio", "14155238886", event | {"Status": status, "ErrorCode": code})


@pytest.mark.parametrize("code", ["63016", "63014", "63013", ""])
def test_what_one_participant_did_not_get_says_nothing_of_the_others(query, sent, code):
    _of_participant("MB1", "failed", code)
    _of_participant("MB1", "read")

    assert query("select state from outbound_messages") == [("read",)]
    assert query("select opted_out_at from contacts") == [(None,)]
    assert query("select code from alerts") == []
    assert query(
        "select participant, status, coalesce(error_code, '') from delivery_receipts order by 2"
    ) == [("MB1", "failed", code), ("MB1", "read", "")]


@pytest.fixture
def swept(operations_database):
    """swept() -> how many replies to a group ended because nobody got them."""

    def run() -> int:
        return sweep_conversations.sweep(operations_database, SEALING_KEY)["replies_unreached"]

    return run


def _let_the_grace_pass(query) -> None:
    query("update channels set receipt_grace_seconds = 1")
    query("update outbound_messages set sending_at = now() - interval '3 minutes'")


def test_a_reply_that_no_participant_got_ends_as_failed_with_an_alert(query, swept):
    _of_participant("MB1", "failed", "63016")
    _of_participant("MB2", "sent")
    _of_participant("MB2", "undelivered", "63024")
    assert swept() == 0, "others may be told of yet"
    _let_the_grace_pass(query)

    assert [swept(), swept()] == [1, 0]

    assert query("select state, error_code from outbound_messages") == [("failed", "63024")]
    assert query("select code, occurrences from alerts") == [("delivery_refused", 1)]


@pytest.mark.parametrize("status", ["sent", "delivered"])
def test_a_reply_that_is_on_its_way_to_one_participant_is_not_failed(query, swept, status):
    _of_participant("MB1", "failed", "63016")
    _of_participant("MB2", status)
    _let_the_grace_pass(query)

    assert swept() == 0

    assert query("select state from outbound_messages") == [(status,)]
    assert query("select code from alerts") == []


NOTED = "update outbound_messages set state = 'sent', provider_message_id = 'SM9'"


@pytest.mark.parametrize("status", ["delivered", "read"])
def test_w18_a_receipt_that_overtakes_the_answer_to_our_call_is_kept(query, status):
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    _of_participant("MB1", status)

    query(NOTED)

    assert query("select state from outbound_messages") == [(status,)]


@pytest.mark.parametrize("is_receipt_first", [True, False])
def test_w18_a_receipt_and_the_note_that_it_was_sent_see_each_other(
    query, other, later, is_receipt_first
):
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    receipt = (
        "select accept_receipt(id, 'SM9', 'read', null, null, now(), 'MB1') from channels"
        " where kind = 'twilio'"
    )
    steps = [receipt, NOTED]
    first, second = steps if is_receipt_first else steps[::-1]
    with other.cursor() as cursor:
        cursor.execute(first)
    waiting = later(query, second)
    time.sleep(0.2)
    other.commit()
    waiting.result(10)

    assert query("select state from outbound_messages") == [("read",)]
