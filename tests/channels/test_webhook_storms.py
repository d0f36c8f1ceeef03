"""Webhooks that come too often, too many at once, from others, too late, or in a bad moment."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg2
import pytest

from f.channels.accounts import sealing_place
from f.shared.crypto import seal
from f.shared.errors import UpstreamDown
from f.shared.text import storable
from tests.channels.test_receive_webhook import PHONE_NUMBER_ID, post, signed, text_message
from tests.conftest import SEALING_KEY
from tests.fake_graph import SECRETS

OTHER_SECRETS = {**SECRETS, "app_secret": "the other organization's"}
SECOND, FOREIGN = "0c000000-0000-4000-8000-000000000008", "0c000000-0000-4000-8000-000000000009"
NASTY = [
    *("'; drop table messages; --", "%", "_", "\\", "$$", "{}", "%s", "%(id)s", "\\x00", "$1"),
    *("<!channel>", "*bold_", "=HYPERLINK(1)", "\u202ee", "\u200b", "\U000e0041", "e\u0301" * 99),
    *("NaN", "null", "../../etc", "\u2028", "🧑‍🚒", "\ufffd", "\x1b[31m", "a\r\nb", "日本", "٣"),
]  # fmt: skip


def batch(messages: list[dict], phone_number_id=PHONE_NUMBER_ID) -> dict:
    value = {"metadata": {"phone_number_id": phone_number_id}, "messages": messages}
    return {"id": "1", "changes": [{"field": "messages", "value": value}]}


def body_of(*entries: dict) -> bytes:
    return json.dumps({"object": "whatsapp_business_account", "entry": list(entries)}).encode()


def message(number: int, contacts: int, prefix="m", text="Hi") -> dict:
    sender = f"1555{number % contacts:04d}"
    common = {"from": sender, "id": f"wamid.{prefix}{number}", "timestamp": str(int(time.time()))}
    return {**common, "type": "text", "text": {"body": text}}


@pytest.fixture
def numbers(query, whatsapp):
    """Beside the demo's number: a second one (998) of its app, and another organization's (999)."""
    other = "insert into organizations (plan_id, name) values ('demo', 'Other') returning id"
    [(organization_id,)] = query(other)
    [(chatbot_id,)] = query(
        "insert into chatbots (organization_id, name, instructions, unknown_reply)"
        " values (%s, 'Canary', 'x', 'x') returning id",
        organization_id,
    )
    [(own, bot)] = query("select organization_id, chatbot_id from channels where kind = 'whatsapp'")
    for channel_id, owner, chatbot, account_id, secrets in (
        (SECOND, own, bot, "998", SECRETS),
        (FOREIGN, organization_id, chatbot_id, "999", OTHER_SECRETS),
    ):
        query(
            "insert into channels (id, organization_id, chatbot_id, kind, name, url_key,"
            " account_id, sealed_credentials) values (%s, %s, %s, 'whatsapp', 'x', %s, %s, %s)",
            *(channel_id, owner, chatbot, f"number-{account_id}", account_id),
            seal(SEALING_KEY, json.dumps(secrets), sealing_place(channel_id)),
        )


def test_w02_a_delivery_that_comes_fifty_times_at_once_is_stored_once(query, windmill, whatsapp):
    body = body_of(batch([message(number, contacts=10) for number in range(10)]))
    barrier = Barrier(50)

    def deliver(_) -> int:
        barrier.wait()
        return post(body)["windmill_status_code"]

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(deliver, range(50))) == {200}

    assert query("select count(*), count(distinct provider_message_id) from inbound_messages") == [
        (10, 10)
    ]
    assert len(windmill.started) == 10


def test_w03_a_batch_of_three_numbers_goes_where_each_belongs(query, windmill, numbers):
    bad = {"id": "wamid.bad", "from": {"not": "a number"}, "type": "text", "text": 7}
    status = {"id": "wamid.out", "status": "read", "recipient_id": "15550001"}
    first = batch([message(number, 20) for number in range(59)] + [bad])
    first["changes"][0]["value"]["statuses"] = [status]
    second = batch([message(number, 20, "s") for number in range(40)], "998")
    foreign = batch([message(0, 1, "f")], "999")

    assert post(body_of(first, second, foreign))["windmill_status_code"] == 200

    stored = "select account_id, count(*) from inbound_messages join channels on channels.id ="
    assert sorted(query(f"{stored} channel_id group by 1")) == [(PHONE_NUMBER_ID, 59), ("998", 40)]
    [(outcome,)] = query("select outcome from webhook_deliveries")
    assert (outcome["new"], outcome["receipt"], outcome["ignored:another_account"]) == (99, 1, 1)
    assert sum(outcome.values()) == 102, "the bad item is counted with its reason"


def test_w06_another_organizations_secret_signs_nothing_here(query, windmill, numbers):
    body = text_message("Hi")

    response = post(body, signed(body, OTHER_SECRETS["app_secret"]))

    assert response["windmill_status_code"] == 401
    assert post(body, channel="number-999")["windmill_status_code"] == 401
    assert query("select count(*) from webhook_deliveries") == [(0,)]


def test_w07_a_channel_without_credentials_accepts_nothing(query, windmill, whatsapp):
    query("update channels set sealed_credentials = null")
    body = text_message("Hi")

    for _ in range(2):
        assert post(body, signed(body, ""))["windmill_status_code"] == 503

    assert query("select count(*) from webhook_deliveries") == [(0,)]
    [(code, summary)] = query("select code, summary from alerts")
    assert code == "channel_broken" and "credentials_missing" in summary


def test_w10_a_delivery_replayed_after_thirty_days_is_known(query, windmill, whatsapp):
    post(text_message("Hi"))
    query(
        "update inbound_messages set received_at = now() - interval '30 days', state = 'answered'"
    )
    query("update webhook_deliveries set accepted_at = now() - interval '30 days'")
    query("select forget_accepted_deliveries()")
    query("update conversation_work set due_at = null, nudged_until = null")

    post(text_message("Hi"))

    assert query("select outcome from webhook_deliveries") == [({"duplicate": 1},)]
    assert query("select due_at from conversation_work") == [(None,)]
    assert len(windmill.started) == 1


def test_w16_forged_webhooks_start_no_flow_and_leave_no_row(query, windmill, whatsapp):
    for number in range(50):
        post(text_message("Hi", message_id=str(number)), "sha256=" + "0" * 64)

    assert windmill.started == []
    assert query("select count(*) from webhook_deliveries") == [(0,)]


def test_t08_five_hundred_hostile_texts_come_out_as_they_went_in(query, windmill, whatsapp):
    texts = [f"{start}{end}" for start in NASTY for end in NASTY][:500]
    sent = [message(number, 1, text=text) for number, text in enumerate(texts)]

    assert post(body_of(batch(sent)))["windmill_status_code"] == 200

    stored = [body for (body,) in query("select body from inbound_messages order by id")]
    assert stored == [storable(text) for text in texts]


def test_d01_a_webhook_while_the_database_is_away_is_no_success(query, windmill, whatsapp):
    ingress = windmill.resources["f/channels/ingress_database"]
    windmill.resources["f/channels/ingress_database"] = {**ingress, "host": "127.0.0.1", "port": 1}

    with pytest.raises(UpstreamDown):
        post(text_message("Hi"))

    assert query("select count(*) from webhook_deliveries") == [(0,)]


def test_k01_what_a_killed_receiver_did_not_commit_is_stored_by_the_vendors_next_try(
    query, windmill, whatsapp, monkeypatch
):
    def die(conn, *_):
        query("select pg_terminate_backend(%s, 5000)", conn.info.backend_pid)
        conn.cursor().execute("select 1")

    with monkeypatch.context() as killed:
        killed.setattr("f.channels.inbox.receive", die)
        with pytest.raises((UpstreamDown, psycopg2.Error)):
            post(text_message("Hi"))
    assert query("select count(*) from webhook_deliveries") == [(0,)]

    assert post(text_message("Hi"))["windmill_status_code"] == 200
    assert query("select body from inbound_messages") == [("Hi",)]
