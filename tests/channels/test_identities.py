"""Contacts are who they were when their number or id is another."""

import pytest

from tests.channels.webhooks import whatsapp, whatsapp_text


def test_a_contact_who_changed_number_keeps_their_conversation(query, number):
    whatsapp_text("Hi", sender="15550001")
    system = {"type": "user_changed_number", "wa_id": "15550002"}
    change = {"from": "15550001", "id": "wamid.S", "type": "system", "system": system}
    whatsapp(messages=[change])
    whatsapp_text("Me again", sender="15550002")

    assert query("select contact_key, address from contacts") == [("15550002", "15550002")]
    assert query("select count(*) from conversations") == [(1,)]


def test_two_contacts_that_turn_out_to_be_one_are_merged(query, number):
    whatsapp_text("From the old number", sender="15550001")
    whatsapp_text("From the new one", sender="15550002")
    query("update inbound_messages set state = 'answered'")
    system = {"type": "user_changed_number", "wa_id": "15550002"}
    whatsapp(messages=[{"from": "15550001", "id": "wamid.S", "type": "system", "system": system}])

    assert query(
        "select contact_key, count(*) from inbound_messages join conversations on"
        " conversations.id = conversation_id join contacts on contacts.id = contact_id group by 1"
    ) == [("15550002", 2)]


def test_a_business_scoped_id_takes_the_place_of_the_number(query, number):
    whatsapp_text("Hi", sender="15550001")
    card = {"wa_id": "15550001", "user_id": "PT.77"}
    message = {"from": "15550001", "from_user_id": "PT.77", "id": "wamid.B", "type": "text"}
    whatsapp(contacts=[card], messages=[{**message, "text": {"body": "Me"}}])
    whatsapp(
        field="user_id_update",
        user_id_update=[{"user_id": {"previous": "PT.77", "current": "PT.8"}}],
    )

    assert query("select contact_key, address from contacts") == [("PT.8", "15550001")]


@pytest.mark.parametrize("field", ["smb_message_echoes", "messaging_handovers"])
def test_who_is_known_by_a_lasting_id_is_found_by_the_number_alone(query, number, field):
    card = {"wa_id": "15550001", "user_id": "PT.77"}
    whatsapp_text("Hi", from_user_id="PT.77")
    echo = {"to": "15550001", "id": "wamid.E", "type": "text", "text": {"body": "Mia here"}}
    handed = {"previous_owner_role": "app", "new_owner_role": "ai_agent"}
    value = {"sender": {"phone_number": card["wa_id"]}, "recipient": {"phone_number_id": "100"}}
    value |= {"type": "control_passed", "control_passed": handed, "message_echoes": [echo]}
    whatsapp(field=field, **value)

    assert query(
        "select contact_key, mode from conversations join contacts on contacts.id = contact_id"
    ) == [("PT.77", "human")]
