"""What vendors post to the channels of the tests, and what became of it."""

import itertools
import time

from tests.channels.vendors import post

_ids = itertools.count(1)
CONTACT = "9001"
TWILIO_MESSAGE = {"MessageSid": "SM1", "AccountSid": "AC1", "From": "whatsapp:+5511900000001"}


def messenger(event: dict, sender=CONTACT, recipient="1") -> dict:
    sides = {"sender": {"id": sender}, "recipient": {"id": recipient}}
    event = {**sides, "timestamp": int(time.time() * 1000), **event}
    return post("messenger", "1", {"object": "page", "entry": [{"id": "1", "messaging": [event]}]})


def says(text: str, message_id=None, **more) -> str:
    message_id = message_id or f"m_{next(_ids)}"
    messenger({"message": {"mid": message_id, "text": text, **more}})
    return message_id


def whatsapp(*, field="messages", **value) -> dict:
    value = {"metadata": {"phone_number_id": "100"}, **value}
    entry = {"id": "1", "changes": [{"field": field, "value": value}]}
    return post("whatsapp", "100", {"object": "whatsapp_business_account", "entry": [entry]})


def whatsapp_text(text: str, sender="15550001", **more) -> None:
    message = {"from": sender, "id": f"wamid.{next(_ids)}", "timestamp": str(int(time.time()))}
    whatsapp(messages=[{**message, "type": "text", "text": {"body": text}, **more}])


def outcome(query) -> dict:
    latest = "select outcome from webhook_deliveries order by received_at desc limit 1"
    return query(latest)[0][0]


def reply_taken_as(query, provider_message_id: str) -> str:
    """A reply of ours in the only conversation, which the vendor took under that id; its own id."""
    return query(
        "with turn as (insert into turns (organization_id, conversation_id, arrivals_seen, state,"
        " answered_at) select organization_id, id, 1, 'answered', now() from conversations"
        " returning *) insert into outbound_messages (organization_id, conversation_id, turn_id,"
        " position, body, state, sending_at, sent_at, provider_message_id) select organization_id,"
        " conversation_id, id, 0, 'Hi!', 'sent', now(), now(), %s from turn returning id::text",
        provider_message_id,
    )[0][0]
