"""Whoever waits for a call hears what became of it, and never waits for longer than it said."""

import threading
import time
from queue import SimpleQueue

import pytest

from f.shared.deadline import within
from f.shared.errors import UpstreamDown


def raises(error):
    def act():
        raise error

    return act


def test_what_a_call_gives_is_given():
    assert within(1, lambda: "an answer") == "an answer"


@pytest.mark.parametrize("error", [UpstreamDown("away"), OSError("no route"), ValueError("no")])
def test_what_a_call_raises_is_raised_where_it_is_waited_for(error):
    with pytest.raises(type(error)) as caught:
        within(1, raises(error))

    assert caught.value is error


def test_a_call_that_takes_too_long_is_left_behind():
    with pytest.raises(TimeoutError):
        within(0.02, lambda: time.sleep(0.2))


def test_a_call_that_breaks_in_a_way_that_nobody_expects_keeps_nobody_waiting(monkeypatch):
    logged = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", logged.put)
    started = time.monotonic()

    with pytest.raises(RuntimeError):
        within(5, raises(KeyError("our bug")))

    assert logged.get(timeout=5).exc_type is KeyError
    assert time.monotonic() - started < 5
