"""Start the workspace's schedules when they are due; what was missed is not made up for."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from runner.cron import Cron, parse_cron

# A clock that is set forward or a machine that slept is noticed after this long.
LONGEST_WAIT_SECONDS = 30.0


class Scheduled:
    """One enabled schedule: what it starts, when next, and the job it started last."""

    def __init__(self, schedule: dict, now: datetime):
        self.script_path: str = schedule["script_path"]
        self.args: dict = schedule.get("args") or {}
        self.may_overlap: bool = not schedule.get("no_flow_overlap")
        self.cron: Cron = parse_cron(schedule["schedule"], schedule["timezone"])
        self.next_tick = self.cron.next_after(now)
        self.last_job_id: str | None = None


class Scheduler:
    def __init__(self, engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._engine = engine
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._scheduled: list[Scheduled] = []

    def start(self) -> None:
        now = self._clock()
        schedules = [schedule.metadata for schedule in self._engine.workspace.schedules]
        self._scheduled = [Scheduled(each, now) for each in schedules if each.get("enabled")]
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more; jobs that run are the engine's to end."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def run_due(self) -> None:
        now = self._clock()
        for scheduled in self._scheduled:
            if scheduled.next_tick <= now:
                scheduled.next_tick = scheduled.cron.next_after(now)
                self._start_job(scheduled)

    def _run(self) -> None:
        while not self._stopping.wait(self._wait_seconds()):
            self.run_due()

    def _wait_seconds(self) -> float:
        now = self._clock()
        waits = [(scheduled.next_tick - now).total_seconds() for scheduled in self._scheduled]
        return max(0.0, min([*waits, LONGEST_WAIT_SECONDS]))

    def _start_job(self, scheduled: Scheduled) -> None:
        if scheduled.may_overlap or not self._is_running(scheduled.last_job_id):
            scheduled.last_job_id = self._engine.submit(scheduled.script_path, scheduled.args)

    def _is_running(self, job_id: str | None) -> bool:
        job = self._engine.job(job_id) if job_id else None
        return job is not None and job.status != "completed"
