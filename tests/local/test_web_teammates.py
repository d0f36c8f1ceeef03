"""Teammates in the web chat: what an organization's own server may do, and nobody else."""

import time
import uuid

import jwt
import pytest

from tests.local.web_chat import KEY, SECRET, Page, said, with_secret


def token(secret: str = SECRET, **changed) -> str:
    claims = {"role": "teammate", "aud": KEY, "exp": time.time() + 600, **changed}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, secret, algorithm="HS256")


@pytest.fixture
def helpdesk(address, query, page):
    """A server of the organization's own; `.conversation` is the visitor's."""
    with_secret(query)
    page.say("Is anybody there?")
    server = Page(address, origin=None)
    [(server.conversation,)] = query("select conversation_id::text from inbound_messages")
    server.headers["authorization"] = f"Bearer {token()}"
    return server


def write(server, text="Mia here.", message_id=None):
    body = {"client_message_id": message_id or str(uuid.uuid4()), "message": text}
    return server.call("POST", f"/conversations/{server.conversation}/messages", body)


def test_what_a_teammate_writes_reaches_the_visitor_and_silences_the_chatbot(helpdesk, page, query):
    assert write(helpdesk).status == 201

    assert said(page) == [("Is anybody there?", "contact"), ("Mia here.", "teammate")]
    assert page.poll().json["session_status"] == "human"
    assert query("select mode, silent_until > now() + interval '23 hours' from conversations") == [
        ("human", True)
    ]


def test_a_post_that_is_repeated_is_one_line(helpdesk, page):
    message_id = str(uuid.uuid4())
    answers = [write(helpdesk, message_id=message_id) for _ in range(2)]

    assert answers[0].json == answers[1].json
    assert len(said(page)) == 2


def test_a_teammate_takes_over_and_gives_back_without_a_word(helpdesk, page):
    seen = []
    for mode in ("human", "bot"):
        path = f"/conversations/{helpdesk.conversation}/mode"
        assert helpdesk.call("POST", path, {"mode": mode}).json == {"session_status": mode}
        seen.append(page.poll().json["session_status"])

    assert seen == ["human", "bot"]


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer x.y.z",
        f"Basic {token()}",
        f"Bearer {token(secret='o' * 64)}",
        f"Bearer {token(role=None, sub='ada')}",
        f"Bearer {token(role='visitor')}",
        f"Bearer {token(aud='another-chat')}",
        f"Bearer {token(exp=time.time() - 60)}",
        f"Bearer {token(exp=time.time() + 86_400)}",
    ],
    ids=range(10),
)
def test_who_shows_no_token_of_a_teammate_writes_nothing(helpdesk, page, query, shown):
    helpdesk.headers["authorization"] = shown

    answer = write(helpdesk)

    assert (answer.status, answer.code) == (403, "teammate_refused")
    assert query("select count(*) from messages") == [(0,)]
    assert query("select mode from conversations") == [("bot",)]


def test_a_channel_without_a_secret_has_no_teammates(helpdesk, query):
    query("update channels set sealed_credentials = null where kind = 'web'")

    assert write(helpdesk).code == "teammate_refused"


def test_a_conversation_of_another_channel_is_not_there(helpdesk, arrive, query):
    _, elsewhere, _ = arrive("Hello")
    for unknown in (elsewhere, str(uuid.uuid4()), "none"):
        helpdesk.conversation = unknown

        assert write(helpdesk).code == "conversation_unknown"
        answer = helpdesk.call("POST", f"/conversations/{unknown}/mode", {"mode": "human"})
        assert (answer.status, answer.code) == (404, "conversation_unknown")
    assert query("select count(*) from messages") == [(0,)]
    assert query("select distinct mode from conversations") == [("bot",)]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("messages", {"client_message_id": str(uuid.uuid4()), "message": " "}, "text_missing"),
        ("messages", {"message": "Hi"}, "client_message_id_wrong"),
        ("mode", {"mode": "muted"}, "mode_wrong"),
        ("mode", ["human"], "mode_wrong"),
    ],
)
def test_a_wrong_call_is_refused_with_what_is_wrong(helpdesk, path, body, code):
    answer = helpdesk.call("POST", f"/conversations/{helpdesk.conversation}/{path}", body)

    assert (answer.status, answer.code) == (400, code)


def test_tokens_cannot_be_tried_without_end(helpdesk):
    helpdesk.headers["authorization"] = "Bearer x"
    codes = {write(helpdesk).code for _ in range(300)}

    assert codes == {"teammate_refused", "too_many_requests"}


def test_a_conversation_that_nobody_may_answer_stays_so(helpdesk, query):
    query("update conversations set mode = 'muted'")
    write(helpdesk)
    path = f"/conversations/{helpdesk.conversation}/mode"
    told = [helpdesk.call("POST", path, {"mode": mode}).json for mode in ("human", "bot")]

    assert told == [{"session_status": "muted"}] * 2
    assert query("select mode from conversations") == [("muted",)]
