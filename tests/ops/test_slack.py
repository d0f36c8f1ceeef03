"""What Slack is told, and how it is said so that nothing in it acts."""

import pytest

from f.ops import slack
from f.shared.errors import Misconfigured, UpstreamRefused
from local.slack_webhook import SlackWebhook

HOSTILE = [
    "<!everyone> look",
    "<!channel|here> <@U024BE7LH> <#C024BE7LR>",
    "<http://evil.example|ok>",
    "http://evil.example/a?b=c&d",
    "www.evil.example and evil.example/path",
    "mailto:a@evil.example",
    "@everyone @channel @here",
    "&lt;!everyone&gt;",
    "one\ntwo\r\n\u2028three \u202egnp.exe",
]


@pytest.fixture
def webhook():
    with SlackWebhook(seconds_between=0) as stand_in:
        yield stand_in


@pytest.mark.parametrize("text", HOSTILE)
def test_t10_a11_nothing_in_an_alert_pings_links_or_forges_a_line(webhook, text):
    slack.post(webhook.url, "error", text, text, text)

    [posted] = webhook.posted
    assert posted.live == []
    assert all(each.isprintable() or "\u200b" in each for each in posted.texts)
    assert not any(set("\n\r\u2028\u202e") & set(each) for each in posted.texts)


def test_a11_the_three_characters_that_slack_reads_are_escaped_once():
    assert slack.inert("a < b & c > &amp;") == "a &lt; b &amp; c &gt; &amp;amp;"


def test_a11_formatting_is_switched_off_for_every_text(webhook):
    slack.post(webhook.url, "info", "*bold*", "_it_ `code`", "~no~")

    body = webhook.posted[0].body
    assert (body["mrkdwn"], body["attachments"][0]["mrkdwn_in"]) == (False, [])


def test_an_id_reaches_people_as_it_is():
    sentence = "turn 0191c3a8-7c1e-4000-8000-000000000000 failed: gpt-4.1 10:30, 80.5 %"

    assert slack.inert(sentence) == sentence


@pytest.mark.parametrize(
    ("severity", "color"), [("error", "danger"), ("warning", "warning"), ("info", "#439fe0")]
)
def test_a_severity_has_its_colour(webhook, severity, color):
    slack.post(webhook.url, severity, "headline", "text", "footer")

    assert webhook.posted[0].body["attachments"][0]["color"] == color


def test_an_endless_text_is_cut_before_slack_refuses_it(webhook):
    slack.post(webhook.url, "error", "&" * 100_000, "<" * 100_000, "x" * 100_000)

    assert len(webhook.posted) == 1


@pytest.mark.parametrize(
    "url", ["", "None", "ftp://a.example/x", "http://hooks.slack.com/services/x", "https://a b/c"]
)
def test_an_address_that_would_show_the_secret_is_never_called(url):
    with pytest.raises(Misconfigured) as raised:
        slack.post(url, "error", "headline", "text", "footer")

    assert "hooks" not in str(raised.value)


@pytest.mark.parametrize(("status", "body"), [(200, "<html>"), (302, ""), (204, "")])
def test_a_page_that_is_no_webhook_has_taken_nothing(httpserver, status, body):
    httpserver.expect_request("/page").respond_with_data(body, status)

    with pytest.raises(UpstreamRefused) as raised:
        slack.post(httpserver.url_for("/page"), "error", "headline", "text", "footer")

    assert raised.value.code == "answer_not_ok"
