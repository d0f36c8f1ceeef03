"""A teammate or another app who answers silences the chatbot; its own words never do."""

from tests.channels.vendors import CREDENTIALS, add_channel, post
from tests.channels.webhooks import CONTACT, messenger, outcome, says


def test_a_teammates_reply_from_the_page_silences_the_bot(query, replied):
    echo = {"is_echo": True, "mid": "m_mia", "app_id": 263902037430900, "text": "Mia here"}
    for _ in range(2):
        messenger({"message": echo}, sender="1", recipient=CONTACT)

    assert query("select mode, silent_until > now() from conversations") == [("human", True)]
    assert query("select author, body from messages") == [("teammate", "Mia here")]


def test_what_an_app_writes_that_the_organization_calls_automatic_is_no_takeover(query, replied):
    query('update channels set settings = \'{"automations": ["263902037430900"]}\'')
    for app_id, mode in ((263902037430900, "bot"), (555, "human")):
        echo = {"is_echo": True, "mid": f"m_{app_id}", "app_id": app_id, "text": "We got it!"}
        messenger({"message": echo}, sender="1", recipient=CONTACT)

        assert query("select mode from conversations") == [(mode,)]


def test_a_page_that_names_no_app_of_ours_takes_no_takeover_for_its_own(query, windmill):
    nameless = {name: one for name, one in CREDENTIALS["messenger"].items() if name != "app_id"}
    add_channel(query, "messenger", "1", nameless)
    says("Hello")
    messenger({"take_thread_control": {"previous_owner_app_id": "77"}})

    assert query("select mode from conversations") == [("human",)]


def test_an_echo_of_our_own_app_is_never_a_teammate(query, replied):
    echo = {"is_echo": True, "mid": "m_x", "app_id": 77, "text": "Hi!"}
    messenger({"message": echo}, sender="1", recipient=CONTACT)

    assert query("select mode from conversations") == [("bot",)]


def test_what_our_own_number_says_in_a_conversation_is_not_answered(query, windmill):
    add_channel(query, "twilio", "14155238886", settings={"names": ["acme"]})
    event = {"EventType": "onMessageAdded", "ConversationSid": "CH1", "AccountSid": "AC1"}
    event |= {"MessageSid": "IM1", "Author": "whatsapp:+14155238886", "Body": "@acme open?"}

    post("twilio", "14155238886", event)

    assert outcome(query) == {"ignored:own_message": 1}
    assert windmill.started == []


def test_the_bot_takes_over_again_when_the_teammate_was_silent_for_long(query, conn, replied):
    query("update conversations set mode = 'human', silent_until = now() - interval '1 minute'")
    query("select give_back_conversations()")

    assert query("select mode, silent_until from conversations") == [("bot", None)]


def test_a_thread_handed_to_another_app_is_theirs_until_it_is_handed_to_us(query, page):
    says("Hello")
    messenger({"take_thread_control": {"previous_owner_app_id": "77"}})
    taken = query("select mode, silent_until from conversations")
    messenger({"pass_thread_control": {"new_owner_app_id": 77}})

    assert taken == [("human", None)]
    assert query("select mode from conversations") == [("bot",)]


def test_what_another_app_answers_in_standby_is_not_read(query, windmill, page):
    standby = {"sender": {"id": CONTACT}, "message": {"mid": "m_1", "text": "Hi"}}
    post("messenger", "1", {"object": "page", "entry": [{"id": "1", "standby": [standby]}]})

    assert query("select count(*) from inbound_messages") == [(0,)]
    assert windmill.started == []
