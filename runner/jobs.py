"""A job and its outcome, and the store that remembers the last completed ones."""

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """`status` is 'success', 'failure', 'skipped' or 'canceled'; only 'success' is a success."""

    success: bool
    status: str
    result: object


@dataclass(frozen=True)
class Resume:
    """One answer to a suspended flow."""

    value: object
    approver: str
    approved: bool


@dataclass(frozen=True)
class StepEvent:
    """One step (or, with an empty step_id, the whole job) started or finished."""

    job_id: str
    flow_path: str
    step_id: str
    summary: str
    kind: str
    success: bool | None = None
    result: object = None
    seconds: float | None = None
    args: dict | None = None


Listener = Callable[[StepEvent], None]


def success(result) -> Outcome:
    return Outcome(True, "success", result)


def failure(result) -> Outcome:
    return Outcome(False, "failure", result)


def canceled(reason: str) -> Outcome:
    error = {"name": "Canceled", "message": f"Job canceled: {reason}", "reason": reason}
    return Outcome(False, "canceled", {"error": error})


def timed_out(seconds: float) -> Outcome:
    message = f"execution error:\nTimeout: the job ran longer than {seconds:g} s"
    return failure({"error": {"name": "ExecutionErr", "message": message}})


@dataclass(eq=False)
class Job:
    """One run of a script or a flow; `status` goes queued, running, completed."""

    path: str
    args: dict
    run: Callable[["Job"], Outcome]
    event: dict | None = None
    listener: Listener | None = None
    wait_seconds: float = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "queued"
    outcome: Outcome | None = None
    cancel_reason: str | None = None
    created_at: float = field(default_factory=time.time)

    def __post_init__(self):
        self.early_reply: Outcome | None = None
        self._resumes: list[Resume] = []
        self._changed = threading.Condition()
        self._interrupts: set[Callable[[], None]] = set()

    def begin(self) -> bool:
        """False when the job was stopped while it waited."""
        with self._changed:
            if self.outcome is not None:
                return False
            self.status = "running"
            return True

    def finish(self, outcome: Outcome) -> bool:
        """The first outcome stands: what a cancelled job returns afterwards is ignored."""
        with self._changed:
            if self.outcome is not None:
                return False
            self.outcome, self.status = outcome, "completed"
            self._changed.notify_all()
            return True

    def reply_early(self, outcome: Outcome) -> None:
        with self._changed:
            self.early_reply = outcome
            self._changed.notify_all()

    def stop(self, outcome: Outcome) -> bool:
        """End a job from outside: its waiters hear at once, its running steps are interrupted."""
        with self._changed:
            self.cancel_reason = self.cancel_reason or outcome.status
            interrupts = list(self._interrupts)
        finished = self.finish(outcome)
        for interrupt in interrupts:
            interrupt()
        return finished

    @property
    def is_stopped(self) -> bool:
        return self.cancel_reason is not None

    def on_stop(self, interrupt: Callable[[], None]) -> None:
        with self._changed:
            self._interrupts.add(interrupt)
            already_stopped = self.is_stopped
        if already_stopped:
            interrupt()

    def off_stop(self, interrupt: Callable[[], None]) -> None:
        with self._changed:
            self._interrupts.discard(interrupt)

    def sleep(self, seconds: float) -> None:
        """Wait, or less when the job is stopped meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_stopped or self.outcome, timeout=seconds)

    def resume(self, resume: Resume) -> None:
        with self._changed:
            self._resumes.append(resume)
            self._changed.notify_all()

    def wait_resumes(self, count: int, timeout_seconds: float) -> list[Resume]:
        """The answers so far, once there are enough of them, one says no, or time is up."""

        def is_decided() -> bool:
            refused = any(not resume.approved for resume in self._resumes)
            return refused or len(self._resumes) >= count or self.is_stopped

        with self._changed:
            self._changed.wait_for(is_decided, timeout=timeout_seconds)
            resumes, self._resumes = self._resumes, []
            return resumes

    def wait(self, timeout_seconds: float | None = None) -> Outcome:
        with self._changed:
            if not self._changed.wait_for(lambda: self.outcome, timeout=timeout_seconds):
                raise TimeoutError(f"job {self.id} did not end within {timeout_seconds} s")
            return self.outcome

    def wait_reply(self, timeout_seconds: float | None = None) -> Outcome:
        """The early_return step's outcome when the flow names one, otherwise the job's."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: self.early_reply or self.outcome, timeout=timeout_seconds
            ):
                raise TimeoutError(f"job {self.id} did not reply within {timeout_seconds} s")
            return self.early_reply or self.outcome


class JobStore:
    """Every job under way and the last `keep` completed ones."""

    def __init__(self, keep: int = 2_000):
        self._keep = keep
        self._lock = threading.Lock()
        self._active: dict[str, Job] = {}
        self._completed: OrderedDict[str, Job] = OrderedDict()

    def add(self, job: Job) -> None:
        with self._lock:
            self._active[job.id] = job

    def complete(self, job: Job) -> None:
        with self._lock:
            if self._active.pop(job.id, None) is None:
                return
            self._completed[job.id] = job
            while len(self._completed) > self._keep:
                self._completed.popitem(last=False)

    def get(self, job_id: str) -> Job | None:
        with self._lock:
            return self._active.get(job_id) or self._completed.get(job_id)

    def active(self) -> list[Job]:
        with self._lock:
            return list(self._active.values())
