"""Named places in every step where its process may be killed, frozen or held, without a hook in it.

`install` wraps the two functions through which every step touches the world, before the steps are
imported and bind their names. A boundary is called step:what:number:where, like
`run_agent:transaction:2:before commit` or `send_reply:vendor:1:answered`.
"""

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.chaos.dice import Dice

HIGHEST_NUMBER = 6
LONGEST_VENDOR_WAIT_SECONDS = 2.0
FREEZES = {"shorter": (0.2, 3.0), "longer": (6.0, 9.0)}  # than the lease of 5 seconds
# Between the sender's last look at the clock and the call nobody can hold it back: who freezes
# there for longer than the grace sends late. Production's grace is 120 s; here it is 3 s.
LONGEST_FREEZE_AT_THE_CALL_SECONDS = 2.4

KINDS = (
    ("model", re.compile(r"/chat/completions$")),
    ("embeddings", re.compile(r"/embeddings$")),
    ("vendor", re.compile(r"/v\d+\.\d+/[^/]+/messages")),
    ("start flow", re.compile(r"/jobs/run/")),
    ("settings", re.compile(r"/(?:resources|variables)/")),
)


@dataclass
class Job:
    """What a process works at, and how likely it is to be hurt at each boundary."""

    id: str
    key: str
    kill_rate: float
    freeze_rate: float
    dice: Dice
    tell: Callable[[dict], None]
    pause_at: str | None = None
    wait: Callable[[], object] | None = None
    passed: Counter = field(default_factory=Counter)
    numbers: Counter = field(default_factory=Counter)
    # Calls are made in threads of their own and beats of the lease come from another: what the
    # thinking thread commits next is the answer.
    thinking_thread: int = 0
    holds_unstored_call: bool = False
    lost_calls: int = 0
    fenced: int = 0


_lock = threading.Lock()
_job: Job | None = None


def begin(job: Job) -> None:
    global _job
    _job = job


def install() -> None:
    """Before anything else of f/ is imported."""
    import f.shared.db as db
    import f.shared.http as http

    db.connect = _wrapped_connect(db.connect)
    http.request = _wrapped_request(http.request)


def _wrapped_connect(connect):
    @contextmanager
    def connect_with_boundaries(resource):
        name = _numbered("transaction")
        if _job and name == "run_agent:transaction:1":
            forget_call(_job)  # of the step's try before this one
            _job.thinking_thread = threading.get_ident()
        reach(f"{name}:begin")
        with _counted_refusals(), connect(resource) as conn:
            yield conn
            reach(f"{name}:before commit")
        if _job and _job.thinking_thread == threading.get_ident():
            _job.holds_unstored_call = False
        reach(f"{name}:committed")

    return connect_with_boundaries


@contextmanager
def _counted_refusals():
    from f.shared.errors import StaleTurn

    try:
        yield
    except StaleTurn:
        if _job:
            _job.fenced += 1
        raise


def _wrapped_request(request):
    def request_with_boundaries(method, url, *given, timeout_seconds=10, **named):
        kind = next((kind for kind, pattern in KINDS if pattern.search(url)), "other")
        if kind == "vendor":
            timeout_seconds = min(timeout_seconds, LONGEST_VENDOR_WAIT_SECONDS)
        name = _numbered(kind)
        reach(f"{name}:begin")
        with _paid_call(kind == "model"):
            response = request(method, url, *given, timeout_seconds=timeout_seconds, **named)
        reach(f"{name}:answered")
        return response

    return request_with_boundaries


@contextmanager
def _paid_call(is_paid: bool):
    """From here until a transaction of the step ends, what was paid for is in this process only."""
    if not (is_paid and _job):
        yield
        return
    forget_call(_job)
    _job.holds_unstored_call = True
    try:
        yield
    except Exception:
        _job.holds_unstored_call = False  # refused, or cut: the stand-in counts those itself
        raise


def forget_call(job: Job) -> None:
    """An answer that nobody stored, because of an error and not of a kill."""
    job.lost_calls += job.holds_unstored_call
    job.holds_unstored_call = False


def _step() -> str:
    """Threads that a step starts do not know their job."""
    return os.environ.get("WM_JOB_PATH", "f/its thread").rpartition("/")[2]


def _numbered(what: str) -> str:
    if _job is None:
        return what
    step = _step()
    place = (os.environ.get("WM_JOB_ID", ""), step, what)
    with _lock:
        _job.numbers[place] += 1
        number = _job.numbers[place]
    return f"{step}:{what}:{number}"


def reach(name: str) -> None:
    """The place where a process may end."""
    job = _job
    if job is None:
        return
    with _lock:
        if is_later_round(name):
            return
        job.passed[name] += 1
        if name == job.pause_at:
            job.pause_at = None
            _tell(job, {"event": "pause", "boundary": name})
            job.wait()
        rates = {"kill": job.kill_rate, "freeze": job.freeze_rate}
        fate = job.dice.pick(rates, "boundary", job.key, name, job.passed[name])
        if fate == "kill":
            _tell(job, {"event": "kill", "boundary": name})
            os.kill(os.getpid(), signal.SIGKILL)
        elif fate == "freeze":
            _freeze(job, name)


def is_later_round(name: str) -> bool:
    """A sweep starts dozens of flows: killed at each as likely as elsewhere, it would never end."""
    number = name.split(":")[2]
    return number.isdigit() and int(number) > HIGHEST_NUMBER


def _freeze(job: Job, name: str) -> None:
    kind = "longer" if job.dice.roll("longer", job.key, name) < 0.3 else "shorter"
    seconds = job.dice.between(*FREEZES[kind], "seconds", job.key, name)
    if ":vendor:" in name and name.endswith(":begin"):
        seconds = min(seconds, LONGEST_FREEZE_AT_THE_CALL_SECONDS)
    job.freeze_rate = 0  # once a job
    event = {"event": "freeze", "boundary": name, "seconds": seconds, "pid": os.getpid()}
    _tell(job, event)
    # To this thread: one sent to the process may be taken by another, and this one run on into a
    # call that nobody who is frozen there for long can keep from being made late.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _tell(job: Job, event: dict) -> None:
    more = {"job": job.id, "in_window": job.holds_unstored_call, **found_by(job)}
    job.tell({**event, **more})


def found_by(job: Job) -> dict:
    """What was counted since it was last asked for."""
    found = {"passed": dict(job.passed), "lost_calls": job.lost_calls, "fenced": job.fenced}
    job.passed, job.lost_calls, job.fenced = Counter(), 0, 0
    return found
