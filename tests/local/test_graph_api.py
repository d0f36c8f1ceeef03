"""The stand-in for Meta's Graph API refuses what Meta refuses, in Meta's words."""

import json

import pytest
import urllib3

from local.graph_api import GraphApi

MESSAGE = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "351912345678",
    "type": "text",
    "text": {"body": "Hello"},
    "biz_opaque_callback_data": "our-id",
}


@pytest.fixture
def graph():
    with GraphApi("token", ["100"]) as stand_in:
        yield stand_in


@pytest.fixture
def send(graph):
    def post(body: object, phone_number_id: str = "100", token: str = "token"):
        url = f"{graph.base_url}/v26.0/{phone_number_id}/messages"
        headers = {"authorization": f"Bearer {token}"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = urllib3.request("POST", url, body=content, headers=headers, retries=False)
        return answer.status, answer.json()

    return post


def test_an_accepted_message_gets_an_id_and_is_kept(graph, send):
    status, answer = send(MESSAGE)

    assert status == 200
    assert answer["contacts"] == [{"input": "351912345678", "wa_id": "351912345678"}]
    assert answer["messages"][0]["id"].startswith("wamid.")
    [accepted] = graph.accepted
    assert (accepted.to, accepted.text) == ("351912345678", "Hello")


def test_a_message_to_a_business_scoped_id_is_accepted(graph, send):
    body = {key: value for key, value in MESSAGE.items() if key != "to"}

    status, _ = send({**body, "recipient": "US.13491208655302741918"})

    assert status == 200
    assert graph.accepted[0].to == "US.13491208655302741918"


def test_a_read_receipt_is_accepted_and_is_no_message(graph, send):
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}

    assert send(receipt) == (200, {"success": True})
    assert graph.accepted == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messaging_product": "telegram"}, 100),
        ({"to": ""}, 131008),
        ({"to": 351912345678}, 131008),
        ({"text": {}}, 131008),
        ({"text": {"body": ""}}, 131008),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"type": "image"}, 131009),
        ({"recipient_type": "everybody"}, 131009),
        ({"biz_opaque_callback_data": "x" * 513}, 131009),
    ],
)
def test_a_body_that_meta_would_refuse_is_refused(graph, send, change, code):
    status, answer = send({**MESSAGE, **change})

    assert (status, answer["error"]["code"]) == (400, code)
    assert answer["error"]["type"] == "OAuthException"
    assert graph.accepted == []


def test_a_wrong_token_is_refused_as_meta_does(send):
    status, answer = send(MESSAGE, token="other")

    assert (status, answer["error"]["code"]) == (401, 190)


def test_an_unknown_number_is_refused_as_meta_does(send):
    status, answer = send(MESSAGE, phone_number_id="999")

    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


def test_a_body_that_is_no_json_is_refused(send):
    assert send(b"{")[0] == 400


def test_a_slow_answer_was_accepted_before_it_came(graph, send):
    graph.delay_seconds = 0.05

    send(MESSAGE)

    assert len(graph.accepted) == 1


def test_an_accounts_numbers_come_by_pages_and_one_that_the_token_does_not_see_not_at_all(graph):
    graph.business_accounts["300"] = ["1", "2", "3"]

    def ask(waba_id: str, query: str) -> dict:
        url = f"{graph.base_url}/v26.0/{waba_id}/phone_numbers?{query}"
        return urllib3.request("GET", url, headers={"authorization": "Bearer token"}).json()

    first = ask("300", "fields=id&limit=2")
    second = ask("300", f"fields=id&limit=2&after={first['paging']['cursors']['after']}")

    assert [one["id"] for one in first["data"] + second["data"]] == ["1", "2", "3"]
    assert ("next" in first["paging"], "next" in second["paging"]) == (True, False)
    assert ask("999", "fields=id")["error"]["error_subcode"] == 33
