"""What the vendors' stand-ins share: what was accepted, failures on demand, a window, receipts."""

import random
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from local.json_server import JsonServer, Reply, Request

T = TypeVar("T")

WINDOW_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Taken:
    """A message that the contact would have received; `reference` is what the sender gave for it,
    where the vendor has a place for one."""

    to: str
    text: str
    message_id: str
    body: dict = field(repr=False)
    reference: str | None = None
    at: float = 0.0


class VendorApi(JsonServer):
    """`accepted`: messages; `signs`: typing, read marks and answers to buttons.

    `will_fail(reply)` answers the next call so. `wrote(contact)` opens the 24-hour window of a
    contact; nobody's is checked until somebody's is opened. `receipts` is called with every message
    that was taken, on a thread of its own, as vendors report apart from their answer.
    `files`: what contacts sent, by the vendor's id. `keeps_rates`: refuse what is over the vendor's
    rates; benches, which are there to find ours, leave it off.
    """

    # Messages a second and at once: to one contact, and of the account.
    pair_rate: tuple[float, int] | None = None
    account_rate: tuple[float, int] | None = None

    def __init__(self, port: int = 0):
        self.accepted: list[Taken] = []
        self.signs: list[dict] = []
        self.receipts: Callable[[Taken], None] | None = None
        self._failures: list[Reply] = []
        self._last_words: dict[str, float] = {}
        self.files: dict[str, bytes] = {}
        self.keeps_rates = False
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted
        self._bucket_lock = threading.Lock()
        super().__init__(self._answer_or_fail, port)

    def will_fail(self, *replies: Reply) -> None:
        self._failures += replies

    def wrote(self, contact: str, seconds_ago: float = 0) -> None:
        self._last_words[contact] = time.time() - seconds_ago

    def window_is_closed(self, contact: str) -> bool:
        if not self._last_words:
            return False
        return time.time() - self._last_words.get(contact, 0) > WINDOW_SECONDS

    def exceeded_rate(self, contact: str) -> str | None:
        """pair or account; None: the message was counted."""
        if not self.keeps_rates:
            return None
        with self._bucket_lock:
            for name, key, rate in (
                ("pair", f"pair {contact}", self.pair_rate),
                ("account", "account", self.account_rate),
            ):
                if rate and not self._drop_token(key, *rate):
                    return name
        return None

    def _drop_token(self, key: str, per_second: float, burst: int) -> bool:
        now = time.monotonic()
        tokens, counted = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - counted) * per_second)
        self._buckets[key] = (max(tokens - 1, 0) if tokens >= 1 else tokens, now)
        return tokens >= 1

    def take(self, taken: Taken) -> None:
        self.accepted.append(taken)
        if self.receipts:
            threading.Thread(target=self.receipts, args=(taken,), daemon=True).start()

    def _answer_or_fail(self, request: Request) -> Reply:
        return self._failures.pop(0) if self._failures else self.answer(request)

    def answer(self, request: Request) -> Reply:
        """Each vendor's own checks."""
        return Reply(404, {})


def shuffled(reports: list[T], seed: int | None) -> list[T]:
    """Vendors promise no order: with a seed they come in another one, always the same."""
    found = list(reports)
    if seed is not None:
        random.Random(seed).shuffle(found)
    return found


def form_of(request: Request) -> dict[str, str]:
    pairs = urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True)
    return dict(pairs)
