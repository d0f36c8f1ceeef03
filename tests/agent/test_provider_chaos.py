"""Turns while vendors are killed, stalled, throttled and garbled, in virtual time.

Each turn draws its faults and its pauses from its own number: the same turns fail in every run, and
a change of the code moves no other turn's faults. A thousand turns would tell 99.5 % from 99.8 %
by luck only.
"""

import json
import random
from types import SimpleNamespace

import pytest

import f.agent.loop as loop
import f.agent.model_chain as model_chain
from f.agent.model_chain import ModelChain
from f.agent.model_slot import ModelSlot
from f.agent.toolbox import Toolbox
from f.shared.deadline import Deadline
from f.shared.errors import DeliveryUnknown, UpstreamBusy, UpstreamDown, UpstreamError

TURNS = 10_000
FAULTS = {"kill": 0.08, "stall": 0.04, "throttle": 0.06, "garble": 0.06}
FLOW_ATTEMPTS = 3  # of run_agent, in the flow's own retry


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Order:
    """A tool that changes something outside, once for each key, like the effects table."""

    name, description, class_ = "order", "Orders.", "own"
    parameters = {"type": "object", "properties": {}}

    def __init__(self):
        self.made = {}
        self.calls = 0

    def once(self, tool, arguments, position):
        self.calls += position not in self.made
        return self.made.setdefault(position, ("Ordered.", {}))


class Breaker:
    def lets_through(self, provider_key):
        return True

    def failed(self, provider_key):
        pass

    succeeded = failed


def vendor(chance, clock):
    """Plays the vendors' HTTP: two rounds of a tool, then words; or a fault."""

    def request(method, url, headers, json, timeout_seconds):
        clock.sleep(0.3)
        fault = chance.choices([*FAULTS, None], [*FAULTS.values(), 1 - sum(FAULTS.values())])[0]
        if fault == "kill":
            raise UpstreamDown("killed", status=500)
        if fault == "stall":
            clock.sleep(timeout_seconds)
            raise DeliveryUnknown("stalled")
        if fault == "throttle":
            raise UpstreamBusy("slow down", status=429, retry_after_seconds=chance.choice([1, 2]))
        if fault == "garble":
            return SimpleNamespace(json=lambda: chance.choice([{}, [], {"choices": [{}]}]))
        done = sum(one["role"] == "tool" for one in json["messages"])
        return SimpleNamespace(json=lambda: {"choices": [{"message": message(done)}]})

    return request


def message(done):
    if done == 2:
        return {"role": "assistant", "content": "All done."}
    call = {"id": f"c{done}", "function": {"name": "order", "arguments": json.dumps({"n": done})}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


class Stored:
    """Serves a turn that is taken up again what was paid, as f/chat/model_calls.py does."""

    def __init__(self, chain, paid):
        self._chain, self._paid, self._position = chain, paid, 0

    def complete(self, messages, schemas):
        position, self._position = self._position, self._position + 1
        if position not in self._paid:
            self._paid[position] = self._chain.complete(messages, schemas)
        else:
            self._chain.go_on_with(self._paid[position].model)
        return self._paid[position]


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(model_chain, "time", found)
    monkeypatch.setattr("f.agent.model_http.within", lambda seconds, act: act())
    return found


def one_turn(clock, slots):
    order, paid, ends = Order(), {}, []
    for _ in range(FLOW_ATTEMPTS):
        deadline = Deadline(loop.MAX_SECONDS, clock.monotonic)
        if ends:
            deadline.shorten(ends[0] - clock.now)
        chain = ModelChain(
            slots, 100, deadline, Breaker(), lambda: not order.made, lambda slot, status: None,
            on_outage=lambda seconds_left: ends.append(clock.now + seconds_left),
        )  # fmt: skip
        try:
            asked = [{"role": "user", "content": "Order"}]
            toolbox = Toolbox([order], order)
            return loop.run(Stored(chain, paid), asked, toolbox, deadline), order
        except UpstreamError:
            clock.sleep(2)
    return loop.Answer(stuck="down"), order


def test_l03_l04_l14_turns_are_answered_while_every_vendor_fails(clock, monkeypatch):
    faults, pauses = random.Random(), random.Random()
    monkeypatch.setattr(model_chain, "random", pauses)
    monkeypatch.setattr("f.agent.model_http.request", vendor(faults, clock))
    slots = [ModelSlot(name, "openai", name, f"https://{name}.example", "k") for name in "abc"]
    answered, too_long, doubled = 0, 0, 0
    for number in range(TURNS):
        faults.seed(number)
        pauses.seed(number)
        begun = clock.now
        answer, order = one_turn(clock, slots)
        too_long += clock.now - begun > loop.MAX_SECONDS + 1
        answered += answer.text == "All done."
        assert answer.text in ("All done.", "")
        doubled += order.calls > 2

    assert answered >= 0.995 * TURNS
    assert doubled == 0
    assert too_long == 0
