"""A few threads that run jobs in the order they become due."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runner.failures import EngineStopped
from runner.jobs import Job


class JobQueue:
    """As many jobs run as there are places; a job that only waits lends its place."""

    def __init__(self, worker_threads: int, execute: Callable[[Job], None]):
        self._execute = execute
        self._due: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._work_came = threading.Condition(self._lock)
        self._work_ended = threading.Condition(self._lock)
        self._places = worker_threads
        self._workers = self._running = 0
        self._closed = False

    def start(self) -> None:
        with self._lock:
            self._fill_places()

    def put(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise EngineStopped("the engine is stopped; it takes no more jobs")
            due_at = time.monotonic() + job.wait_seconds
            heapq.heappush(self._due, (due_at, next(self._order), job))
            self._work_came.notify()

    def close(self) -> None:
        """Nothing more is started; what waits is dropped, what runs goes on."""
        with self._lock:
            self._closed = True
            self._due.clear()
            self._work_came.notify_all()

    @property
    def is_closed(self) -> bool:
        return self._closed

    @contextmanager
    def lent_place(self) -> Iterator[None]:
        with self._lock:
            self._places += 1
            self._fill_places()
        try:
            yield
        finally:
            with self._lock:
                self._places -= 1
                self._work_came.notify_all()

    def is_idle(self) -> bool:
        """Nothing runs and nothing is due; jobs scheduled for later do not count."""
        with self._lock:
            return self._nothing_to_do()

    def wait_idle(self, timeout_seconds: float) -> bool:
        with self._lock:
            return self._work_ended.wait_for(self._nothing_to_do, timeout=timeout_seconds)

    def _nothing_to_do(self) -> bool:
        is_due = self._due and self._due[0][0] <= time.monotonic()
        return not self._running and not is_due

    def _fill_places(self) -> None:
        while self._workers < self._places and not self._closed:
            self._workers += 1
            threading.Thread(target=self._work, name="worker", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._execute(job)
            finally:
                with self._lock:
                    self._running -= 1
                    self._work_ended.notify_all()

    def _next(self) -> Job | None:
        """The next job that is due, or None where there are more workers than places."""
        with self._lock:
            while not self._closed and self._workers <= self._places:
                seconds = self._due[0][0] - time.monotonic() if self._due else None
                if seconds is not None and seconds <= 0:
                    self._running += 1
                    return heapq.heappop(self._due)[2]
                self._work_came.wait(seconds)
            # Whatever woke this one up is another one's to do.
            self._work_came.notify()
            self._workers -= 1
            return None
