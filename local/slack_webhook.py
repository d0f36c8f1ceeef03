"""A stand-in for Slack's incoming webhook: real HTTP, and what Slack checks before it posts."""

import math
import re
import time
from dataclasses import dataclass
from threading import Lock

from local.json_server import JsonServer, Reply, Request

PATH = "/services/T00000000/B00000000/not-a-real-secret"
MOST_ATTACHMENTS = 100
LONGEST_TEXT = 40_000
# What Slack turns into a mention, a channel or a link.
LIVE = re.compile(r"<[^>]*>|://\w|@(here|channel|everyone)\b")


@dataclass(frozen=True)
class Posted:
    """A message that people would see."""

    body: dict
    at: float

    @property
    def texts(self) -> list[str]:
        attachments = self.body.get("attachments", [])
        shown = [self.body, *attachments]
        return [each[key] for each in shown for key in ("text", "footer") if each.get(key)]

    @property
    def live(self) -> list[str]:
        """Pings and links, where there must be none."""
        return [match[0] for text in self.texts for match in LIVE.finditer(text)]


class SlackWebhook(JsonServer):
    """`.posted` lists what was taken, `.calls` counts all. `fault`: what every call is answered;
    `delay_seconds`: how long Slack takes to say that it took a message."""

    def __init__(self, seconds_between: float = 1.0):
        self.posted: list[Posted] = []
        self.calls = 0
        self.fault: Reply | None = None
        self.delay_seconds = 0.0
        self._seconds_between = seconds_between
        self._one_at_a_time = Lock()
        super().__init__(self._answer)
        self.url = self.base_url + PATH

    def _answer(self, request: Request) -> Reply:
        with self._one_at_a_time:
            self.calls += 1
            return self.fault or self._refusal(request) or self._take(request)

    def _take(self, request: Request) -> Reply:
        self.posted.append(Posted(request.json(), time.monotonic()))
        time.sleep(self.delay_seconds)
        return Reply(200, b"ok")

    def _refusal(self, request: Request) -> Reply | None:
        if request.path != PATH:
            return Reply(404, b"no_service")
        word = complaint(request)
        if word:
            return Reply(400, word.encode())
        last = self.posted[-1].at if self.posted else -math.inf
        wait_seconds = last + self._seconds_between - time.monotonic()
        if wait_seconds > 0:
            body = {"ok": False, "error": "rate_limited"}
            return Reply(429, body, {"Retry-After": str(math.ceil(wait_seconds))})
        return None


def complaint(request: Request) -> str | None:
    """Slack's word for what is wrong with a body, or None."""
    try:
        body = request.json()
    except ValueError:
        return "invalid_payload"
    kind = request.headers.get("content-type", "").partition(";")[0]
    if request.method != "POST" or kind != "application/json" or not isinstance(body, dict):
        return "invalid_payload"
    text, attachments = body.get("text", ""), body.get("attachments", [])
    if not isinstance(text, str) or not isinstance(attachments, list):
        return "invalid_payload"
    if not text and not attachments:
        return "no_text"
    if len(attachments) > MOST_ATTACHMENTS:
        return "too_many_attachments"
    longest = max([text, *(str(each.get("text", "")) for each in attachments)], key=len)
    return "msg_too_long" if len(longest) > LONGEST_TEXT else None
