"""Slack's incoming webhooks: the only code that knows them.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

import html
import re

from f.shared.errors import Misconfigured, UpstreamRefused
from f.shared.http import request

COLORS = {"error": "danger", "warning": "warning", "info": "#439fe0"}
TIMEOUT_SECONDS = 10  # claim_alert holds Slack for longer (db/migrations/0005_alerts.sql)
# Slack takes 40,000; escaped, a character may become five.
LONGEST_TEXT_CHARACTERS = 2000
# The address is the secret: it travels in the clear to this machine only.
WEBHOOK_URL = re.compile(r"https://[^/\s]+/\S+|http://(127\.0\.0\.1|localhost)(:\d+)?/\S+")
# What Slack's own parser makes links and pings of: addresses, names of sites, @names.
LIVE = re.compile(r":(?=//)|\.(?=[^\W\d])|@")


def post(webhook_url: str, severity: str, headline: str, text: str, footer: str) -> None:
    """One message, never repeated here.

    Raises UpstreamBusy (with `retry_after_seconds`, where Slack said so), UpstreamDown,
    DeliveryUnknown (Slack may have taken it), UpstreamRefused with Slack's `code`, Misconfigured.
    """
    if not WEBHOOK_URL.fullmatch(webhook_url):
        raise Misconfigured("the webhook's address is not of the form https://host/path")
    message = message_of(severity, headline, text, footer)
    try:
        answer = request("POST", webhook_url, json=message, timeout_seconds=TIMEOUT_SECONDS)
    except UpstreamRefused as error:
        error.code = code_in(error.body) or f"status_{error.status}"
        raise
    # Any web page answers 200 or sends us elsewhere; only a webhook says ok.
    if (answer.status, answer.body.strip()) != (200, b"ok"):
        raise UpstreamRefused("this is no webhook of Slack", answer.status, "answer_not_ok")


def message_of(severity: str, headline: str, text: str, footer: str) -> dict:
    """The severity's colour is a bar beside the text, which only an attachment has."""
    attachment = {
        "color": COLORS[severity],
        "text": inert(text),
        "footer": inert(footer),
        "mrkdwn_in": [],
    }
    return {
        "text": inert(headline),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [attachment],
    }


def inert(text: str) -> str:
    """On one line, and nothing in it pings, links or formats: Slack shows it as it is."""
    line = "".join(each if each.isprintable() else " " for each in text[:LONGEST_TEXT_CHARACTERS])
    return html.escape(LIVE.sub("\\g<0>\u200b", line), quote=False)


def code_in(body: bytes) -> str | None:
    """Slack's word for what is wrong, such as no_service."""
    word = re.fullmatch(rb"[a-z_]{2,60}", body.strip())
    return word and word[0].decode()
