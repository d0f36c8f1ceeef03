"""Documents that contacts send, by each vendor: told to their own conversation alone."""

import time

import pytest

from f.chat import record_usage, save_turn, send_reply
from local.messenger_api import MessengerApi
from local.telegram_api import TelegramApi
from local.twilio_api import TwilioApi
from tests.channels.vendors import add_channel, post
from tests.chat.attachments.contact_files import TEXT
from tests.conftest import SEALING_KEY
from tests.scripted_model import calls, says


def test_a_short_document_is_told_and_a_question_about_it_next_is_answered(
    database, says_by_whatsapp, turn_of, model, query
):
    conversation_id = says_by_whatsapp("document", TEXT, filename="order.txt")
    model.will(says("I see an order."), says("Nine."))
    turn_of(conversation_id)
    _finish(database, query, conversation_id)

    says_by_whatsapp("text", None, number=2, body="How many chairs?")

    assert turn_of(conversation_id) == ["Nine."]
    told = [one["role"] for one in model.requests[-1]["messages"] if "nine blue" in str(one)]
    assert told == ["user"], "a contact's words, never ours"


def test_a_long_document_is_searched(says_by_whatsapp, turn_of, model):
    filler = "\n".join(f"Line {number} of a long contract about nothing." for number in range(400))
    long_text = f"{filler}\nThe notice period is eleven weeks.\n{filler}".encode()
    conversation_id = says_by_whatsapp("document", long_text, caption="What notice do I have?")
    model.will(calls("customer_files", query="notice period"), says("Eleven weeks."))

    assert turn_of(conversation_id) == ["Eleven weeks."]

    first, second = model.requests
    assert "eleven weeks" not in str(first["messages"])
    assert "The notice period is eleven weeks." in second["messages"][-1]["content"]


def test_no_other_contact_finds_a_document(database, says_by_whatsapp, turn_of, model, query):
    model.will(says("I see an order."), says("I can't see one."))
    turn_of(says_by_whatsapp("document", TEXT, filename="order.txt"))

    other = says_by_whatsapp("text", None, wa_id="15550002", body="What holds order 4711?")
    turn_of(other)

    assert "chairs" not in str(model.requests[-1])
    assert [tool["function"]["name"] for tool in model.requests[-1]["tools"]].count(
        "customer_files"
    ) == 0


def test_after_clear_a_document_is_forgotten(database, says_by_whatsapp, turn_of, model, query):
    model.will(says("I see an order."), says("Which order?"))
    conversation_id = says_by_whatsapp("document", TEXT, filename="order.txt")
    turn_of(conversation_id)
    _finish(database, query, conversation_id)
    for number, text in ((2, "/clear"), (3, "How many chairs?")):
        says_by_whatsapp("text", None, number=number, body=text)
        turn_of(conversation_id)
        _finish(database, query, conversation_id)

    assert "nine blue" not in str(model.requests[-1])


def _finish(database, query, conversation_id: str) -> None:
    [(turn_id, fence)] = query(
        "select turns.id::text, fence from turns join conversation_work using (conversation_id)"
        " where state = 'answered' and conversation_id = %s",
        conversation_id,
    )
    save_turn.main(database, conversation_id, turn_id, fence)
    record_usage.main(database, conversation_id, turn_id, fence)
    send_reply.main(database, SEALING_KEY, conversation_id, turn_id, fence)


def _telegram(api, files):
    document = {"file_id": "media1", "file_name": "order.txt", "file_size": len(TEXT)}
    message = {"message_id": 1, "date": int(time.time()), "chat": {"id": 5, "type": "private"}}
    message |= {"from": {"id": 5}, "document": document}
    return {"update_id": 1, "message": message}


def _messenger(api, files):
    attachment = {"type": "file", "payload": {"url": f"{api.base_url}/files/media1"}}
    message = {"mid": "m_1", "attachments": [attachment]}
    event = {"sender": {"id": "9"}, "recipient": {"id": "1"}, "message": message}
    return {"object": "page", "entry": [{"id": "1", "messaging": [event]}]}


def _twilio(api, files):
    url = f"{api.base_url}/2010-04-01/Accounts/AC1/Messages/MM1/Media/media1"
    form = {"MessageSid": "MM1", "AccountSid": "AC1", "From": "whatsapp:+5511900000001"}
    form |= {"To": "whatsapp:+14155238886", "Body": "order.txt", "NumMedia": "1"}
    return form | {"MediaUrl0": url, "MediaContentType0": "text/plain", "MessageType": "document"}


@pytest.mark.parametrize(
    ("kind", "account_id", "stand_in", "body"),
    [
        ("telegram", "4242", lambda: TelegramApi("4242:AAbottoken"), _telegram),
        ("messenger", "1", lambda: MessengerApi("EAAtoken", "app secret", ["1"]), _messenger),
        ("twilio", "14155238886", lambda: TwilioApi("AC1", "twilio token", "14155238886"), _twilio),
    ],
)
def test_a_document_of_each_vendor_is_read(
    query, windmill, turn_of, model, kind, account_id, stand_in, body
):
    with stand_in() as api:
        add_channel(query, kind, account_id, api_url=api.base_url)
        api.files["media1"] = TEXT
        post(kind, account_id, body(api, TEXT))
        model.will(says("I see an order."))

        assert turn_of(windmill.started[0][1]["conversation_id"]) == ["I see an order."]

    assert "nine blue chairs" in str(model.requests[-1]["messages"])
