"""Jobs that wait for a worker: a job is a nudge, and what a killed worker held is lost."""

import heapq
import itertools
import uuid
from asyncio import Future
from dataclasses import dataclass, field


@dataclass(eq=False)
class Job:
    """`key` is what the dice are thrown for; `kind` is flow, script or webhook."""

    kind: str
    path: str
    key: str
    args: dict = field(default_factory=dict)
    body: str = ""
    headers: dict = field(default_factory=dict)
    conversation_id: str | None = None
    pause_at: str | None = None
    answered: Future | None = None
    due_at: float = 0.0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def for_worker(self, kill_rate: float, freeze_rate: float) -> dict:
        names = ("id", "kind", "path", "key", "args", "body", "headers", "pause_at")
        rates = {"kill_rate": kill_rate, "freeze_rate": freeze_rate}
        return {**{name: getattr(self, name) for name in names}, **rates}


class DueJobs:
    """In the order in which they become due."""

    def __init__(self):
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()

    def put(self, job: Job, due_at: float) -> None:
        job.due_at = due_at
        heapq.heappush(self._heap, (due_at, next(self._order), job))

    def take(self, now: float) -> Job | None:
        if self._heap and self._heap[0][0] <= now:
            return heapq.heappop(self._heap)[2]
        return None

    def seconds_behind(self, now: float) -> float:
        """How long the job that waits longest has been due."""
        return max(0.0, now - self._heap[0][0]) if self._heap else 0.0

    def __len__(self) -> int:
        return len(self._heap)
