"""A file is read once and paid once, whoever is lost; one that is taken back is nowhere."""

import json
from contextlib import contextmanager

import pytest

import f.chat.turns as turns
from f.chat import load_turn, read_attachments, run_agent
from f.chat.file_notices import NOTICES
from f.ops.sweep_conversations import forget_files
from f.shared.db import connect
from f.shared.errors import StaleTurn, UpstreamDown
from local.json_server import Reply
from tests.chat.attachments.contact_files import OGG, PNG, TEXT, add_transcription, post_to_whatsapp
from tests.chat.tools import MODEL
from tests.conftest import SEALING_KEY
from tests.db.locks import ask, wait_until_blocked
from tests.scripted_model import says


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


KILLED_AFTER = ["nothing", "the count of the attempt", "the bytes", "the words"]


@pytest.mark.parametrize("commits", range(1, 5), ids=KILLED_AFTER)
def test_a_kill_after_any_commit_neither_loses_nor_pays_again(
    database, says_by_whatsapp, model, ears, query, monkeypatch, commits, turn_of
):
    conversation_id = says_by_whatsapp("audio", OGG)
    slot = {"base_url": f"{ears.base_url}/v1", "kind": "openai", "model": "whisper-1"}
    add_transcription(query, slot)
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


def test_what_a_contact_takes_back_is_nowhere(says_by_whatsapp, turn_of, model, query):
    model.will(says("I see an order."))
    turn_of(says_by_whatsapp("document", TEXT, filename="order.txt", caption="secret words"))
    revoke = {"from": "15550001", "id": "wamid.r", "type": "revoke"}
    revoke |= {"revoke": {"original_message_id": "wamid.15550001.1"}}
    value = {"metadata": {"phone_number_id": "100"}, "messages": [revoke]}
    change = {"field": "messages", "value": value}

    post_to_whatsapp(change)

    assert query("select * from attachments") == []
    kept = query("select body from webhook_deliveries") + query("select body from inbound_messages")
    assert "secret words" not in json.dumps(kept)


def test_a_file_that_is_being_taken_back_is_not_begun(
    database, says_by_whatsapp, query, other, later
):
    load_turn.main(database, MODEL, says_by_whatsapp("document", TEXT))
    [(message_id, channel_id, key)] = query(
        "select id, channel_id::text, provider_message_id from inbound_messages"
    )
    ask(other, "select accept_revocation(%s, %s)", channel_id, key)

    begun = later(query, "select inbound_message_id from begin_attachment(%s)", message_id)
    wait_until_blocked(other)
    other.commit()

    assert begun.result(10) == [(None,)]
    assert query("select * from attachments") == []


def test_files_are_forgotten_after_a_week(
    operations_database, says_by_whatsapp, turn_of, model, query
):
    model.will(says("I see an order."))
    turn_of(says_by_whatsapp("document", TEXT))
    query("update attachments set created_at = now() - interval '8 days'")

    with connect(operations_database) as conn:
        assert forget_files(conn) == 1
