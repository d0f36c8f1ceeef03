"""The web chat's server: who may speak for whom, what is kept once, and what is told to whom."""

import hashlib
import hmac
import json
import threading
import time
import uuid
from contextlib import closing
from http.client import HTTPConnection

import jwt
import pytest

from f.channels.web_media import fetch_media
from f.shared.db import connect
from tests.db.turns import claim, gather
from tests.local.web_chat import KEY, SECRET, SHOP, Page, answered, serving, with_secret
from tests.local.web_chat import written_by_teammate as teammate_writes

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SEES = [("Hello", "contact"), ("Hi!", "chatbot")]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("workspace")) as found:
        yield found


@pytest.fixture
def address(served, databases, windmill, query):
    origins = json.dumps({"origins": ["shop.example", "*.shop.example", "http://localhost:5173"]})
    query("update channels set settings = %s where kind = 'web'", origins)
    return served.on(databases)


@pytest.fixture
def page(address):
    """A page of the shop that was let in."""
    page = Page(address)
    page.start()
    return page


@pytest.fixture
def stranger(address):
    other = Page(address)
    other.start()
    return other


def said(page, query: str = "") -> list[tuple[str, str]]:
    return [(line["text"], line["author"]) for line in page.poll(query).json["messages"]]


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


def read_stream(page, last_event_id: str):
    """(id, kind, text or status) of each event."""
    connection = HTTPConnection(page.address, timeout=20)
    headers = {"x-session-token": page.token, "last-event-id": last_event_id, "origin": SHOP}
    with closing(connection):
        connection.request("GET", f"/api/web/{KEY}{page.session}/events", headers=headers)
        with connection.getresponse() as response:
            assert response.getheader("content-type").startswith("text/event-stream")
            yield from events_in(response)


def events_in(response):
    fields = {}
    while line := response.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        if name in ("id", "event", "data"):
            fields[name] = value
        elif "data" in fields:
            content = json.loads(fields["data"])
            shown = content.get("text") or content["session_status"]
            yield fields.get("id"), fields["event"], shown
            fields = {}


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


def test_one_visitor_holds_so_many_connections_and_no_more(served, page, monkeypatch):
    monkeypatch.setattr("local.web_api.MOST_WAITING", 1)
    with closing(read_stream(page, last_event_id="0")) as events:
        next(events)

        assert page.poll("?wait=1").code == "too_many_requests"


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


def test_a_flood_is_slowed_down_and_says_for_how_long(page, query):
    answers = [page.say() for _ in range(12)]

    assert [answer.status for answer in answers].count(202) == 10
    assert (answers[-1].code, answers[-1].headers["retry-after"]) == ("too_many_requests", "2")
    assert answers[-1].headers["access-control-allow-origin"] == SHOP
    assert query("select count(*) from inbound_messages") == [(10,)]


def test_one_visitors_flood_is_not_anothers(page, stranger):
    for _ in range(11):
        page.say()

    assert stranger.say().status == 202


def test_sessions_cannot_be_opened_without_end_from_one_address(address, query):
    statuses = [Page(address).start().status for _ in range(22)]

    assert statuses.count(201) == 20 and 429 in statuses
    assert not query("select from rate_buckets where subject like '%%127.0.0.1%%'")


def test_tokens_cannot_be_tried_without_end(page):
    page.token = "A" * 43

    assert [page.poll().status for _ in range(130)].count(429) > 0


def test_a_fault_of_ours_is_told_to_the_operator_and_not_to_the_page(page, query, capfd):
    query("update channels set sealed_credentials = 'bm9uc2Vuc2U=' where kind = 'web'")

    answer = page.poll()

    assert (answer.status, answer.code) == (503, "try_again")
    assert "sealing key" in capfd.readouterr().err


def test_what_a_client_says_of_its_address_is_not_believed(address):
    statuses = [
        Page(address, headers={"x-forwarded-for": f"203.0.113.{n}"}).start().status
        for n in range(22)
    ]

    assert 429 in statuses


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    databases, windmill, query, tmp_path
):
    query("""update channels set settings = '{"origins": ["shop.example"]}' where kind = 'web'""")
    with serving(tmp_path, proxies=1) as served:
        address = served.on(databases)
        statuses = [
            Page(address, headers={"x-forwarded-for": f"6.6.6.6, 203.0.113.{n}"}).start().status
            for n in range(22)
        ]

    assert statuses == [201] * 22


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("photo.txt", PNG, "image/png"),
        ("photo.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 40, "image/jpeg"),
        ("offer.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("list.csv", b"a,b\n1,2\n", "text/csv"),
        ("../../etc/passwd", b"hello", "text/plain"),
    ],
)
def test_an_uploaded_file_is_of_the_type_that_its_bytes_say(page, query, name, content, media_type):
    uploaded = page.upload(content, name)
    said_so = page.say("Look", attachment_id=uploaded.json["attachment_id"])

    assert (uploaded.status, said_so.status) == (201, 202)
    assert query("select media ->> 'media_type', kind from inbound_messages") == [
        (media_type, "media")
    ]
    shown = page.poll().json["messages"][0]["file_name"]
    assert "/" not in shown and shown == query("select file_name from web_uploads")[0][0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("picture.svg", b"<svg onload=alert(1)>"),
        ("tool.exe", b"MZ\x90\0\x03"),
        ("offer.pdf", b"PK\x03\x04 no archive"),
        ("text.txt", b"\xff\xfe\0"),
    ],
)
def test_a_file_that_could_do_harm_is_refused(page, query, name, content):
    answer = page.upload(content, name)

    assert (answer.status, answer.code) == (415, "upload_type_refused")
    assert query("select count(*) from web_uploads") == [(0,)]


def test_a_file_over_ten_megabytes_is_refused(page):
    answer = page.upload(PNG + b"\0" * 10_485_760)

    assert answer.status == 413


def test_nobody_attaches_the_file_of_another(page, stranger, query):
    attachment_id = page.upload(PNG).json["attachment_id"]

    assert stranger.say("Mine?", attachment_id=attachment_id).code == "attachment_unknown"


def test_a_file_reaches_the_turn_as_any_vendors_does(page, database, windmill, query):
    windmill.resources["f/chat/app_database"] = database
    page.say("Look", attachment_id=page.upload(PNG).json["attachment_id"])
    [(media,)] = query("select media from inbound_messages")

    assert fetch_media({}, media, 1000) == PNG


def test_a_visitor_has_their_chat_deleted_with_everything_in_it(page, stranger, query):
    page.upload(PNG)
    page.say("My number is 4111")
    answered(query, "Noted.")
    stranger.say("Mine stays")
    used = query("select messages_used, tokens_used from usage_periods")

    assert page.call("DELETE", page.session).status == 204

    assert page.poll().code == "session_token_invalid"
    for table in ("inbound_messages", "webhook_deliveries"):
        assert query(f"select count(*) from {table}") == [(1,)]
    for table in ("outbound_messages", "messages", "turns", "web_uploads"):
        assert query(f"select count(*) from {table}") == [(0,)]
    assert query("select messages_used, tokens_used from usage_periods") == used


def test_a_chat_that_is_deleted_while_it_is_answered_gives_its_reservation_back(page, query):
    page.say("Hello")
    [(conversation_id,)] = query("select id::text from conversations")
    _, fence, arrivals = claim(query, conversation_id)
    gather(query, conversation_id, fence, arrivals)

    assert page.call("DELETE", page.session).status == 204
    assert query("select tokens_reserved, messages_used from usage_periods") == [(0, 0)]


def test_leftovers_are_forgotten(page, query, operations_database):
    page.upload(PNG)
    query("update web_sessions set expires_at = now() - interval '2 days'")
    query("update web_uploads set created_at = now() - interval '31 days'")
    query("update rate_buckets set refilled_at = now() - interval '2 days'")
    with connect(operations_database) as conn, conn.cursor() as cursor:
        cursor.execute("select forget_web_leftovers()")

    for table in ("web_sessions", "web_uploads", "rate_buckets"):
        assert query(f"select count(*) from {table}") == [(0,)]
