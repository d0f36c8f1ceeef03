"""The model's stand-in: repeats the last question's tokens, counts what it was paid for."""

import json
import time
from collections import Counter

from bench.chaos.dice import Dice
from bench.chaos.graph import TOKEN
from bench.chaos.http_server import Reply, Request
from bench.chaos.journal import Journal
from local.hashing_embedder import HashingEmbedder

FAILURES = {
    "model answers 500": 0.01,
    "model answers 429": 0.005,
    "model is paid, answer cut": 0.003,
}
HANGING = {"model hangs": 0.002}
HANG_SECONDS = (6.0, 9.0)  # longer than the lease, shorter than the step's timeout
SEARCH_SHARE = 0.1


class Model:
    def __init__(
        self, journal: Journal, dice: Dice, faults: frozenset[str], hanging: dict[str, float]
    ):
        self._journal = journal
        self._dice = dice
        self._chances = {
            **(FAILURES if "model" in faults else {}),
            **(HANGING if "hang" in faults else {}),
        }
        self._embedder = HashingEmbedder()
        self._calls: Counter = Counter()
        self._hanging = hanging
        self._hangs_until: dict[str, float] = {}

    def answer(self, request: Request) -> Reply:
        body = request.json()
        if request.path.endswith("/embeddings"):
            return self._embeddings(body["input"])
        *_, last = body["messages"]
        questions = [one["content"] for one in body["messages"] if one["role"] == "user"]
        tokens = tuple(TOKEN.findall(questions[-1]))
        fate = self._fate(tokens, last["role"])
        if fate in ("model answers 500", "model answers 429"):
            # A 429 without it is a spending limit, for which no retry helps.
            after = 1 if fate == "model answers 429" else None
            return Reply(int(fate[-3:]), {"error": {"message": fate}}, retry_after_seconds=after)
        self._journal.paid_calls.append(tokens)
        if fate == "model is paid, answer cut":
            return Reply(is_cut=True)
        delay = self._dice.between(*HANG_SECONDS, tokens) if fate == "model hangs" else 0
        delay = self._hang_seconds(tokens) or delay
        is_asked = last["role"] == "user" and self._dice.roll("search", tokens[:1]) < SEARCH_SHARE
        message = {"tool_calls": [search(tokens)]} if is_asked else {"content": words(tokens)}
        return Reply(200, completion(message), delay_seconds=delay)

    def _hang_seconds(self, tokens: tuple[str, ...]) -> float:
        """From the first call on, however often it is made again."""
        token = next(iter(tokens), "")
        if token not in self._hanging:
            return 0
        now = time.monotonic()
        return max(0, self._hangs_until.setdefault(token, now + self._hanging[token]) - now)

    def _fate(self, tokens: tuple[str, ...], role: str) -> str:
        """As with sends, a question that failed once is answered the next time."""
        self._calls[tokens, role] += 1
        if self._calls[tokens, role] > 1:
            return ""
        fate = self._dice.pick(self._chances, "model", role, *tokens)
        self._journal.counts[fate] += bool(fate)
        return fate

    def _embeddings(self, given: str | list[str]) -> Reply:
        texts = [given] if isinstance(given, str) else given
        vectors = self._embedder.embed(texts)
        rows = [{"index": i, "embedding": vector.tolist()} for i, vector in enumerate(vectors)]
        return Reply(200, {"data": rows, "usage": {"prompt_tokens": 1, "total_tokens": 1}})


def words(tokens: tuple[str, ...]) -> str:
    return "Answered: " + " ".join(f"[{token}]" for token in tokens)


def search(tokens: tuple[str, ...]) -> dict:
    arguments = json.dumps({"query": "How long does a refund take?"})
    call = {"name": "knowledge", "arguments": arguments}
    return {"id": f"call_{'_'.join(tokens)[:40]}", "type": "function", "function": call}


def completion(message: dict) -> dict:
    usage = {"prompt_tokens": 400, "completion_tokens": 12, "total_tokens": 412}
    message = {"role": "assistant", "content": None, **message}
    return {"choices": [{"index": 0, "message": message}], "usage": usage}
