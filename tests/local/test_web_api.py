"""The web chat's server: who may speak for whom, what is kept once, and what is told to whom."""

import hashlib
import json
import threading
import uuid
from contextlib import closing

import pytest

from tests.local.web_chat import Page, answered, read_stream, said
from tests.local.web_chat import written_by_teammate as teammate_writes

SEES = [("Hello", "contact"), ("Hi!", "chatbot")]


def test_a_page_learns_what_it_shows_before_anybody_writes(address, query):
    query(
        "update channels set settings = settings || %s where kind = 'web'",
        json.dumps({"privacy_url": "https://shop.example/privacy", "names": ["x"]}),
    )

    facts = Page(address).call("GET").json

    assert facts == {
        "privacy_url": "https://shop.example/privacy",
        "may_be_embedded": True,
        "chatbot": {"name": "Nora"},
    }


def test_a_session_begins_with_a_token_that_only_the_page_has(address, query):
    answer = Page(address).start(language="pt-BR")

    assert answer.status == 201
    assert answer.json["participant"] == {"is_known": False, "name": None}
    assert answer.json["chatbot"] == {"name": "Nora"}
    [(token_hash,)] = query("select token_hash from web_sessions")
    assert token_hash == hashlib.sha256(answer.json["session_token"].encode()).hexdigest()
    assert query("select language from contacts") == [("pt",)]


def test_a_message_is_taken_in_and_a_flow_is_started_for_it(page, query, windmill):
    answer = page.say("Do you ship to Malta?")

    assert (answer.status, answer.json["status"]) == (202, "processing")
    [(conversation,)] = query("select conversation_id::text from inbound_messages")
    assert [args for _, args, _ in windmill.started] == [{"conversation_id": conversation}]


def test_a_post_that_is_repeated_is_answered_the_same_and_kept_once(page, query):
    first, again = (page.say("Hello", message_id="6A1F2C3D-0000-4000-8000-00000000000A")
                    for _ in range(2))  # fmt: skip

    assert (first.status, first.body) == (again.status, again.body)
    assert query("select body from inbound_messages") == [("Hello",)]
    assert len(page.poll().json["messages"]) == 1


def test_the_same_id_of_another_visitor_is_another_message(page, stranger, query):
    same = str(uuid.uuid4())
    page.say("Mine", same)
    stranger.say("Theirs", same)

    assert said(page) == [("Mine", "contact")]
    assert said(stranger) == [("Theirs", "contact")]


def test_a_page_reads_what_was_said_in_order_and_its_own_ids(page, query):
    message_id = page.say("Hello").json["message_id"]
    answered(query, "Hi!")

    found = page.poll().json

    assert said(page) == SEES
    assert [line["number"] for line in found["messages"]] == [1, 2]
    assert [line["client_message_id"] for line in found["messages"]] == [message_id, None]
    assert (found["has_more"], found["session_status"], found["is_typing"]) == (False, "bot", False)


def test_a_page_asks_for_what_came_after_and_for_a_few_at_a_time(page, query):
    page.say("Hello")
    answered(query, "Hi!")

    assert said(page, "?since=1") == SEES[1:]
    assert page.poll("?limit=1").json["has_more"]
    assert said(page, "?limit=1") == SEES[:1]
    assert said(page, "?since=2") == []


def test_while_a_turn_is_open_the_page_shows_that_somebody_writes(page):
    page.say("Hello")

    assert page.poll().json["is_typing"]


def test_a_page_is_told_that_a_teammate_took_over_and_reads_them(page, query):
    page.say("A person please")
    query("update conversations set mode = 'human'")
    teammate_writes(query, "Eva here.")

    found = page.poll().json

    assert (found["session_status"], found["is_typing"]) == ("human", False)
    assert said(page)[1:] == [("Eva here.", "teammate")]


def test_a_long_poll_is_answered_by_the_line_it_waits_for(page, query):
    page.say("Hello")
    timer = threading.Timer(0.3, lambda: answered(query, "Hi!"))
    timer.start()

    found = page.poll("?since=1&wait=20").json

    assert [line["text"] for line in found["messages"]] == ["Hi!"]
    timer.join()


def test_a_long_poll_ends_where_nothing_comes(page):
    assert page.poll("?wait=1").json["messages"] == []


def test_a_stream_tells_lines_and_states_and_goes_on_after_the_last_event(page, query):
    page.say("Hello")
    answered(query, "Hi!")
    with closing(read_stream(page, last_event_id="1")) as events:
        assert next(events) == (None, "status", "bot")
        assert next(events) == ("2", "message", "Hi!")
        teammate_writes(query, "Eva here.")
        assert next(events) == ("3", "message", "Eva here.")
        query("update conversations set mode = 'human'")
        assert next(events) == (None, "status", "human")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": "x"}, "client_message_id_wrong"),
        ({"client_message_id": "1", "message": "x"}, "client_message_id_wrong"),
        ({"client_message_id": str(uuid.uuid4()), "message": " \0\n"}, "text_missing"),
        ({"client_message_id": str(uuid.uuid4()), "message": ["x"]}, "text_missing"),
        ({"client_message_id": str(uuid.uuid4()), "message": "x" * 4001}, "text_too_long"),
        ({"client_message_id": str(uuid.uuid4()), "attachment_id": "1"}, "attachment_unknown"),
        (b"{", "body_not_json"),
        (b'{"message": "a", "message": "b"}', "body_not_json"),
        (b"\xff\xfe", "body_not_json"),
    ],
)
def test_a_wrong_post_is_refused_with_what_is_wrong(page, query, body, code):
    answer = page.call("POST", f"{page.session}/messages", body)

    assert (answer.status, answer.code) == (400, code)
    assert query("select count(*) from webhook_deliveries") == [(0,)]


def test_t03_a_body_over_64_kilobytes_is_refused_before_it_is_read(page):
    answer = page.call("POST", f"{page.session}/messages", b" " * 1_000_000)

    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("$var:f/chat/sealing_key", "$var:f/chat/sealing_key"),
        ("$res:f/chat/app_database", "$res:f/chat/app_database"),
        ("broken \ud83d emoji\0", "broken \ufffd emoji"),
        ("😀" * 4000, "😀" * 4000),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_any_text_is_kept_as_it_was_written(page, query, text, kept):
    assert page.say(text).status == 202

    assert query("select body from inbound_messages") == [(kept,)]
    assert said(page) == [(kept, "contact")]


def test_a_fault_of_ours_is_told_to_the_operator_and_not_to_the_page(page, query, capfd):
    query("update channels set sealed_credentials = 'bm9uc2Vuc2U=' where kind = 'web'")

    answer = page.poll()

    assert (answer.status, answer.code) == (503, "try_again")
    assert "sealing key" in capfd.readouterr().err
