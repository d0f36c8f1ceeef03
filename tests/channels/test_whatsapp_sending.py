"""Text to WhatsApp, against a server that checks what Meta checks."""

import json
import socket
import threading

import pytest
from werkzeug import Request, Response

from f.channels.messages import Recipient
from f.channels.whatsapp import send_text, split_text
from f.shared.errors import (
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamRefused,
    WindowClosed,
)

NUMBER = "360000000000001"
TOKEN = "EAAtest-token"
ANNA = Recipient("4915550000101")
REFERENCE = "0e000000-0000-4000-8000-000000000001"
PATH = f"/v26.0/{NUMBER}/messages"


@pytest.fixture
def credentials(httpserver) -> dict:
    return {
        "access_token": TOKEN,
        "account_id": NUMBER,
        "api_url": httpserver.url_for(""),
    }


@pytest.fixture
def graph(httpserver):
    """Meta's messages endpoint: refuses what Meta refuses, keeps what it accepted."""
    accepted = []

    def answer(request: Request) -> Response:
        message = request.get_json()
        fault = _fault(request, message)
        if fault:
            return _graph_error(*fault)
        accepted.append(message)
        return _json({"messaging_product": "whatsapp", "messages": [{"id": "wamid.OUT1"}]})

    httpserver.expect_request(PATH, method="POST").respond_with_handler(answer)
    return accepted


def test_a_text_goes_to_a_number_and_comes_back_with_an_id(graph, credentials):
    message_id = send_text(credentials, ANNA, "Ja, bis Freitag.", REFERENCE)

    assert message_id == "wamid.OUT1"
    assert graph == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "4915550000101",
            "type": "text",
            "text": {"body": "Ja, bis Freitag.", "preview_url": False},
            "biz_opaque_callback_data": REFERENCE,
        }
    ]


def test_a_contact_without_a_number_is_reached_by_business_scoped_id(graph, credentials):
    send_text(credentials, Recipient("DE.7000000000000000002"), "Hallo Bo", REFERENCE)

    assert graph[0]["recipient"] == "DE.7000000000000000002"
    assert "to" not in graph[0]


def test_a_long_text_is_split_into_messages_that_meta_takes(graph, credentials):
    for piece in split_text("Ein Satz von vielen. " * 1000):
        send_text(credentials, ANNA, piece, REFERENCE)

    assert len(graph) == 6


def test_a_text_that_nobody_split_is_refused_by_meta_and_says_why(graph, credentials):
    with pytest.raises(UpstreamRefused, match="error 100. .*4096") as refused:
        send_text(credentials, ANNA, "x" * 4097, REFERENCE)

    assert (refused.value.code, refused.value.status) == ("100", 400)


def test_a_wrong_token_needs_a_person_and_is_never_repeated(graph, credentials):
    with pytest.raises(Misconfigured, match=f"{NUMBER}: error 190") as refused:
        send_text(credentials | {"access_token": "EAAstolen"}, ANNA, "Hi", REFERENCE)

    assert "EAAstolen" not in f"{refused.value!r} {vars(refused.value)}"


def test_a_channel_without_a_token_calls_nobody(httpserver, credentials):
    with pytest.raises(Misconfigured, match="no access token"):
        send_text(credentials | {"access_token": ""}, ANNA, "Hi", REFERENCE)

    assert httpserver.log == []


@pytest.mark.parametrize(
    "status, code, subcode, error_class",
    [
        (400, 131047, None, WindowClosed),  # the window of 24 hours is closed
        (400, 131026, None, UpstreamRefused),  # not on WhatsApp
        (400, 999999, None, UpstreamRefused),  # a code of the future
        (400, 130429, None, UpstreamBusy),
        (400, 131056, None, UpstreamBusy),
        (400, 80007, None, UpstreamBusy),
        (429, 4, None, UpstreamBusy),
        (500, 131000, None, UpstreamDown),
        (503, 2, None, UpstreamDown),
        (400, 131016, None, UpstreamDown),
        (500, 190, None, Misconfigured),
        (403, 200, None, Misconfigured),
        (400, 131042, None, Misconfigured),  # no way to pay
        (400, 100, 33, Misconfigured),  # a phone number id that is not ours
    ],
)
def test_metas_code_decides_and_not_the_status(
    httpserver, credentials, status, code, subcode, error_class
):
    refusal = _graph_error(status, code, "what happened", subcode)
    httpserver.expect_request(PATH).respond_with_response(refusal)

    with pytest.raises(error_class) as refused:
        send_text(credentials, ANNA, "Hi", REFERENCE)

    assert type(refused.value) is error_class
    assert f"error {'100/33' if subcode else code}" in str(refused.value)


@pytest.mark.parametrize(
    "status, error_class",
    [(404, UpstreamRefused), (429, UpstreamBusy), (502, DeliveryUnknown), (504, DeliveryUnknown)],
)
def test_an_answer_that_is_not_graphs_own_is_judged_by_its_status(
    httpserver, credentials, status, error_class
):
    httpserver.expect_request(PATH).respond_with_data("<html>gateway</html>", status=status)

    with pytest.raises(error_class):
        send_text(credentials, ANNA, "Hi", REFERENCE)


@pytest.mark.parametrize("body", ["", "{}", '{"messages": []}', '{"messages": [{"id": null}]}'])
def test_an_acceptance_without_an_id_is_nothing_we_can_be_sure_of(httpserver, credentials, body):
    httpserver.expect_request(PATH).respond_with_data(body)

    with pytest.raises(DeliveryUnknown):
        send_text(credentials, ANNA, "Hi", REFERENCE)


def test_a_call_that_reached_nobody_was_surely_not_accepted(credentials):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        api_url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    with pytest.raises(UpstreamDown):
        send_text(credentials | {"api_url": api_url}, ANNA, "Hi", REFERENCE)


def test_a_connection_lost_before_the_answer_leaves_the_delivery_unknown(credentials):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_read_and_hang_up, args=[server]).start()
        api_url = f"http://127.0.0.1:{server.getsockname()[1]}"

        with pytest.raises(DeliveryUnknown):
            send_text(credentials | {"api_url": api_url}, ANNA, "Hi", REFERENCE)


def _read_and_hang_up(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.recv(65_536)
    connection.close()


def _fault(request: Request, message: dict) -> tuple[int, int, str] | None:
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        token = request.headers.get("authorization", "")
        return 401, 190, f"Malformed access token {token}"
    if message.get("messaging_product") != "whatsapp":
        return 400, 100, "The parameter messaging_product is required."
    if not (message.get("to", "").isdigit() or "." in message.get("recipient", "")):
        return 400, 131009, "Parameter value is not valid: to"
    if not 0 < len(message["text"]["body"]) <= 4096:
        return 400, 100, "Param text['body'] must be at most 4096 characters long."
    return None


def _graph_error(status: int, code: int, details: str, subcode: int | None = None) -> Response:
    error = {"message": f"(#{code}) {details}", "type": "OAuthException", "code": code}
    error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    if subcode:
        error["error_subcode"] = subcode
    return _json({"error": error}, status)


def _json(body: dict, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
