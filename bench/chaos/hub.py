"""The conductor's side of the workers: who is free, who works at what, who died of it."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from bench.chaos.jobs import DueJobs, Job
from bench.chaos.journal import Journal
from bench.chaos.recovery import Recovery

# Webhooks are answered by processes of their own, as on Windmill by workers of their own.
KINDS = {"flow": "runner", "script": "runner", "webhook": "receiver"}

# There are many more webhooks than turns, with fewer things to go wrong in each.
WEBHOOK_SHARE = 0.25


CLOSING_SECONDS = 10


@dataclass(eq=False)
class Worker:
    kind: str
    writer: asyncio.StreamWriter
    job: Job | None = None
    killed_at: str | None = None


class Hub:
    """`want(kind)` asks the nursery for one more worker of a kind; `on_pause(job, boundary)` is
    what happens while a job is held at its `pause_at`."""

    def __init__(self, journal: Journal, recovery: Recovery, rates: dict[str, float], want):
        self._journal = journal
        self._recovery = recovery
        self._want = want
        self.rates = rates
        self.on_pause: Callable[[Job, str], Awaitable[None]] | None = None
        self.queues = {"runner": DueJobs(), "receiver": DueJobs()}
        self._free: dict[str, list[Worker]] = {"runner": [], "receiver": []}
        self._running: dict[str, Job] = {}
        self._workers: set[Worker] = set()
        self._frozen: set[int] = set()
        self._lines: set[asyncio.Task] = set()
        self.is_closing = False

    def put(self, job: Job, wait_seconds: float = 0) -> None:
        kind = KINDS[job.kind]
        self.queues[kind].put(job, time.monotonic() + wait_seconds)
        if wait_seconds:
            asyncio.get_running_loop().call_later(wait_seconds + 0.001, self._hand_out, kind)
        else:
            self._hand_out(kind)

    def is_running(self, path: str) -> bool:
        return any(job.path == path for job in self._running.values())

    @property
    def seconds_behind(self) -> float:
        now = time.monotonic()
        return max(queue.seconds_behind(now) for queue in self.queues.values())

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(task := asyncio.current_task())
        task.add_done_callback(self._lines.discard)
        worker = None
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                event = json.loads(line)
                if event["event"] == "hello":
                    worker = Worker(event["kind"], writer)
                    self._workers.add(worker)
                    self._is_free(worker)
                else:
                    self._heard(worker, event)
        writer.close()
        if worker is not None:
            self._lost(worker)

    def _heard(self, worker: Worker | None, event: dict) -> None:
        job = self._running.get(event["job"])
        self._journal.passed.update(event.get("passed", {}))
        self._journal.counts["answers lost to errors"] += event.get("lost_calls", 0)
        self._journal.counts["fenced writes"] += event.get("fenced", 0)
        match event["event"]:
            case "done":
                self._done(worker, job, event)
            case "claimed":
                self._journal.note(job.conversation_id, f"{event['decision']}: {event['reason']}")
                if event["decision"] == "answer":
                    self._recovery.claimed(job.conversation_id)
            case "failed":
                self._journal.note(job.conversation_id, f"failed: {event['error']}")
                self._journal.errors[event["error"]] += 1
            case "pause":
                asyncio.get_running_loop().create_task(self._pause(worker, job, event))
            case "kill":
                self._recovery.hurt("kill", event, job)
            case "freeze":
                self._recovery.hurt("freeze", event, job)
                self._thaw_later(event["pid"], event["seconds"])

    def _done(self, worker: Worker, job: Job, event: dict) -> None:
        del self._running[job.id]
        if event.get("error") and job.kind != "flow":
            self._journal.errors[f"{job.path}: {event['error']}"] += 1
        if job.answered and not job.answered.done():
            job.answered.set_result(event["status"])
        worker.job = None
        self._is_free(worker)

    def _is_free(self, worker: Worker) -> None:
        self._free[worker.kind].append(worker)
        self._hand_out(worker.kind)

    def _hand_out(self, kind: str) -> None:
        free, queue = self._free[kind], self.queues[kind]
        while free and (job := queue.take(time.monotonic())):
            worker = free.pop()
            worker.job = job
            self._running[job.id] = job
            self._journal.queued_seconds[kind].append(time.monotonic() - job.due_at)
            facts = job.for_worker(**self._rates_for(job))
            worker.writer.write(json.dumps(facts).encode() + b"\n")

    def _rates_for(self, job: Job) -> dict[str, float]:
        """A conversation that was hurt often enough is left alone until it has been answered:
        five lost attempts are a poisoned message, which is buried on purpose."""
        if not self._recovery.may_be_hurt(job.conversation_id):
            return {"kill_rate": 0, "freeze_rate": 0}
        share = WEBHOOK_SHARE if job.kind == "webhook" else 1
        return {name: rate * share for name, rate in self.rates.items()}

    def _lost(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if worker in self._free[worker.kind]:
            self._free[worker.kind].remove(worker)
        if worker.job is not None:
            job = self._running.pop(worker.job.id, worker.job)
            if job.answered and not job.answered.done():
                job.answered.set_result(None)
        if not self.is_closing:
            self._want(worker.kind)

    async def _pause(self, worker: Worker, job: Job, event: dict) -> None:
        await self.on_pause(job, event["boundary"])
        worker.writer.write(b"go on\n")

    def _thaw_later(self, pid: int, seconds: float) -> None:
        self._frozen.add(pid)
        asyncio.get_running_loop().call_later(seconds, self._thaw, pid)

    def _thaw(self, pid: int) -> None:
        if pid in self._frozen:
            self._frozen.discard(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def close(self) -> None:
        """Workers end when their line does."""
        self.is_closing = True
        for pid in list(self._frozen):
            self._thaw(pid)
        for worker in list(self._workers):
            worker.writer.close()
        async with asyncio.timeout(CLOSING_SECONDS):
            while self._lines:
                await asyncio.wait(self._lines)
