"""A channel's credentials are in nothing that is written, whatever goes wrong with the vendor."""

import json
import traceback

import pytest

from f.channels.messages import Recipient, Request
from f.channels.registry import library, media_library
from f.chat import load_turn, read_attachments, run_agent, send_reply
from f.ops import check_channels
from f.shared.errors import ChatmillError
from local.json_server import JsonServer, Reply
from tests.channels.vendors import CREDENTIALS, add_channel, post
from tests.conftest import SEALING_KEY
from tests.scripted_model import says

MODEL = {"base_url": "", "api_key": "", "model": "scripted", "embedding_model": ""}
CANARY = "canary0secret"
ACCOUNT = "424242"
REFERENCE = "0e000000-0000-4000-8000-000000000001"
FILE = {"provider_media_id": "7", "url": None, "size_bytes": None, "sha256": None}
BODIES = [
    Reply(500, {"error": CANARY}),
    Reply(401, {"error": {"code": 190, "message": CANARY}, "error_code": 401}),
    Reply(
        400,
        {
            "error": {"code": 100, "message": CANARY, "error_data": {"details": CANARY}},
            **{"error_code": 400, "description": f"Bad: {CANARY}"},
            **{"code": 21211, "message": CANARY},
        },
    ),
    Reply(200, {"ok": False}),
    Reply(200, f"<html>{CANARY}".encode()),
    Reply(302, {}, {"location": f"http://127.0.0.1:9/{CANARY}"}),
]
KINDS = ("messenger", "telegram", "twilio", "whatsapp")


def secrets_of(kind: str) -> dict:
    """Every credential holds the canary: the bot's id stays before the colon of its token."""
    named = dict.fromkeys(CREDENTIALS[kind], CANARY)
    return named | ({"bot_token": f"4242:{CANARY}"} if kind == "telegram" else {})


@pytest.fixture(params=[*range(len(BODIES)), "http://127.0.0.1:1", "http://[x", "ftp://x"])
def api_url(request):
    """Vendors that fail in every way, repeating what they were told where they can."""
    if isinstance(request.param, str):
        yield request.param
        return
    with JsonServer(lambda _: BODIES[request.param]) as server:
        yield server.base_url


def _written(act) -> str:
    """What Windmill would show: the result, or the error with its attributes and its trace."""
    try:
        return repr(act())
    except ChatmillError as error:
        trace = "".join(traceback.format_exception(error))
        return f"{trace} {vars(error)}"


@pytest.mark.parametrize("kind", KINDS)
def test_no_failure_of_a_vendor_tells_a_credential(kind, api_url, caplog, capfd):
    channel = library(kind)
    credentials = {**secrets_of(kind), "account_id": ACCOUNT, "api_url": api_url}
    credentials |= {"webhook_url": "https://bot.example.com/x", "waba_id": "300"}
    to, file = Recipient("7", reply_to="1"), FILE | {"url": f"{api_url}/{CANARY}"}
    forged = Request(b"{}", {"x-hub-signature-256": "sha256=00", "x-twilio-signature": "x"})

    written = [
        _written(lambda: channel.send_text(credentials, to, "Hi", REFERENCE)),
        _written(lambda: channel.show_typing(credentials, to)),
        _written(lambda: len(media_library(kind).fetch_media(credentials, file, 1000))),
        _written(lambda: [one.sentence for one in channel.check(credentials)]),
        _written(lambda: channel.subscribe(credentials)),
        _written(lambda: channel.verify(forged, credentials)),
        _written(lambda: channel.handshake({"hub.mode": "subscribe"}, credentials)),
    ]

    assert CANARY not in "".join([*written, caplog.text, *capfd.readouterr()])


def _question(kind: str) -> dict:
    if kind == "telegram":
        chat = {"chat": {"id": 5, "type": "private"}, "from": {"id": 5}}
        return {"update_id": 1, "message": {"message_id": 1, "text": "Hi", **chat}}
    if kind == "twilio":
        sides = {"From": "whatsapp:+5511900000001", "To": "whatsapp:+" + ACCOUNT}
        return {"MessageSid": "SM1", "AccountSid": CANARY, "Body": "Hi", **sides}
    if kind == "messenger":
        event = {"sender": {"id": "9"}, "recipient": {"id": ACCOUNT}}
        entry = {"id": ACCOUNT, "messaging": [event | {"message": {"mid": "m", "text": "Hi"}}]}
        return {"object": "page", "entry": [entry]}
    message = {"from": "15550001", "id": "wamid.1", "type": "text", "text": {"body": "Hi"}}
    value = {"metadata": {"phone_number_id": ACCOUNT}, "messages": [message]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


@pytest.mark.parametrize("reply", [1, 2], ids=["401", "400"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_row_no_argument_and_no_alert_holds_a_credential(
    query, windmill, database, operations_database, model, monkeypatch, kind, reply
):
    query("update channels set is_active = false")
    monkeypatch.setitem(CREDENTIALS, kind, secrets_of(kind))
    model.will(says("Hello."))
    with JsonServer(lambda _: BODIES[reply]) as api:
        add_channel(query, kind, ACCOUNT, api_url=api.base_url)
        post(kind, ACCOUNT, _question(kind))
        conversation_id = windmill.started[0][1]["conversation_id"]
        turn = load_turn.main(database, MODEL, conversation_id)
        place = (turn["turn_id"], turn["fence"])
        written = [
            _written(lambda: read_attachments.main(database, MODEL, SEALING_KEY, *place)),
            _written(lambda: run_agent.main(database, model.resource, *place)),
            _written(lambda: send_reply.main(database, SEALING_KEY, conversation_id, *place)),
            _written(lambda: check_channels.main(operations_database, SEALING_KEY)),
        ]

    rows = _rows_but(query, "webhook_deliveries")  # as the vendor signed it, with its account's id
    assert query("select count(*) from alerts") != [(0,)], "something was told"
    assert CANARY not in "".join([*written, rows, json.dumps(windmill.started, default=str)])


def _rows_but(query, table: str) -> str:
    tables = query(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind = 'r' and relname <> %s",
        table,
    )
    return str([query(f"select to_jsonb({name}) from {name}") for (name,) in tables])
