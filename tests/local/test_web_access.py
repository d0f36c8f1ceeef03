"""Who may speak for whom in the web chat: tokens, websites, people who are proved."""

import hashlib
import hmac
import time
import uuid

import jwt
import pytest

from tests.local.web_chat import KEY, PNG, SECRET, SHOP, Page, said, with_secret


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"token": None}, "session_token_required"),
        ({"token": "A" * 43}, "session_token_invalid"),
        ({"token": "$var:f/chat/sealing_key"}, "session_token_invalid"),
        ({"session": f"/sessions/{uuid.uuid4()}"}, "session_token_invalid"),
        ({"session": "/sessions/1'or'1"}, "session_token_invalid"),
    ],
)
def test_nobody_reads_or_writes_without_the_sessions_own_token(page, query, changed, code):
    page.say("Secret")
    for name, value in changed.items():
        setattr(page, name, value)

    answers = [page.poll(), page.say("x"), page.upload(PNG), page.call("DELETE", page.session)]

    assert [(each.status, each.code) for each in answers] == [(403, code)] * 4
    assert query("select count(*) from inbound_messages") == [(1,)]


def test_the_token_of_one_session_opens_no_other(page, stranger):
    page.say("Secret")
    stranger.session = page.session

    assert (stranger.poll().status, stranger.poll().code) == (403, "session_token_invalid")
    assert "Secret" not in stranger.poll().body.decode()


def test_the_session_of_one_channel_is_none_on_another(page, query):
    query(
        "insert into channels (organization_id, chatbot_id, kind, name, url_key, account_id,"
        " settings) select organization_id, chatbot_id, kind, name, 'another-chat', 'x', settings"
        " from channels where kind = 'web'"
    )
    page.key = "another-chat"

    assert page.poll().code == "session_token_invalid"


def test_a_session_ends_after_seven_days_however_active_it_was(page, query):
    page.say("Hello")
    query("update web_sessions set expires_at = expires_at - interval '7 days'")

    assert [page.poll().code, page.say().code] == ["session_expired"] * 2


def test_a_website_that_the_organization_named_is_let_in(address):
    origin = "https://help.shop.example"

    answer = Page(address, origin=origin).start()

    assert answer.status == 201
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["null", "https://shop.example.attacker.net"])
def test_other_websites_are_refused_and_cannot_read_why(address, query, origin):
    page = Page(address, origin=origin)

    answer = page.start()

    assert (answer.status, answer.code) == (403, "origin_refused")
    assert "access-control-allow-origin" not in answer.headers
    assert query("select count(*) from web_sessions") == [(0,)]


@pytest.mark.parametrize(
    ("host", "status"), [("{address}", 201), ("evil.example", 403), ("evil.example:{port}", 403)]
)
def test_its_own_page_is_let_in_by_number_and_not_by_a_name_that_leads_here(
    served, address, query, monkeypatch, host, status
):
    monkeypatch.setattr(served.api, "own_origins", frozenset({"http://localhost:1"}))
    named = host.format(address=address, port=address.partition(":")[2])
    page = Page(address, origin=f"http://{named}", headers={"host": named})

    assert page.start().status == status


def test_a_browser_may_ask_first_whether_it_may_ask(address):
    asked = {"access_control_request_method": "POST"}

    allowed = Page(address).call("OPTIONS", "/sessions", **asked)
    refused = Page(address, origin="https://evil.example").call("OPTIONS", "/sessions", **asked)

    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (204, SHOP)
    assert "x-session-token" in allowed.headers["access-control-allow-headers"]
    assert refused.status == 403


def test_a_channel_that_is_none_or_no_web_chat_is_not_found(address):
    for key in ("nobody-here", "demo-whatsapp", "$res:f-chat"):
        assert (Page(address, key=key).start().status) == 404


def identity_hash(identifier: str) -> str:
    return hmac.new(SECRET.encode(), f"visitor:{identifier}".encode(), hashlib.sha256).hexdigest()


def token() -> str:
    claims = {"sub": "ada", "aud": KEY, "exp": time.time() + 600, "name": "Ada"}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def test_a_visitor_who_is_proved_comes_back_to_their_history(address, query):
    with_secret(query)
    phone, laptop = Page(address), Page(address)
    phone.start(identity={"token": token()})
    phone.say("From the phone")

    answer = laptop.start(
        identity={"identifier": "ada", "identifier_hash": identity_hash("ada"), "name": "Eve"}
    )

    assert answer.json["participant"]["is_known"]
    assert said(laptop) == [("From the phone", "contact")]
    assert query("select name from contacts") == [("Ada",)]


def test_who_cannot_prove_who_they_are_is_refused_and_sees_nothing(address, query):
    with_secret(query)
    Page(address).start(identity={"token": token()})

    answer = Page(address).start(identity={"identifier": "ada", "identifier_hash": "0" * 64})

    assert (answer.status, answer.code) == (403, "identity_refused")
    assert query("select count(*) from web_sessions") == [(1,)]


def test_visitors_of_whom_nothing_is_proved_are_never_merged(page, stranger, query):
    page.say("Mine")

    assert said(stranger) == []
    assert query("select count(*) from contacts") == [(2,)]
