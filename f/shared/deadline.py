"""How long something may still take; nothing that it waits for may wait longer."""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread

from f.shared.errors import ChatmillError

# What calls over a network and look-ups of names raise; raised again where they are waited for.
EXPECTED = (ChatmillError, OSError, ValueError)


class Deadline:
    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._ends = clock() + seconds

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._ends - self._clock())

    def shorten(self, seconds_left: float) -> None:
        self._ends = min(self._ends, self._clock() + seconds_left)

    def left(self) -> float:
        """Seconds; raises TimeoutError when there are none."""
        seconds = self.seconds_left
        if not seconds:
            raise TimeoutError
        return seconds


def within(seconds: float, act: Callable[[], object]):
    """What `act` returns, or raises of EXPECTED; raises TimeoutError when that takes longer,
    RuntimeError when it breaks in another way: then its own thread tells the log how.

    A socket's timeout starts anew with every byte, so a server that sends one now and then holds
    its reader for ever; the system's look-up of a name can't be interrupted at all. The thread
    that is left behind ends with its wait or with the process; so `act` must be something that
    may still happen later.
    """
    outcome: SimpleQueue = SimpleQueue()
    Thread(target=_settle, args=(act, outcome), daemon=True).start()
    try:
        result, error = outcome.get(timeout=max(seconds, 0.01))
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result


def _settle(act: Callable[[], object], outcome: SimpleQueue) -> None:
    result, error = None, RuntimeError("what was waited for broke; the log has its thread's error")
    try:
        result, error = act(), None
    except EXPECTED as told:
        error = told
    finally:
        outcome.put((result, error))  # nobody waits for a thread that is gone
