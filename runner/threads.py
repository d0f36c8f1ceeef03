"""Daemon threads that wait for the next task: a step that hangs never keeps the process alive."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future


class DaemonThreads:
    """A thread is started only when no other one is idle."""

    def __init__(self, name: str):
        self._name = name
        self._tasks: queue.SimpleQueue = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)

    def submit(self, function: Callable) -> Future:
        future: Future = Future()
        self._tasks.put((future, function))
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def run_all(self, functions: Sequence[Callable], at_once: int) -> list:
        """Results in order; the calling thread works too, so nested calls never starve."""
        remaining = iter(enumerate(functions))
        results: list = [None] * len(functions)
        lock = threading.Lock()

        def work():
            while True:
                with lock:
                    index, function = next(remaining, (None, None))
                if index is None:
                    return
                results[index] = function()

        helpers = [self.submit(work) for _ in range(min(at_once, len(functions)) - 1)]
        try:
            work()
        finally:
            waited = [helper.exception() for helper in helpers if not helper.cancel()]
        for exc in filter(None, waited):
            raise exc
        return results

    def _work(self) -> None:
        while True:
            future, function = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as exc:  # noqa: BLE001  handed to whoever waits for the future
                    future.set_exception(exc)
            del future, function
            self._idle.release()
