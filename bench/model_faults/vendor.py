"""One vendor of a model, in a process of its own, so that it can be killed in the middle of a call.

Calls the shop's tool once for each of the contact's messages, then answers in words. Writes a line
with the fault of each call that it spoils.
"""

import asyncio
import json
import random
import re
import sys

from bench.chaos.http_server import Reply, Request, serve
from bench.chaos.model import completion
from f.agent.loop import IN_WORDS

FAULTS = {"stalled": 0.03, "stalled in the middle": 0.01, "throttled": 0.05, "failed": 0.04,
          "cut": 0.03, "garbled": 0.05}  # fmt: skip
STALL_SECONDS = 60
GARBLE = ["<html>", '{"choices": [{"message": {"con', {"choices": []}, {"choices": [{}]}, [], None]
ORDER = re.compile(r"order (\d+)", re.I)
DONE = "Order {} is cancelled. That was order {}, and this is all of the answer."


class HalfReply(Reply):
    """The rest never comes, and the connection stays open."""

    def content(self) -> bytes:
        whole = super().content()
        return whole[: len(whole) - 40]


def answer_of(chance: random.Random, faults: dict[str, float]):
    def answer(request: Request) -> Reply:
        body = completion(message_for(request.json()["messages"]))
        fault = chance.choices([*faults, None], [*faults.values(), 1 - sum(faults.values())])[0]
        if fault:
            print(fault, flush=True)
        return {
            None: lambda: Reply(200, body),
            "stalled": lambda: Reply(200, body, delay_seconds=STALL_SECONDS),
            "stalled in the middle": lambda: HalfReply(200, body),
            "throttled": lambda: Reply(429, {"error": {}}, retry_after_seconds=1),
            "failed": lambda: Reply(500, {"error": {}}),
            "cut": lambda: Reply(is_cut=True),
            "garbled": lambda: Reply(200, chance.choice(GARBLE)),
        }[fault]()

    return answer


def message_for(messages: list[dict]) -> dict:
    """A call for what the contact wrote last; words once it was answered."""
    since: list[dict] = []
    for one in messages:
        is_contacts = one["role"] == "user" and one["content"] != IN_WORDS
        since = [one] if is_contacts else [*since, one]
    number = ORDER.findall(json.dumps(messages))[-1]
    if any(one["role"] == "tool" for one in since):
        return {"content": DONE.format(number, number)}
    function = {"name": "cancel_order", "arguments": json.dumps({"number": number})}
    return {"tool_calls": [{"id": "call_1", "type": "function", "function": function}]}


async def main(port: str, seed: str, faults: str) -> None:
    await serve(answer_of(random.Random(int(seed)), json.loads(faults)), int(port))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
