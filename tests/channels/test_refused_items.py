"""What our database does not take of a webhook costs itself alone, and no vendor's patience."""

import re
import time

import pytest

from f.ops import sweep_conversations
from local.places import ROOT
from tests.channels.vendors import add_channel, post
from tests.channels.webhooks import outcome, whatsapp
from tests.conftest import SEALING_KEY

CHAT = {"message_id": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}}
STORED = "select body from inbound_messages order by id"


@pytest.fixture
def refusing(query):
    """A database with a rule that we do not know of."""
    query("alter table inbound_messages add constraint unheard_of check (body <> 'poison')")


def _texts(*bodies: str) -> list[dict]:
    common = {"from": "15550001", "type": "text", "timestamp": str(int(time.time()))}
    return [common | {"id": f"wamid.{body}", "text": {"body": body}} for body in bodies]


def _telegram(**content) -> dict:
    message = {**CHAT, "date": int(time.time()), **content}
    return post("telegram", "4242", {"update_id": 1, "message": message})


def test_w03_the_other_messages_of_a_batch_are_taken_and_a_person_is_told(
    query, windmill, number, refusing
):
    answer = whatsapp(messages=_texts("First", "poison", "Second"))

    assert answer["windmill_status_code"] == 200
    assert query(STORED) == [("First",), ("Second",)]
    assert outcome(query) == {"new": 2, "refused": 1}
    assert len(windmill.started) == 1
    [(code, summary)] = query("select code, summary from alerts")
    assert (code, "item_refused InboundMessage" in summary) == ("channel_broken", True)


def test_a_chat_on_telegram_is_not_held_up_by_it(query, windmill, refusing):
    add_channel(query, "telegram", "4242")

    assert _telegram(text="poison")["windmill_status_code"] == 200

    assert query("select accepted_at is not null from webhook_deliveries") == [(True,)]


def test_the_sweep_is_not_held_up_by_it(query, number, refusing, operations_database):
    query("alter table inbound_messages drop constraint unheard_of")
    whatsapp(messages=_texts("First", "poison"))
    query("delete from inbound_messages")
    query(
        "update webhook_deliveries set accepted_at = null, received_at = now() - interval '1 hour'"
    )
    query("alter table inbound_messages add constraint unheard_of check (body <> 'poison')")

    assert sweep_conversations.accept_left_behind(operations_database, SEALING_KEY) == 1

    assert query(STORED) == [("First",)]


def test_what_was_refused_is_taken_again_as_the_documentation_says(
    query, number, refusing, operations_database
):
    whatsapp(messages=_texts("First", "poison"))
    [(summary,)] = query("select summary from alerts")
    query("alter table inbound_messages drop constraint unheard_of")
    query("update webhook_deliveries set received_at = now() - interval '1 hour'")
    [statement] = re.findall(
        "update webhook_deliveries .*;", (ROOT / "docs" / "error_codes.md").read_text()
    )

    query(statement.replace("DELIVERY", summary.split()[-1]))
    sweep_conversations.accept_left_behind(operations_database, SEALING_KEY)

    assert query(STORED) == [("First",), ("poison",)]
    assert outcome(query) == {"duplicate": 1, "new": 1}


@pytest.mark.parametrize("kind", ["telegram", "messenger", "twilio"])
def test_t01_a_place_whose_numbers_are_text_with_nul_is_stored(query, windmill, kind):
    account_id = {"telegram": "4242", "messenger": "1", "twilio": "14155238886"}[kind]
    add_channel(query, kind, account_id)
    point = {"lat": "1\0", "long": "\ud800"}
    place = {"attachments": [{"type": "location", "payload": {"coordinates": point}}]}
    event = {"sender": {"id": "9"}, "recipient": {"id": "1"}, "message": {"mid": "m", **place}}
    form = {"MessageSid": "SM1", "From": "whatsapp:+5511900000001", "To": "whatsapp:+14155238886"}
    update = {**CHAT, "location": {"latitude": "1\0", "longitude": "\ud800"}}
    body = {
        "telegram": {"update_id": 1, "message": update},
        "messenger": {"object": "page", "entry": [{"id": "1", "messaging": [event]}]},
        "twilio": form | {"Latitude": "1\0", "Longitude": "2"},
    }[kind]

    assert post(kind, account_id, body)["windmill_status_code"] == 200

    [(stored,)] = query(STORED)
    assert stored.startswith("1, ")
