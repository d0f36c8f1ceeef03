"""The other side, in its own process: people who write, and vendors that answer at once.

Reads one JSON command a line, answers each with one line of JSON. The first line it writes says
where its stubs listen.
"""

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import urllib3

from local.graph_api import GraphApi
from local.hashing_embedder import HashingEmbedder
from local.json_server import JsonServer, Reply, Request
from local.whatsapp_webhook import signature, text_message

LONGEST_WAIT_SECONDS = 30
SEARCHING = "search: how long does a refund take?"
ANSWERING = "how long does a refund take?"
numbers = count(351900000000)


class InstantModel(JsonServer):
    """Searches once when the question says so, then answers the same to everyone."""

    def __init__(self):
        self._embedder = HashingEmbedder()
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Reply:
        body = request.json()
        if request.path.endswith("/embeddings"):
            return Reply(200, self._embeddings(body["input"]))
        *_, last = body["messages"]
        if last["role"] == "user" and last["content"].startswith("search:"):
            return completion({"tool_calls": [KNOWLEDGE_CALL]})
        return completion({"content": "A refund takes 3 to 5 working days."})

    def _embeddings(self, texts: list[str]) -> dict:
        vectors = self._embedder.embed(texts)
        rows = [{"index": i, "embedding": vector.tolist()} for i, vector in enumerate(vectors)]
        return {"data": rows, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


KNOWLEDGE_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "knowledge", "arguments": json.dumps({"query": ANSWERING})},
}


def completion(message: dict) -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}}
    usage = {"prompt_tokens": 400, "completion_tokens": 12, "total_tokens": 412}
    return Reply(200, {"choices": [choice], "usage": usage})


class Receiver(GraphApi):
    """Tells who waits that the reply to their number was accepted."""

    def __init__(self, access_token: str, phone_number_id: str):
        self.waiting: dict[str, Event] = {}
        super().__init__(access_token, [phone_number_id])

    def _accept(self, request: Request) -> dict:
        answer = super()._accept(request)
        waiter = self.waiting.get(answer["contacts"][0]["input"]) if "contacts" in answer else None
        if waiter:
            waiter.set()
        return answer


class Load:
    def __init__(self, access_token: str, phone_number_id: str):
        self._phone_number_id = phone_number_id
        self._receiver = Receiver(access_token, phone_number_id)
        self._model = InstantModel()
        self._http = urllib3.PoolManager(maxsize=64, block=True)

    def addresses(self) -> dict:
        return {"model": f"{self._model.base_url}/v1", "graph": self._receiver.base_url}

    def messages(self, url: str, app_secret: str, text: str, total: int, at_a_time: int) -> dict:
        """So many contacts write one message each and wait for the reply."""

        def one(_) -> tuple[float, float]:
            return self._write(url, app_secret, text)

        return measured(one, total, at_a_time)

    def requests(self, url: str, total: int, at_a_time: int) -> dict:
        def one(_) -> tuple[float, float]:
            seconds = self._post(url, b"{}", {})
            return seconds, seconds

        return measured(one, total, at_a_time)

    def _write(self, url: str, app_secret: str, text: str) -> tuple[float, float]:
        number = str(next(numbers))
        replied = self._receiver.waiting[number] = Event()
        body = text_message(self._phone_number_id, text, number)
        started = time.perf_counter()
        acknowledged = self._post(url, body, signature(body, app_secret))
        if not replied.wait(LONGEST_WAIT_SECONDS):
            raise TimeoutError(f"no reply to {number} within {LONGEST_WAIT_SECONDS} s")
        return acknowledged, time.perf_counter() - started

    def _post(self, url: str, body: bytes, headers: dict) -> float:
        started = time.perf_counter()
        answer = self._http.request("POST", url, body=body, headers=headers, retries=False)
        seconds = time.perf_counter() - started
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}: {answer.data[:200]}")
        return seconds


def measured(one, total: int, at_a_time: int) -> dict:
    with ThreadPoolExecutor(at_a_time) as people:
        started = time.perf_counter()
        times = list(people.map(one, range(total)))
        seconds = time.perf_counter() - started
    acknowledged, replied = zip(*times, strict=True)
    return {
        "messages": total,
        "at_a_time": at_a_time,
        "per_second": round(total / seconds, 1),
        "acknowledged_ms": percentiles(acknowledged),
        "replied_ms": percentiles(replied),
    }


def percentiles(seconds: tuple[float, ...]) -> dict:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 1), "p99": round(cuts[98] * 1000, 1)}


def main() -> None:
    load = Load(*sys.argv[1:])
    print(json.dumps(load.addresses()), flush=True)
    for line in sys.stdin:
        command, values = json.loads(line)
        print(json.dumps(getattr(load, command)(**values)), flush=True)


if __name__ == "__main__":
    main()
