"""How long a turn may still think; nothing that it waits for may wait longer."""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread

from f.shared.errors import UpstreamDown


class Deadline:
    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._ends = clock() + seconds

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._ends - self._clock())


def within(seconds: float, act: Callable[[], object]):
    """What `act` returns or raises; raises UpstreamDown when that takes longer.

    A socket's timeout starts anew with every byte, so a server that sends one now and then holds
    its reader for ever. The thread that is left behind ends with its socket or with the process;
    so `act` must be something that may still happen later.
    """
    outcome: SimpleQueue = SimpleQueue()
    Thread(target=_settle, args=(act, outcome), daemon=True).start()
    try:
        result, error = outcome.get(timeout=max(seconds, 0.01))
    except Empty:
        raise UpstreamDown(f"no whole answer within {seconds:.0f} seconds") from None
    if error is not None:
        raise error
    return result


def _settle(act: Callable[[], object], outcome: SimpleQueue) -> None:
    try:
        outcome.put((act(), None))
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        outcome.put((None, error))
