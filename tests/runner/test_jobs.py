"""Jobs: waiting, later, cancelled, out of time, many at once, and the engine's own end."""

import threading
import time

import pytest

from runner.engine import NotFound
from runner.jobs import Job, JobStore, success
from tests.runner.flows import container, flow, flow_file, python, show

ECHO = {"f/t/echo.py": "def main(x=None):\n    return x\n"}
# Hangs in a call of C, where no exception can be raised in the thread.
HANG = {"f/t/hang.py": "import time\ndef main():\n    time.sleep(5)\n"}
SPIN = {"f/t/spin.py": "def main():\n    while True:\n        pass\n"}
MODES = pytest.mark.parametrize("isolated", [False, True], ids=["one_process", "isolated"])


def wait_running(engine, job_id: str) -> None:
    while engine.job(job_id).status == "queued":
        time.sleep(0.001)


@MODES
def test_a_script_runs_and_its_job_is_remembered(make_engine, isolated):
    engine = make_engine(ECHO, isolated=isolated)

    job_id = engine.submit("f/t/echo", {"x": [1]})

    assert engine.wait(job_id, 10) == success([1])
    assert engine.job(job_id).status == "completed"
    assert engine.wait_idle(5)


def test_an_unknown_path_is_refused_when_it_is_submitted(engine):
    with pytest.raises(NotFound, match="f/no/where"):
        engine.submit("f/no/where", {})


def test_a_job_for_later_waits_its_time_and_is_not_idleness_broken(make_engine):
    engine = make_engine(ECHO)

    later = engine.submit("f/t/echo", {"x": "later"}, wait_seconds=0.15)
    now = engine.submit("f/t/echo", {"x": "now"})

    assert engine.wait(now, 5).result == "now"
    assert engine.job(later).status == "queued"
    assert engine.wait_idle(5)
    assert engine.wait(later, 5).result == "later"


# On a busy machine the interrupt may come while the step's file is still being read.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@MODES
@pytest.mark.parametrize("files", [HANG, SPIN], ids=["hanging", "spinning"])
def test_a_cancelled_job_is_over_at_once(make_engine, isolated, files):
    engine = make_engine(files, isolated=isolated)
    job_id = engine.submit(next(iter(files)).removesuffix(".py"), {})
    wait_running(engine, job_id)

    assert engine.cancel(job_id, "changed my mind")

    outcome = engine.wait(job_id, 1)
    assert (outcome.success, outcome.status) == (False, "canceled")
    assert outcome.result["error"]["reason"] == "changed my mind"
    assert not engine.cancel(job_id, "twice")


def test_a_job_cancelled_before_it_starts_never_runs(make_engine):
    engine = make_engine(ECHO)
    job_id = engine.submit("f/t/echo", {}, wait_seconds=60)

    engine.cancel(job_id)

    assert engine.wait(job_id, 1).status == "canceled"


def test_no_step_after_a_cancelled_one_runs(make_engine, tmp_path):
    trace = tmp_path / "trace"
    wait = python("a", "import time\ndef main():\n    time.sleep(0.2)\n")
    write = python("b", f"def main():\n    open({str(trace)!r}, 'w').close()\n")
    engine = make_engine(flow_file("f/t/two", flow(wait, write)))
    job_id = engine.submit("f/t/two", {})
    wait_running(engine, job_id)

    engine.cancel(job_id)

    assert engine.wait_idle(5)
    assert not trace.exists()


@MODES
@pytest.mark.parametrize("files", [HANG, SPIN], ids=["hanging", "spinning"])
def test_a_step_out_of_time_fails_and_its_flow_goes_on(make_engine, isolated, files):
    engine = make_engine(files, isolated=isolated)
    path = next(iter(files)).removesuffix(".py")
    step = {
        "id": "a",
        "value": {"type": "script", "path": path, "input_transforms": {}},
        "timeout": {"type": "static", "value": 0.2},
        "continue_on_error": True,
    }

    outcome = engine.run_flow_value(flow(step, show("b", "previous_result.error.message")), {})

    assert "ran longer than 0.2 s" in outcome.result


def test_a_run_out_of_time_is_a_failure(make_engine):
    engine = make_engine(HANG)

    outcome = engine.run("f/t/hang", {}, timeout_seconds=0.05)

    assert outcome.status == "failure"
    assert "0.05 s" in outcome.result["error"]["message"]


def test_many_jobs_at_once_each_get_their_own_answer(make_engine):
    engine = make_engine(ECHO, worker_threads=4)

    job_ids = {number: engine.submit("f/t/echo", {"x": number}) for number in range(200)}

    assert all(engine.wait(job_id, 10).result == number for number, job_id in job_ids.items())
    assert engine.idle() or engine.wait_idle(5)


def test_flows_that_only_wait_leave_room_for_others(make_engine):
    sleeping = flow(show("a", "1", sleep={"type": "static", "value": 30}), show("b", "2"))
    engine = make_engine({**ECHO, **flow_file("f/t/sleep", sleeping)}, worker_threads=2)
    for _ in range(4):
        engine.submit("f/t/sleep", {})

    assert engine.run("f/t/echo", {"x": "through"}, timeout_seconds=5) == success("through")


def test_listeners_hear_of_every_step_and_of_the_job(make_engine):
    heard = []
    steps = flow(show("a", "1", summary="First"), container("b", "branchall", branches=[]))
    engine = make_engine(flow_file("f/t/told", steps), listener=heard.append)

    engine.run("f/t/told", {"k": 1}, listener=heard.append)

    told = [(event.step_id, event.kind, event.success) for event in heard[::2]]
    assert told == [
        ("", "started", None),
        ("a", "started", None),
        ("a", "finished", True),
        ("b", "started", None),
        ("b", "finished", True),
        ("", "finished", True),
    ]
    assert heard[4].summary == "First" and heard[4].args == {"x": 1}


def test_an_early_reply_comes_before_the_flow_ends(make_engine):
    threading.release = threading.Event()
    wait = python("b", "import threading\ndef main():\n    threading.release.wait(10)\n")
    engine = make_engine(flow_file("f/t/early", flow(show("a", "1"), wait, early_return="a")))
    job_id = engine.submit("f/t/early", {})

    reply = engine.wait_reply(job_id, 5)

    assert (reply, engine.job(job_id).outcome) == (success(1), None)
    threading.release.set()
    assert engine.wait(job_id, 5) == success(None)


def test_a_fault_of_the_engine_ends_the_job_too(make_engine, caplog):
    engine = make_engine()

    outcome = engine.run_flow_value(flow({"id": "a", "value": {}}), {})

    assert outcome.result["error"]["name"] == "InternalError"
    assert "broke the engine" in caplog.text


def test_a_stopped_engine_cancels_what_is_left_and_takes_no_more(make_engine):
    engine = make_engine({**HANG, **ECHO})
    running = engine.submit("f/t/hang", {})
    waiting = engine.submit("f/t/echo", {}, wait_seconds=60)
    wait_running(engine, running)

    engine.stop(grace_seconds=0.05)

    assert engine.wait(running, 1).status == "canceled"
    assert engine.wait(waiting, 1).status == "canceled"
    with pytest.raises(RuntimeError, match="takes no more jobs"):
        engine.submit("f/t/echo", {})


def test_a_perpetual_script_is_due_again_after_it_ended(make_engine, monkeypatch):
    monkeypatch.setattr("runner.engine.RESTART_SECONDS", 0.01)
    metadata = {"f/t/echo.script.yaml": "restart_unless_cancelled: true\n"}
    heard = threading.Semaphore(0)
    engine = make_engine({**ECHO, **metadata}, listener=lambda event: heard.release())

    engine.submit("f/t/echo", {})

    assert all(heard.acquire(timeout=5) for _ in range(6))


def test_only_the_last_completed_jobs_are_kept():
    store = JobStore(keep=2)
    jobs = [Job(str(number), {}, run=None) for number in range(3)]

    for job in jobs:
        store.add(job)
        store.complete(job)

    assert [store.get(job.id) for job in jobs] == [None, *jobs[1:]]


def test_the_first_outcome_of_a_job_stands():
    job = Job("f/t/x", {}, run=None)

    job.finish(success(1))
    job.finish(success(2))

    assert job.wait(0) == success(1)
