"""Files that contacts send: fetched from each vendor, read once, told to one conversation."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import f.chat.turns as turns
from f.agent.model_slot import sealing_place
from f.chat import load_turn, read_attachments, record_usage, run_agent, save_turn, send_reply
from f.chat.attachments import MOST_PICTURES
from f.chat.file_notices import NOTICES, notice
from f.ops.sweep_conversations import forget_files
from f.shared.crypto import seal
from f.shared.db import connect
from f.shared.errors import StaleTurn, UpstreamDown
from local.graph_api import GraphApi
from local.json_server import Reply
from local.messenger_api import MessengerApi
from local.telegram_api import TelegramApi
from local.transcription_api import TranscriptionApi
from local.twilio_api import TwilioApi
from tests.channels.vendors import add_channel, post
from tests.conftest import SEALING_KEY, connected
from tests.scripted_model import calls, says

MODEL = {"base_url": "", "api_key": "", "model": "scripted", "embedding_model": ""}
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
# Opus in Ogg whose last page says 12 seconds.
OGG = b"OggS\0\2" + bytes(8) + b"OpusHead" + b"OggS\0\4" + (12 * 48_000).to_bytes(8, "little")
TEXT = b"Our order 4711 holds nine blue chairs.\n"


@pytest.fixture
def graph(query, windmill):
    """WhatsApp's stand-in, with a channel connected to it."""
    with GraphApi("EAAtoken", ["100"]) as api:
        add_channel(query, "whatsapp", "100", api_url=api.base_url)
        yield api


@pytest.fixture
def ears(model):
    """An endpoint for transcription, at the model's address."""
    with TranscriptionApi("model-key") as api:
        yield api


@pytest.fixture
def says_by_whatsapp(query, graph):
    """send(kind, content, ...) posts a file as WhatsApp does; the conversation's id."""

    def send(kind: str, content: bytes | None, wa_id="15550001", number=1, caption=None, **body):
        if content is not None:
            graph.files[f"media{number}"] = content
        body |= {"id": f"media{number}"} | ({"caption": caption} if caption else {})
        message = {"from": wa_id, "id": f"wamid.{wa_id}.{number}", "type": kind, kind: body}
        value = {"metadata": {"phone_number_id": "100"}, "contacts": [{"wa_id": wa_id}]}
        value |= {"messages": [message]}
        change = {"field": "messages", "value": value}
        _post_to_whatsapp(change)
        return query(
            "select conversation_id::text from inbound_messages where provider_message_id = %s",
            message["id"],
        )[0][0]

    return send


@pytest.fixture
def turn_of(database, model, ears, query):
    """answer(conversation id, ...) goes through the flow's steps until the reply is committed;
    the replies."""

    def answer(conversation_id: str, seeing=True, hearing=False) -> list[str]:
        resource = {**model.resource, "sees_pictures": seeing}
        if hearing:
            slot = {"base_url": f"{ears.base_url}/v1", "kind": "openai", "model": "whisper-1"}
            _add_transcription(query, slot)
        turn = load_turn.main(database, MODEL, conversation_id)
        place = (turn["turn_id"], turn["fence"])
        if turn["has_files"]:
            read_attachments.main(database, resource, SEALING_KEY, *place)
        assert run_agent.main(database, resource, *place)["state"] == "answered"
        return [
            body
            for (body,) in query(
                "select body from outbound_messages where turn_id = %s order by position", place[0]
            )
        ]

    return answer


def _post_to_whatsapp(change: dict) -> None:
    entry = {"id": "1", "changes": [change]}
    post("whatsapp", "100", {"object": "whatsapp_business_account", "entry": [entry]})


def _add_transcription(query, slot: dict) -> None:
    [(slot_id,)] = query(
        "insert into model_slots (organization_id, chatbot_id, purpose, kind, model, base_url)"
        " select organization_id, id, 'transcription', %s, %s, %s from chatbots limit 1"
        " returning id::text",
        *(slot["kind"], slot["model"], slot["base_url"]),
    )
    sealed = seal(SEALING_KEY, "model-key", sealing_place(slot_id))
    query("update model_slots set sealed_key = %s where id = %s", sealed, slot_id)


def _asked(model) -> list | str:
    """What the model was asked last."""
    return model.requests[-1]["messages"][-1]["content"]


def test_more_than_ten_files_at_once_are_not_read(says_by_whatsapp, turn_of, model, query):
    model.will(says("Many chairs."))
    for number in range(1, 13):
        conversation_id = says_by_whatsapp("image", PNG, number=number)

    assert turn_of(conversation_id) == [NOTICES["en"]["media_too_many"], "Many chairs."]
    assert query("select state, count(*) from attachments group by 1 order by 1") == [
        ("read", 10),
        ("refused", 2),
    ]
    pictures = [part for part in _asked(model) if part["type"] == "image_url"]
    assert len(pictures) == MOST_PICTURES


def test_a_recording_of_more_than_ten_minutes_is_not_paid_for(
    says_by_whatsapp, turn_of, model, ears
):
    long = OGG[:-8] + (601 * 48_000).to_bytes(8, "little")
    conversation_id = says_by_whatsapp("audio", long)

    assert turn_of(conversation_id, hearing=True) == [NOTICES["en"]["media_too_large"]]
    assert ears.heard == []


def test_a_model_that_sees_is_shown_the_picture(says_by_whatsapp, turn_of, model):
    conversation_id = says_by_whatsapp("image", PNG, caption="Do you sell this?")
    model.will(says("Yes, in blue."))

    assert turn_of(conversation_id) == ["Yes, in blue."]

    words, picture = _asked(model)
    assert words == {"type": "text", "text": "Do you sell this?"}
    encoded = base64.b64encode(PNG).decode()
    assert picture["image_url"]["url"] == f"data:image/png;base64,{encoded}"


def test_where_no_model_sees_the_contact_is_told_and_the_words_are_answered(
    says_by_whatsapp, turn_of, model, graph
):
    conversation_id = says_by_whatsapp("image", PNG, caption="Are you open?")
    model.will(says("Until six."))

    assert turn_of(conversation_id, seeing=False) == [
        NOTICES["en"]["picture_not_seen"],
        "Until six.",
    ]
    assert _asked(model) == "Are you open?"


def test_a_file_without_words_that_cannot_be_read_costs_no_model(
    says_by_whatsapp, turn_of, model, query
):
    conversation_id = says_by_whatsapp("video", b"\0\0\0\x18ftypmp42")
    query("update contacts set language = 'pt-BR'")

    assert turn_of(conversation_id) == [NOTICES["pt"]["media_unsupported"]]
    assert model.requests == []


def test_a_voice_message_is_answered_by_what_it_says(says_by_whatsapp, turn_of, model, ears, query):
    conversation_id = says_by_whatsapp("audio", OGG, voice=True)
    model.will(says("At nine."))

    assert turn_of(conversation_id, hearing=True) == ["At nine."]

    assert ears.heard == [OGG]
    assert _asked(model) == "When do you open?"
    assert query("select body from inbound_messages") == [("When do you open?",)]
    assert query("select content from attachments") == [(None,)], "only the words are kept"


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"type": "duration", "seconds": 7}, (7, 0, False)),
        ({"type": "tokens", "input_tokens": 70, "output_tokens": 9}, (70, 9, False)),
        (None, (12, 0, True)),
    ],
)
def test_what_hearing_costs_is_charged_with_the_turn(
    says_by_whatsapp, turn_of, model, ears, query, usage, told
):
    ears.usage = usage
    query("insert into prices values ('whisper-1', '2020-01-01', 10000, 20000)")
    model.will(says("At nine."))
    turn_of(says_by_whatsapp("audio", OGG), hearing=True)

    assert query(
        "select input_tokens, output_tokens, is_estimated from model_calls where draft = 9"
    ) == [told]
    [(turn_id,)] = query("select id from turns")
    [(cost,)] = query(
        "select sum(cost) from usage_holds, calls_of(usage_holds) as calls"
        " where turn_id = %s and calls.model = 'whisper-1'",
        turn_id,
    )
    assert cost == told[0] * 10000 + told[1] * 20000


def test_a_transcription_that_was_paid_is_used_after_a_kill(
    database, says_by_whatsapp, model, ears, query, graph, turn_of
):
    conversation_id = says_by_whatsapp("audio", OGG)
    model.will(says("At nine."))
    turn_of(conversation_id, hearing=True)
    turn = query("select turns.id::text, fence from turns, conversation_work")[0]
    graph.files.clear()

    again = read_attachments.main(database, model.resource, SEALING_KEY, *turn)

    assert again == {"read": 0, "refused": 0}
    assert len(ears.heard) == 1
    assert query("select count(*) from model_calls where draft = 9") == [(1,)]


def test_a_file_that_was_fetched_before_a_kill_is_not_fetched_again(
    database, says_by_whatsapp, model, ears, query, graph, turn_of
):
    conversation_id = says_by_whatsapp("audio", OGG)
    ears.failures = [503]
    with pytest.raises(UpstreamDown):
        turn_of(conversation_id, hearing=True)
    graph.files.clear()
    model.will(says("At nine."))
    turn = query("select turns.id::text, fence from turns, conversation_work")[0]

    read_attachments.main(database, model.resource, SEALING_KEY, *turn)

    assert query("select state, attempts, text from attachments") == [
        ("read", 2, "When do you open?")
    ]


def test_a_file_that_kills_its_reader_is_given_up(
    database, says_by_whatsapp, model, query, monkeypatch
):
    turn = load_turn.main(database, MODEL, says_by_whatsapp("document", TEXT))
    place = (database, model.resource, SEALING_KEY, turn["turn_id"], turn["fence"])
    monkeypatch.setattr("f.agent.document_reading.extract", _killed)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            read_attachments.main(*place)

    assert read_attachments.main(*place) == {"read": 0, "refused": 1}
    assert query("select state, refusal from attachments") == [("refused", "document_unreadable")]


def _killed(*_):
    raise KeyboardInterrupt


def test_a_vendor_without_the_file_is_asked_three_times_and_the_contact_told(
    database, says_by_whatsapp, model, query, turn_of, graph
):
    conversation_id = says_by_whatsapp("document", None)
    graph.files = {}
    turn = load_turn.main(database, MODEL, conversation_id)
    graph.will_fail(*[_down()] * 3)
    place = (database, model.resource, SEALING_KEY, turn["turn_id"], turn["fence"])

    for _ in range(2):
        with pytest.raises(UpstreamDown):
            read_attachments.main(*place)
    assert read_attachments.main(*place) == {"read": 0, "refused": 1}

    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    assert query("select body from outbound_messages") == [(NOTICES["en"]["media_lost"],)]


def _down():
    return Reply(500, {"error": {"code": 131000, "message": "Something went wrong"}})


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


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("image", b"%PDF-1.7 no picture", "media_unsupported"),
        ("audio", b"#!/bin/sh\nrm -rf /", "media_unsupported"),
        ("document", b"PK\x03\x04 no archive", "document_broken"),
        ("document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "media_unsupported"),
        ("image", b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "media_too_large"),
    ],
)
def test_a_file_is_what_its_bytes_say(says_by_whatsapp, turn_of, query, ears, kind, content, code):
    replies = turn_of(says_by_whatsapp(kind, content), hearing=True)

    assert query("select state, refusal, content from attachments") == [("refused", code, None)]
    assert replies == [notice(code, "en", {})]


def test_a_picture_that_came_as_a_file_is_looked_at(says_by_whatsapp, turn_of, model):
    model.will(says("A chair."))
    turn_of(says_by_whatsapp("document", PNG, filename="scan.bin"))

    assert _asked(model)[1]["type"] == "image_url"


@pytest.mark.parametrize("caption", [None, "Which is better?"])
def test_of_what_we_are_not_shown_the_contact_is_told_and_the_rest_is_answered(
    query, windmill, graph, turn_of, model, caption
):
    _post_to_whatsapp(_unsupported("wamid.poll"))
    if caption:
        text = {"from": "15550001", "id": "wamid.text", "type": "text", "text": {"body": caption}}
        _post_to_whatsapp(_of_number(text))
        model.will(says("The blue one."))

    [(conversation_id,)] = query("select id::text from conversations")
    replies = turn_of(conversation_id)

    assert replies == [NOTICES["en"]["message_unseen"], *(["The blue one."] if caption else [])]
    assert "unsupported" not in json.dumps([one["messages"][1:] for one in model.requests])


def _unsupported(message_id: str) -> dict:
    message = {"from": "15550001", "id": message_id, "type": "unsupported"}
    poll = {"unsupported": {"type": "poll_creation"}, "errors": [{"code": 131051}]}
    return _of_number(message | poll)


def _of_number(message: dict) -> dict:
    value = {"metadata": {"phone_number_id": "100"}, "contacts": [{"wa_id": "15550001"}]}
    return {"field": "messages", "value": value | {"messages": [message]}}


def test_a_sentence_of_the_organizations_own_goes_before_ours():
    assert notice("media_lost", "fr", {"notices": {"media_lost": "Encore !"}}) == "Encore !"
    assert {frozenset(words) for words in NOTICES.values()} == {frozenset(NOTICES["en"])}


def test_what_a_contact_takes_back_is_nowhere(says_by_whatsapp, turn_of, model, query):
    model.will(says("I see an order."))
    turn_of(says_by_whatsapp("document", TEXT, filename="order.txt", caption="secret words"))
    revoke = {"from": "15550001", "id": "wamid.r", "type": "revoke"}
    revoke |= {"revoke": {"original_message_id": "wamid.15550001.1"}}
    value = {"metadata": {"phone_number_id": "100"}, "messages": [revoke]}
    change = {"field": "messages", "value": value}

    _post_to_whatsapp(change)

    assert query("select * from attachments") == []
    kept = query("select body from webhook_deliveries") + query("select body from inbound_messages")
    assert "secret words" not in json.dumps(kept)


def test_a_file_that_is_being_taken_back_is_not_begun(database, says_by_whatsapp, query):
    load_turn.main(database, MODEL, says_by_whatsapp("document", TEXT))
    [(message_id, channel_id, key)] = query(
        "select id, channel_id::text, provider_message_id from inbound_messages"
    )
    begin = "select inbound_message_id from begin_attachment(%s)"
    with ThreadPoolExecutor(1) as pool, connected(database) as revoking:
        with revoking.cursor() as cursor:
            cursor.execute("select accept_revocation(%s, %s)", (channel_id, key))
        begun = pool.submit(query, begin, message_id)
        _until_somebody_waits(database)
        revoking.commit()

        assert begun.result(10) == [(None,)]
    assert query("select * from attachments") == []


def _until_somebody_waits(database) -> None:
    waiting = "select exists (select from pg_locks where not granted)"
    deadline = time.monotonic() + 10
    with connected(database) as looking, looking.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


KILLED_AFTER = ["nothing", "the count of the attempt", "the bytes", "the words"]


@pytest.mark.parametrize("commits", range(1, 5), ids=KILLED_AFTER)
def test_a_kill_after_any_commit_neither_loses_nor_pays_again(
    database, says_by_whatsapp, model, ears, query, monkeypatch, commits, turn_of
):
    conversation_id = says_by_whatsapp("audio", OGG)
    slot = {"base_url": f"{ears.base_url}/v1", "kind": "openai", "model": "whisper-1"}
    _add_transcription(query, slot)
    turn = load_turn.main(database, MODEL, conversation_id)
    place = (database, model.resource, SEALING_KEY, turn["turn_id"], turn["fence"])
    with monkeypatch.context() as patch:
        patch.setattr("f.chat.turns.transaction", _killing(turns.transaction, commits))
        with pytest.raises(KeyboardInterrupt):
            read_attachments.main(*place)

    read_attachments.main(*place)

    assert query("select body from inbound_messages") == [("When do you open?",)]
    assert len(ears.heard) == 1
    assert query("select count(*) from model_calls where draft = 9") == [(1,)]


def _killing(transaction, commits: int):
    """The same, and the process ends behind so many commits."""
    left = iter(range(commits - 1, -1, -1))

    @contextmanager
    def until_killed(*arguments):
        with transaction(*arguments) as conn:
            yield conn
        if next(left, None) == 0:
            raise KeyboardInterrupt

    return until_killed


def test_a_late_worker_writes_nothing_of_a_file(database, says_by_whatsapp, model, query):
    conversation_id = says_by_whatsapp("document", TEXT)
    turn = load_turn.main(database, MODEL, conversation_id)
    query("update conversation_work set fence = fence + 1")

    with pytest.raises(StaleTurn):
        read_attachments.main(database, model.resource, SEALING_KEY, turn["turn_id"], turn["fence"])

    assert query("select * from attachments") == []


def test_a_file_that_comes_while_the_agent_thinks_is_read_first(
    database, says_by_whatsapp, model, query, windmill
):
    conversation_id = says_by_whatsapp("text", None, body="Do you sell this?")
    turn = load_turn.main(database, MODEL, conversation_id)
    model.meanwhile(lambda: says_by_whatsapp("image", PNG, number=2))
    model.will(says("What?"))
    windmill.started.clear()

    done = run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])

    assert done["state"] == "files_waiting"
    assert windmill.started[-1][1] == {"conversation_id": conversation_id}
    assert load_turn.main(database, MODEL, conversation_id)["has_files"]


def test_files_are_forgotten_after_a_week(
    operations_database, says_by_whatsapp, turn_of, model, query
):
    model.will(says("I see an order."))
    turn_of(says_by_whatsapp("document", TEXT))
    query("update attachments set created_at = now() - interval '8 days'")

    with connect(operations_database) as conn:
        assert forget_files(conn) == 1


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
