"""One model fails, another answers: who is asked, when, and how often."""

import json
import time
from collections import Counter

import pytest
from werkzeug import Response

from f.agent.model_chain import ModelChain
from f.agent.model_slot import ModelSlot, in_order
from f.shared.deadline import Deadline
from f.shared.errors import AgentStuck, UpstreamBusy, UpstreamDown

MESSAGES = [{"role": "user", "content": "Hi"}]


class OpenBreaker:
    """Lets everything through, and keeps what it was told."""

    def __init__(self):
        self.told = []

    def lets_through(self, provider_key):
        return True

    def failed(self, provider_key):
        self.told.append("failed")

    def succeeded(self, provider_key):
        self.told.append("succeeded")


class Vendors:
    """By name: each answers what it was scripted, the last for ever."""

    def __init__(self, httpserver):
        self.asked = []
        self._server = httpserver

    def slot(self, name, *answers, tier=0):
        left = list(answers)

        def answer(request):
            self.asked.append(name)
            now = left.pop(0) if len(left) > 1 else left[0]
            return now if isinstance(now, Response) else said(now)

        self._server.expect_request(f"/{name}/chat/completions").respond_with_handler(answer)
        return ModelSlot(name, "openai", name, self._server.url_for(f"/{name}"), "key", tier)


def said(text):
    body = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    return Response(json.dumps(body), content_type="application/json")


def status(code, **headers):
    return Response("no", code, headers=headers)


@pytest.fixture
def vendors(httpserver, monkeypatch):
    monkeypatch.setattr("f.agent.model_chain.FIRST_PAUSE_SECONDS", 0.001)
    return Vendors(httpserver)


def chain_of(*slots, seconds=45, may_switch=True, refusals=None, outages=None):
    told = [] if refusals is None else refusals
    outages = [] if outages is None else outages
    return ModelChain(
        list(slots),
        100,
        Deadline(seconds),
        OpenBreaker(),
        lambda: may_switch,
        lambda slot, code: told.append((slot.model, code)),
        outages.append,
    )


@pytest.mark.parametrize("failure", [500, 502, 503, 529, 401, 404, 400, 429, 408])
def test_l03_when_one_vendor_fails_the_next_answers_at_once(vendors, failure):
    chain = chain_of(vendors.slot("a", status(failure)), vendors.slot("b", "Hello"))

    answered = chain.complete(MESSAGES, [])

    assert (answered.text, answered.model, vendors.asked) == ("Hello", "b", ["a", "b"])


def test_l03_a_vendor_that_stays_down_is_asked_four_times(vendors):
    with pytest.raises(UpstreamDown):
        chain_of(vendors.slot("a", status(500))).complete(MESSAGES, [])

    assert vendors.asked == ["a"] * 4


def test_l01_busy_with_a_time_is_asked_again_no_sooner(vendors):
    chain = chain_of(vendors.slot("a", status(429, **{"Retry-After": "1"}), "Hello"))
    started = time.monotonic()

    assert chain.complete(MESSAGES, []).text == "Hello"
    assert time.monotonic() - started >= 1
    assert vendors.asked == ["a", "a"]


def test_l01_busy_for_longer_than_the_turn_lasts_is_not_waited_for(vendors):
    with pytest.raises(UpstreamBusy):
        chain_of(vendors.slot("a", status(429, **{"Retry-After": "60"}))).complete(MESSAGES, [])

    assert vendors.asked == ["a"]


@pytest.mark.parametrize("failure", [400, 401, 403, 404, 429])
def test_l02_a_refusal_for_good_is_told_and_not_tried_again(vendors, failure):
    refusals = []

    with pytest.raises(AgentStuck) as caught:
        chain_of(vendors.slot("a", status(failure)), refusals=refusals).complete(MESSAGES, [])

    assert caught.value.reason == "refused"
    assert (vendors.asked, refusals) == (["a"], [("a", failure)])


def test_l05_an_answer_that_is_cut_off_is_never_used(vendors):
    cut = Response('{"choices": [{"message": {"content": "Hel', content_type="application/json")

    answered = chain_of(vendors.slot("a", cut), vendors.slot("b", "Hello")).complete(MESSAGES, [])

    assert answered.text == "Hello"


def test_l14_after_a_change_outside_no_other_model_goes_on(vendors):
    slots = vendors.slot("a", status(500)), vendors.slot("b", "Hello")

    with pytest.raises(UpstreamDown):
        chain_of(*slots, may_switch=False).complete(MESSAGES, [])

    assert set(vendors.asked) == {"a"}


def test_l14_a_turn_goes_on_with_the_model_that_began_it(vendors):
    chain = chain_of(vendors.slot("a", "A"), vendors.slot("b", "B"))
    chain.go_on_with("b")

    assert chain.complete(MESSAGES, []).text == "B"


def test_l04_without_time_the_turn_is_stuck_and_nobody_is_asked(vendors):
    with pytest.raises(AgentStuck) as caught:
        chain_of(vendors.slot("a", "Hello"), seconds=0).complete(MESSAGES, [])

    assert (caught.value.reason, vendors.asked) == ("time", [])


def test_usage_that_a_vendor_does_not_tell_is_estimated_and_flagged(vendors):
    answered = chain_of(vendors.slot("a", "Hello")).complete(MESSAGES, [])

    assert answered.is_estimated and answered.input_tokens > 0 and answered.output_tokens > 0


def test_slots_of_a_tier_share_the_turns_by_weight():
    light, heavy = (ModelSlot(f"s{w}", "openai", "m", None, "k", weight=w) for w in (1, 3))
    spare = ModelSlot("spare", "openai", "m", None, "k", tier=1, weight=100)

    firsts = Counter(in_order([spare, light, heavy], f"turn {n}")[0].slot_id for n in range(2000))

    assert set(firsts) == {"s1", "s3"}
    assert 0.70 < firsts["s3"] / 2000 < 0.80
    assert in_order([spare, light, heavy], "t") == in_order([heavy, light, spare], "t")


def test_a_slot_in_an_error_does_not_show_its_key():
    assert "secret" not in repr(ModelSlot("s", "openai", "m", None, "secret"))


def test_an_error_that_a_later_try_may_mend_tells_how_much_time_is_left(vendors):
    outages = []

    with pytest.raises(UpstreamDown):
        chain_of(vendors.slot("a", status(500)), outages=outages).complete(MESSAGES, [])

    assert 30 < outages[0] < 45


def test_a_refusal_for_good_is_no_outage(vendors):
    outages = []

    with pytest.raises(AgentStuck):
        chain_of(vendors.slot("a", status(401)), outages=outages).complete(MESSAGES, [])

    assert outages == []
