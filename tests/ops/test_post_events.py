"""post_events: what happened reaches the organization's own address, signed, when committed."""

import json
import re

import pytest

import f.shared.safe_fetch as safe_fetch
from f.ops import post_events
from f.ops.standard_webhooks import signature
from local.errors import CannotRun
from local.webhooks_command import add, listed, remove
from tests.conftest import SEALING_KEY
from tests.db.turns import claim, commit, gather
from tests.shared.fake_internet import PRIVATE, PUBLIC, FakeInternet, answer, redirect

URL = "https://shop.example/hook"


@pytest.fixture
def internet(tmp_path, monkeypatch):
    fake = FakeInternet(tmp_path)
    fake.names["shop.example"] = [[PUBLIC]]
    monkeypatch.setattr(safe_fetch, "INTERNET", fake)
    yield fake
    fake.close()


@pytest.fixture
def endpoint(owner, internet):
    """(id, secret) of an endpoint that takes what comes; `posted` reads it there."""
    return add(owner, SEALING_KEY, URL, "")


@pytest.fixture
def posted(operations_database, internet):
    """posted(answer) runs the step: [(headers, body)] that the endpoint got."""
    got = []

    def run(response: bytes = answer(b"")) -> list[tuple[dict, bytes]]:
        got.clear()
        internet.secure_web.answers["/hook"] = lambda c: take(c, internet, got, response)
        run.result = post_events.main(operations_database, SEALING_KEY)
        return list(got)

    return run


def take(connection, internet, got: list, response: bytes) -> None:
    head, _, body = internet.secure_web.requests[-1].partition("\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    while len(body.encode()) < int(headers["content-length"]):
        body += connection.recv(65536).decode()
    got.append((dict(line.split(": ", 1) for line in head.split("\r\n")[1:]), body.encode()))
    connection.sendall(response)


def state(query) -> list[tuple]:
    return query("select state, attempts, due_at > now() from outgoing_events order by created_at")


def test_the_published_vector_is_signed_as_published():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'

    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_message_is_posted_signed_with_what_it_says(arrive, query, endpoint, posted):
    _, conversation_id, _ = arrive("Olá, é a Ada")

    [(headers, body)] = posted()

    event = json.loads(body)
    assert event["type"] == "message.created"
    assert event["data"] | {"written_at": None} == {
        "message_id": str(query("select id from inbound_messages")[0][0]),
        "author": "contact",
        "text": "Olá, é a Ada",
        "written_at": None,
        "conversation_id": conversation_id,
        "contact_id": query("select id::text from contacts")[0][0],
        "channel_id": query("select channel_id::text from conversations")[0][0],
        "channel_kind": "whatsapp",
    }
    timestamp = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(
        endpoint[1], headers["webhook-id"], timestamp, body
    )
    assert headers["webhook-id"] == f"msg_{query('select id from outgoing_events')[0][0]}"
    assert state(query)[0][:2] == ("sent", 1)


def test_replies_and_handovers_are_events_too(arrive, query, endpoint, posted):
    _, conversation_id, _ = arrive("A person please")
    _, fence, arrivals = claim(query, conversation_id)
    turn_id = gather(query, conversation_id, fence, arrivals)[2]
    commit(query, turn_id, fence, ["One moment."])
    query("update outbound_messages set state = 'sent', sent_at = now()")
    query("update conversations set mode = 'human'")
    query("update conversations set mode = 'bot'")
    query("update conversations set mode = 'muted'")

    events = [json.loads(body) for _, body in posted()]

    assert [(e["type"], e["data"].get("author")) for e in events] == [
        ("message.created", "contact"),
        ("message.created", "chatbot"),
        ("conversation.handed_off", None),
        ("conversation.released", None),
    ]


def test_without_an_endpoint_nothing_is_kept(arrive, query):
    arrive("Hello")

    assert query("select count(*) from outgoing_events") == [(0,)]


def test_what_happens_at_one_organization_is_not_told_to_another(arrive, query, endpoint):
    query(
        "with other as ("
        " insert into organizations (plan_id, name) values ('demo', 'Other') returning id)"
        " update webhook_endpoints set organization_id = (select id from other)"
    )
    arrive("Hello")

    assert query("select count(*) from outgoing_events") == [(0,)]


@pytest.mark.parametrize("status", ["500 Oops", "404 Not Found", "429 Slow down"])
def test_what_was_not_taken_is_posted_again_under_the_same_id(
    arrive, query, endpoint, posted, status
):
    arrive("Hello")
    [(first, _)] = posted(answer(b"", status))
    assert posted() == [], "it is not due yet"
    assert state(query) == [("waiting", 1, True)]
    query("update outgoing_events set due_at = now()")

    [(second, _)] = posted()

    assert first["webhook-id"] == second["webhook-id"]
    assert state(query)[0][0] == "sent"
    assert query("select failing_since from webhook_endpoints") == [(None,)]


def test_pauses_grow_and_after_eight_attempts_an_event_is_given_up(query, arrive, endpoint, posted):
    arrive("Hello")
    pauses = []
    for _ in range(8):
        posted(answer(b"", "500 Oops"))
        pauses += query("select round(extract(epoch from due_at - now()) / 60)::integer"
                        " from outgoing_events where state = 'waiting'")  # fmt: skip
        query("update outgoing_events set due_at = now()")

    minutes = [pause for (pause,) in pauses]
    assert [pause // 5 * 5 for pause in minutes[:3]] == [0, 5, 30]
    assert len(minutes) == 7 and all(600 <= pause <= 660 for pause in minutes[5:])
    assert state(query)[0][:2] == ("failed", 8)


@pytest.mark.parametrize(
    ("response", "failing_for"), [("410 Gone", "0 days"), ("500 Oops", "5 days 1 hour")]
)
def test_an_endpoint_that_is_gone_is_switched_off_with_an_alert(
    arrive, query, endpoint, posted, response, failing_for
):
    arrive("Hello")
    arrive("Again")
    query("update webhook_endpoints set failing_since = now() - %s::interval", failing_for)

    posted(answer(b"", response))

    assert query("select is_active from webhook_endpoints") == [(False,)]
    assert {row[0] for row in state(query)} == {"failed"}
    assert query("select code, summary like '%%Hello%%' from alerts") == [
        ("webhook_endpoint_disabled", False)
    ]
    arrive("Later")
    assert query("select count(*) from outgoing_events") == [(2,)]


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["169.254.169.254"]])
def test_an_address_that_leads_inside_is_never_reached(
    arrive, query, endpoint, posted, internet, addresses
):
    internet.names["shop.example"] = [addresses]
    arrive("Hello")

    assert posted() == [] and internet.opened == []
    assert state(query) == [("waiting", 1, True)]


def test_a_redirect_is_not_followed(arrive, query, endpoint, posted, internet):
    arrive("Hello")

    posted(redirect("http://169.254.169.254/"))

    assert len(internet.opened) == 1
    assert state(query) == [("waiting", 1, True)]


def test_an_endpoint_that_fails_does_not_keep_the_others_waiting(
    owner, arrive, query, endpoint, posted, internet
):
    query("update webhook_endpoints set failing_since = now(), url = 'https://silent.example/'")
    add(owner, SEALING_KEY, URL, "")
    internet.names["silent.example"] = [[PRIVATE]]
    arrive("Hello")

    assert len(posted()) == 1
    assert posted.result == {"taken": 1, "refused": 1}


def test_a_secret_of_another_key_is_no_reason_to_stop(query, arrive, endpoint, posted):
    query("update webhook_endpoints set sealed_secret = 'bm9uc2Vuc2U='")
    arrive("Hello")

    assert posted() == []
    assert posted.result == {"taken": 0, "refused": 1}
    assert state(query) == [("waiting", 1, True)]


def test_no_text_and_no_secret_is_in_the_steps_result(arrive, endpoint, posted, query):
    arrive("My number is 4111")
    posted()

    assert posted.result == {"taken": 1, "refused": 0}
    assert not re.search("4111", repr(post_events.Claimed("", "", "", "", "", {"t": "4111"}, None)))
    sealed = query("select sealed_secret from webhook_endpoints")[0][0]
    assert endpoint[1] not in sealed


def test_what_was_posted_is_forgotten_after_a_week(arrive, query, endpoint, posted):
    arrive("Hello")
    posted()
    query("update outgoing_events set created_at = now() - interval '8 days'")

    posted()

    assert query("select count(*) from outgoing_events") == [(0,)]


@pytest.mark.parametrize(
    "url", ["http://shop.example/hook", "https://localhost/hook", "https://10.0.0.1:8080/", "x"]
)
def test_only_a_public_https_address_can_be_added(owner, url):
    with pytest.raises(CannotRun):
        add(owner, SEALING_KEY, url, "")


def test_an_endpoint_is_listed_and_removed(owner, query, endpoint):
    endpoint_id, secret = endpoint

    shown = listed(owner)
    remove(owner, endpoint_id)

    assert URL in shown and secret not in shown
    assert query("select count(*) from webhook_endpoints") == [(0,)]
    assert secret.startswith("whsec_")
    with pytest.raises(CannotRun):
        remove(owner, endpoint_id)
