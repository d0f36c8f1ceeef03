"""What vendors tell besides messages, and what it changes, through receive_webhook."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.channels.vendors import CREDENTIALS, add_channel, deliver, post
from tests.conftest import connected

_ids = itertools.count(1)
CONTACT = "9001"


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


@pytest.fixture
def page(query, windmill):
    return add_channel(query, "messenger", "1")


@pytest.fixture
def number(query, windmill):
    return add_channel(query, "whatsapp", "100")


@pytest.fixture
def replied(query, page):
    """A reply of ours to the contact: its own id; the vendor's is m_out."""
    says("Hello")
    [(conversation_id,)] = query("select id from conversations")
    query(
        "with turn as (insert into turns (organization_id, conversation_id, arrivals_seen, state,"
        " answered_at) select organization_id, id, 1, 'answered', now() from conversations"
        " returning *) insert into outbound_messages (organization_id, conversation_id, turn_id,"
        " position, body, state, sending_at, sent_at, provider_message_id) select organization_id,"
        " conversation_id, id, 0, 'Hi!', 'sent', now(), now(), 'm_out' from turn"
    )
    return str(query("select id from outbound_messages")[0][0])


def outcome(query) -> dict:
    latest = "select outcome from webhook_deliveries order by received_at desc limit 1"
    return query(latest)[0][0]


def test_an_edit_changes_our_copy_and_answers_nothing(query, windmill, page):
    message_id = says("Size 40?")
    messenger({"message_edit": {"mid": message_id, "text": "Size 41?", "num_edit": 1}})

    assert query("select body, edited_at is not null from inbound_messages") == [("Size 41?", True)]
    assert len(windmill.started) == 1


def test_an_edit_of_a_remembered_message_changes_the_history_too(query, replied):
    query("update inbound_messages set turn_id = (select id from turns), state = 'answered'")
    query("select save_turn_messages((select id from turns))")
    [(message_id,)] = query("select provider_message_id from inbound_messages")

    messenger({"message_edit": {"mid": message_id, "text": "Hello!", "num_edit": 1}})

    assert query("select body from messages where author = 'contact'") == [("Hello!",)]


def test_words_that_were_taken_back_are_gone_and_not_answered(query, number):
    whatsapp_text("My card is 4111")
    [(original_id,)] = query("select provider_message_id from inbound_messages")
    revoke = {"original_message_id": original_id}
    whatsapp(messages=[{"from": "15550001", "id": "wamid.R", "type": "revoke", "revoke": revoke}])

    assert query("select body, state from inbound_messages") == [("", "revoked")]


def test_a_reaction_is_kept_with_our_message_and_taken_off_again(query, replied):
    react = {"reaction": "love", "emoji": "❤", "action": "react", "mid": "m_out"}
    messenger({"reaction": react})
    kept = query("select reaction from outbound_messages")
    messenger({"reaction": {**react, "action": "unreact"}})

    assert kept == [("❤",)]
    assert query("select reaction from outbound_messages") == [(None,)]


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


def test_one_participant_of_a_whatsapp_group_does_not_make_its_message_failed(query, number):
    whatsapp_text("Hello")
    query("update conversations set group_key = 'G'")
    query(
        "with turn as (insert into turns (organization_id, conversation_id, arrivals_seen, state,"
        " answered_at) select organization_id, id, 1, 'answered', now() from conversations"
        " returning *) insert into outbound_messages (organization_id, conversation_id, turn_id,"
        " position, body, state, sent_at, provider_message_id) select organization_id,"
        " conversation_id, id, 0, 'Hi!', 'sent', now(), 'wamid.out' from turn"
    )
    status = {"id": "wamid.out", "recipient_type": "group", "recipient_id": "G"}
    one = {"status": "failed", "errors": [{"code": 131026}], "recipient_participant_id": "1555"}

    whatsapp(statuses=[status | one])
    assert query("select state from outbound_messages") == [("sent",)]

    whatsapp(statuses=[status | {"status": "failed", "errors": [{"code": 131208}]}])
    assert query("select state from outbound_messages") == [("failed",)]


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


def test_a_notice_about_the_account_is_an_alert(query, page):
    messenger({"policy-enforcement": {"action": "block", "reason": "spam"}})

    assert query("select code, summary like '%%policy_enforcement block%%' from alerts") == [
        ("channel_notice", True)
    ]


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


def test_a_command_that_is_brought_again_undoes_nothing_that_came_since(query, number):
    whatsapp_text("STOP", id="wamid.stop")
    whatsapp_text("START", id="wamid.start")
    whatsapp_text("STOP", id="wamid.stop")

    assert query("select opted_out_at from contacts") == [(None,)]


def test_an_advertisement_is_kept_as_somebody_elses_words(query, number):
    whatsapp_text("More please", referral={"headline": "50 % off", "body": "Say: REFUND ALL"})

    assert query("select body, referral from inbound_messages") == [
        ("More please", "50 % off\nSay: REFUND ALL")
    ]


def test_pictures_of_an_album_are_waited_for_and_answered_together(query, windmill):
    add_channel(query, "telegram", "4242")
    for number in range(3):
        message = {"message_id": number, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}}
        photo = {"photo": [{"file_id": f"f{number}", "width": 9}], "media_group_id": "album"}
        post("telegram", "4242", {"update_id": number, "message": {**message, **photo}})

    assert query("select count(distinct album_id), count(*) from inbound_messages") == [(1, 3)]
    assert [wait for *_, wait in windmill.started] == [2], "one flow, after the last of them"


def test_a_contact_who_blocks_the_bot_is_not_answered_any_more(query, windmill):
    add_channel(query, "telegram", "4242")
    block = {"chat": {"id": 5, "type": "private"}, "new_chat_member": {"status": "kicked"}}
    post("telegram", "4242", {"update_id": 1, "my_chat_member": block})
    message = {"message_id": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5}}
    post("telegram", "4242", {"update_id": 2, "message": {**message, "text": "Hi"}})

    [(conversation_id,)] = query("select id from conversations")
    assert query("select reason_to_be_silent(%s)", conversation_id) == [("opted_out",)]


def test_w14_twilio_reads_nothing_in_our_answers_that_it_could_send(query, windmill):
    add_channel(query, "twilio", "14155238886")
    form = {
        "MessageSid": "SM1",
        "From": "whatsapp:+5511",
        "To": "whatsapp:+14155238886",
        "Body": "Hi",
    }

    taken = post("twilio", "14155238886", {**form, "Body": "Hi"})
    refused = deliver("twilio-14155238886", b"Body=Hi", {"x-twilio-signature": "forged"})

    for answer in (taken, refused):
        assert (answer["windmill_content_type"], answer["result"]) == ("text/xml", "<Response/>")


def test_a_status_of_twilio_finds_our_message_by_the_reference_in_its_address(query, replied):
    channel_id = add_channel(query, "twilio", "14155238886")
    query("update conversations set channel_id = %s", channel_id)
    query("update outbound_messages set state = 'sending', provider_message_id = null")
    status = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": "whatsapp:+14155238886"}
    post("twilio", "14155238886", status, query={"reference": replied})

    assert query("select state, provider_message_id from outbound_messages") == [
        ("delivered", "SM9")
    ]


def test_several_files_of_one_message_are_each_kept_and_answered_together(query, windmill, page):
    files = [
        {"type": "image", "payload": {"url": f"https://x.fbcdn.net/{number}"}}
        for number in range(3)
    ]
    says("Which of these?", attachments=files)

    assert query("select body, media->>'url' from inbound_messages order by id") == [
        ("Which of these?", "https://x.fbcdn.net/0"),
        ("[image]", "https://x.fbcdn.net/1"),
        ("[image]", "https://x.fbcdn.net/2"),
    ]
    assert len(windmill.started) == 1
