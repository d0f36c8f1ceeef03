"""receive_webhook and confirm_webhook, through preprocessor and main, as Windmill calls them."""

import hashlib
import hmac
import json
import time

import pytest

from f.channels import confirm_webhook, receive_webhook
from f.channels.accounts import sealing_place
from f.shared.crypto import seal
from tests.conftest import SEALING_KEY
from tests.fake_graph import SECRETS

SIBLING_ID = "0c000000-0000-4000-8000-000000000009"
PHONE_NUMBER_ID = "100000000000001"


def text_message(text: str, message_id="wamid.1", phone_number_id=PHONE_NUMBER_ID) -> bytes:
    message = {
        "from": "15550001",
        "id": message_id,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "351", "phone_number_id": phone_number_id},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "15550001"}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    entry = {"id": "1", "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signed(body: bytes, secret: str = SECRETS["app_secret"]) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(body: bytes, signature: str | None = None, channel="demo-whatsapp") -> dict:
    headers = {"x-hub-signature-256": signed(body) if signature is None else signature}
    event = {
        "params": {"channel": channel},
        "raw_string": body.decode(),
        "headers": headers,
        "body": {"resolved": "by Windmill, never read"},
        "query": {},
    }
    return receive_webhook.main(**receive_webhook.preprocessor(event))


def test_a_signed_message_is_stored_and_its_flow_started(query, windmill, whatsapp):
    response = post(text_message("Where is my order?"))

    conversation_id = query("select id::text from conversations")[0][0]
    assert response["windmill_status_code"] == 200
    assert query("select body, state from inbound_messages") == [("Where is my order?", "waiting")]
    assert windmill.started == [("f/chat/answer_message", {"conversation_id": conversation_id}, 0)]


def test_what_the_preprocessor_returns_holds_no_text(windmill, whatsapp):
    body = text_message("my card is 4111")
    event = {
        "params": {"channel": "demo-whatsapp"},
        "raw_string": body.decode(),
        "headers": {"x-hub-signature-256": signed(body)},
        "query": {},
    }

    assert "4111" not in json.dumps(receive_webhook.preprocessor(event))


def test_w01_k02_a_delivery_that_comes_three_times_is_answered_once(query, windmill, whatsapp):
    for _ in range(3):
        post(text_message("Hi"))

    assert query("select count(*) from inbound_messages") == [(1,)]
    assert len(windmill.started) == 1
    assert query("select outcome from webhook_deliveries order by received_at") == [
        ({"new": 1},),
        ({"duplicate": 1},),
        ({"duplicate": 1},),
    ]


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, signed(text_message("Hi")).upper(), "sha1=00", "é"],
    ids=["none", "empty", "zeros", "upper case", "sha1", "not ASCII"],
)
def test_w05_nothing_is_stored_without_the_right_signature(query, windmill, whatsapp, signature):
    response = post(text_message("Hi"), signature)

    assert response["windmill_status_code"] == 401
    assert response["result"]["error"]["code"] == "signature_wrong"
    assert query("select count(*) from webhook_deliveries") == [(0,)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_not_json"),
        (b"{bad", "body_not_json"),
        (b'{"a": NaN}', "body_not_json"),
        (b'{"a": 1, "a": 2}', "body_not_json"),
        (b"\x00", "body_not_json"),
        (b"[" * 10_000 + b"]" * 10_000, "body_too_deep"),
    ],
)
def test_w12_a_signed_body_that_is_no_json_is_refused_in_words(
    query, windmill, whatsapp, body, code
):
    response = post(body)

    assert response["windmill_status_code"] == 400
    assert response["result"]["error"]["code"] == code
    assert query("select count(*) from webhook_deliveries") == [(0,)]


ODD = {
    "a key twice": b'"text": {"body": "odd", "body": "odd"}',
    "a number beyond a double": b'"text": {"body": 1e400}',
    "endless digits": b'"text": {"body": ' + b"9" * 5000 + b"}",
    "deep": b'"text": {"body": ' + b"[" * 200 + b"]" * 200 + b"}",
    "no text": b'"text": {"body": null}',
}


@pytest.mark.parametrize("fault", ODD)
def test_one_odd_message_of_a_batch_is_no_reason_to_refuse_the_others(
    query, windmill, whatsapp, fault
):
    odd, good = (
        json.loads(text_message(text, message_id))["entry"][0]
        for text, message_id in (("odd", "wamid.odd"), ("Good", "wamid.good"))
    )
    batch = json.dumps({"object": "whatsapp_business_account", "entry": [odd, good]}).encode()

    response = post(batch.replace(b'"text": {"body": "odd"}', ODD[fault]))

    assert response["windmill_status_code"] == 200
    assert ("Good",) in query("select body from inbound_messages")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'"x"',
        b'{"object": "whatsapp_business_account", "entry": []}',
        b'{"object": "page", "entry": [{"changes": [{"field": "unheard_of"}]}]}',
    ],
)
def test_w17_an_event_we_do_not_know_is_kept_as_received_and_wakes_nobody(
    query, windmill, whatsapp, body
):
    response = post(body)

    assert response["windmill_status_code"] == 200
    assert query("select count(*) from inbound_messages") == [(0,)]
    assert query("select accepted_at is not null from webhook_deliveries") == [(True,)]


@pytest.mark.parametrize("text", ["a\u0000b", "broken \ud83d emoji", "$var:f/chat/sealing_key"])
def test_w11_t01_t02_any_text_is_stored_as_text(query, windmill, whatsapp, text):
    body = text_message(text)

    assert post(body)["windmill_status_code"] == 200
    assert query("select count(*) from inbound_messages where body <> ''") == [(1,)]
    assert query("select body from inbound_messages")[0][0] != SEALING_KEY


def test_w08_a_message_for_another_number_is_ignored_with_its_reason(query, windmill, whatsapp):
    post(text_message("Hi", phone_number_id="999"))

    assert query("select outcome from webhook_deliveries") == [({"ignored:another_account": 1},)]
    assert query("select count(*) from inbound_messages") == [(0,)]


def test_a_second_number_of_the_same_app_is_answered_as_itself(query, windmill, whatsapp):
    sealed = seal(SEALING_KEY, json.dumps(SECRETS), sealing_place(SIBLING_ID))
    query(
        "insert into channels (id, organization_id, chatbot_id, kind, name, url_key, account_id,"
        " sealed_credentials) select %s, organization_id, chatbot_id, kind, 'second',"
        " 'second-number', '999', %s from channels where kind = 'whatsapp'",
        SIBLING_ID,
        sealed,
    )

    post(text_message("Hi", phone_number_id="999"))

    assert query("select channel_id::text from inbound_messages") == [(SIBLING_ID,)]


def test_an_unknown_address_is_not_found(windmill, whatsapp):
    response = post(text_message("Hi"), channel="nobody-here")

    assert response["windmill_status_code"] == 404


def test_an_organization_that_is_switched_off_receives_nothing(query, windmill, whatsapp):
    query("update organizations set is_active = false")

    assert post(text_message("Hi"))["windmill_status_code"] == 404


def confirm(**parameters) -> dict:
    event = {
        "params": {"channel": "demo-whatsapp"},
        "query": {f"hub.{name}": value for name, value in parameters.items()},
        "headers": {},
    }
    return confirm_webhook.main(**confirm_webhook.preprocessor(event))


def test_the_handshake_returns_the_challenge_as_plain_text(windmill, whatsapp):
    answer = confirm(mode="subscribe", verify_token="verify", challenge="1158201444")

    assert answer == {
        "windmill_status_code": 200,
        "windmill_content_type": "text/plain",
        "result": "1158201444",
    }


@pytest.mark.parametrize("challenge", ["", "$var:f/chat/sealing_key", SEALING_KEY, {"a": 1}, "é"])
def test_w15_only_digits_are_echoed_to_a_handshake(windmill, whatsapp, challenge):
    # Windmill resolves `$var:` in a query: an echo of anything else would hand out a secret.
    answer = confirm(mode="subscribe", verify_token="verify", challenge=challenge)

    assert answer["windmill_status_code"] == 403


@pytest.mark.parametrize("channel", ["a\0bcdefghij", {"host": "resolved"}, "x" * 65, "short"])
def test_an_address_that_no_channel_can_have_is_not_found(windmill, whatsapp, channel):
    assert post(text_message("Hi"), channel=channel)["windmill_status_code"] == 404


@pytest.mark.parametrize("token", ["", "wrong", "VERIFY"])
def test_w15_a_handshake_with_another_token_is_refused(windmill, whatsapp, token):
    answer = confirm(mode="subscribe", verify_token=token, challenge="1158201444")

    assert answer["windmill_status_code"] == 403
    assert "1158201444" not in answer["result"]


def test_a_message_without_words_says_what_it_is(query, windmill, whatsapp):
    body = text_message("x").replace(
        b'"type": "text", "text": {"body": "x"}',
        b'"type": "image", "image": {"id": "1", "mime_type": "image/jpeg"}',
    )

    post(body)

    assert query("select body, kind from inbound_messages") == [("[image]", "media")]
