"""The stand-in for Slack's webhook refuses what Slack refuses, in Slack's words."""

import json

import pytest
import urllib3

from local.slack_webhook import SlackWebhook


@pytest.fixture
def slack():
    with SlackWebhook() as stand_in:
        yield stand_in


def post(url: str, body: object, kind: str = "application/json"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": kind}
    return urllib3.request("POST", url, body=content, headers=headers, retries=False)


def test_a_text_is_taken_and_kept(slack):
    answer = post(slack.url, {"text": "Hello"})

    assert (answer.status, answer.data) == (200, b"ok")
    assert slack.posted[0].texts == ["Hello"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", b"invalid_payload"),
        ([], b"invalid_payload"),
        ({"text": 1}, b"invalid_payload"),
        ({}, b"no_text"),
        ({"attachments": [{"text": "x"}] * 101}, b"too_many_attachments"),
        ({"attachments": [{"text": "x" * 40_001}]}, b"msg_too_long"),
    ],
)
def test_a_body_that_slack_would_refuse_is_refused(slack, body, word):
    answer = post(slack.url, body)

    assert (answer.status, answer.data, slack.posted) == (400, word, [])


def test_a_body_must_say_that_it_is_json(slack):
    assert post(slack.url, {"text": "Hello"}, "text/plain").status == 400


def test_another_address_has_no_service(slack):
    answer = post(f"{slack.base_url}/services/T0/B0/other", {"text": "Hello"})

    assert (answer.status, answer.data) == (404, b"no_service")


def test_a_second_message_in_a_second_is_told_how_long_to_wait(slack):
    post(slack.url, {"text": "One"})

    answer = post(slack.url, {"text": "Two"})

    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert len(slack.posted) == 1


@pytest.mark.parametrize("text", ["<!everyone>", "<@U1>", "http://a.example", "hey @channel"])
def test_what_pings_or_links_is_seen(slack, text):
    post(slack.url, {"attachments": [{"text": text}]})

    assert slack.posted[0].live
