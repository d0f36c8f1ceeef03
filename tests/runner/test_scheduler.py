"""Schedules start their jobs when due, once, and stop cleanly."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from runner.scheduler import Scheduler

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
EVERY_MINUTE = {
    "schedule": "0 * * * * *",
    "timezone": "Etc/UTC",
    "script_path": "f/ops/sweep",
    "is_flow": True,
    "args": {"limit": 5},
    "enabled": True,
}


@dataclass
class RecordingEngine:
    """Takes jobs without running them; `status` is that of every job."""

    workspace: SimpleNamespace
    status: str = "completed"
    submitted: list = field(default_factory=list)
    has_submitted: threading.Event = field(default_factory=threading.Event)

    def submit(self, path, args):
        self.submitted.append((path, args))
        self.has_submitted.set()
        return str(len(self.submitted))

    def job(self, job_id):
        return SimpleNamespace(status=self.status)


@dataclass
class Clock:
    now: datetime = MIDNIGHT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def start(clock):
    """Start a scheduler over one schedule whose keys are EVERY_MINUTE with the given changes."""
    schedulers = []

    def start_with(**changes):
        schedule = SimpleNamespace(metadata={**EVERY_MINUTE, **changes})
        engine = RecordingEngine(SimpleNamespace(schedules=[schedule]))
        scheduler = Scheduler(engine, clock)
        scheduler.start()
        schedulers.append(scheduler)
        return scheduler, engine

    yield start_with
    for scheduler in schedulers:
        scheduler.stop()


def test_a_schedule_starts_its_job_with_its_arguments(start, clock):
    scheduler, engine = start()

    clock.now = MIDNIGHT + timedelta(seconds=60)
    scheduler.run_due()

    assert engine.submitted == [("f/ops/sweep", {"limit": 5})]


def test_nothing_starts_before_its_time(start, clock):
    scheduler, engine = start()

    clock.now = MIDNIGHT + timedelta(seconds=59)
    scheduler.run_due()

    assert engine.submitted == []


def test_what_was_missed_while_the_machine_slept_is_not_made_up_for(start, clock):
    scheduler, engine = start()

    clock.now = MIDNIGHT + timedelta(hours=3)
    scheduler.run_due()
    scheduler.run_due()

    assert len(engine.submitted) == 1


def test_a_disabled_schedule_never_starts(start, clock):
    scheduler, engine = start(enabled=False)

    clock.now = MIDNIGHT + timedelta(days=1)
    scheduler.run_due()

    assert engine.submitted == []


@pytest.mark.parametrize(("status", "started"), [("running", 1), ("queued", 1), ("completed", 2)])
def test_a_flow_that_may_not_overlap_waits_for_the_one_before(start, clock, status, started):
    scheduler, engine = start(no_flow_overlap=True)
    engine.status = status

    for minutes in (1, 2):
        clock.now = MIDNIGHT + timedelta(minutes=minutes)
        scheduler.run_due()

    assert len(engine.submitted) == started


def test_the_scheduler_wakes_by_itself():
    schedule = SimpleNamespace(metadata={**EVERY_MINUTE, "schedule": "* * * * * *"})
    engine = RecordingEngine(SimpleNamespace(schedules=[schedule]))
    scheduler = Scheduler(engine)

    scheduler.start()

    assert engine.has_submitted.wait(timeout=10)
    scheduler.stop()


def test_a_scheduler_that_never_started_can_be_stopped():
    Scheduler(RecordingEngine(SimpleNamespace(schedules=[]))).stop()
