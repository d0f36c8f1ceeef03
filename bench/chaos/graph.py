"""The Graph API's stand-in: an accept log, the ways in which a send can fail, and receipts."""

import re
import uuid
from collections import Counter
from collections.abc import Callable

from bench.chaos.dice import Dice
from bench.chaos.http_server import Reply, Request
from bench.chaos.journal import Accepted, Journal

TOKEN = re.compile(r"\[(m\d+)\]")

# What becomes of a send, and how often. The first four leave our side without an answer.
FATES = {
    "accepted, connection cut": 0.015,
    "accepted, answer later than the timeout": 0.004,
    "accepted, gateway answers 502": 0.01,
    "not accepted, connection cut": 0.01,
    "refused with 500": 0.01,
    "refused with 429": 0.01,
    "refused for good": 0.003,
}
LATE_SECONDS = 3.0
REFUSALS = {
    "refused with 500": (500, 131000, "Something went wrong"),
    "refused with 429": (429, 130429, "Rate limit hit"),
    "refused for good": (400, 131026, "Message undeliverable"),
}


class Graph:
    def __init__(
        self,
        journal: Journal,
        dice: Dice,
        has_faults: bool,
        clock: Callable[[], float],
        accepted: Callable[[Accepted, str, str], None],
        is_over: Callable[[Accepted], None],
    ):
        self._journal = journal
        self._dice = dice
        self._has_faults = has_faults
        self._clock = clock
        self._accepted = accepted
        self._is_over = is_over
        self._attempts: Counter = Counter()

    def answer(self, request: Request) -> Reply:
        phone_number_id = request.path.split("/")[2]
        body = request.json()
        if body.get("type") != "text":
            return Reply(200, {"success": True})  # a typing indicator or a read receipt
        reply = Accepted(
            body["biz_opaque_callback_data"],
            body.get("to") or body.get("recipient"),
            tuple(TOKEN.findall(body["text"]["body"])),
            self._clock(),
        )
        fate = self._fate(reply)
        self._journal.counts[f"send: {fate or 'accepted'}"] += 1
        if fate in REFUSALS:
            return self._refuse(reply, fate)
        if fate == "not accepted, connection cut":
            return Reply(is_cut=True)
        message_id = f"wamid.{uuid.uuid4().hex.upper()}"
        self._journal.accepted.append(reply)
        self._is_over(reply)
        self._accepted(reply, message_id, phone_number_id)
        return self._answer(fate, message_id)

    def _fate(self, reply: Accepted) -> str:
        """Only the first attempts fail, so that a refusal is a fault and not a poisoned message."""
        key = (reply.contact, *reply.tokens)
        self._attempts[key] += 1
        if not self._has_faults or self._attempts[key] > 1:
            return ""
        return self._dice.pick(FATES, "send", *key)

    def _refuse(self, reply: Accepted, fate: str) -> Reply:
        if fate == "refused for good":
            self._journal.refused_for_good.append(reply)
            self._is_over(reply)
        status, code, words = REFUSALS[fate]
        error = {"message": f"(#{code}) {words}", "type": "OAuthException", "code": code}
        return Reply(status, {"error": error})

    def _answer(self, fate: str, message_id: str) -> Reply:
        if fate == "accepted, connection cut":
            return Reply(is_cut=True)
        if fate == "accepted, gateway answers 502":
            return Reply(502, "Bad Gateway")
        late = LATE_SECONDS if fate == "accepted, answer later than the timeout" else 0
        answer = {"messaging_product": "whatsapp", "messages": [{"id": message_id}]}
        return Reply(200, answer, delay_seconds=late)
