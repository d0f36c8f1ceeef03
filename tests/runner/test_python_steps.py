"""Python steps: arguments, results, errors and surroundings, alike in both modes."""

import base64
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from runner.interruption import InterruptibleCall, Interruption
from runner.jobs import success
from tests.runner.flows import container, flow, python, show

MODES = pytest.mark.parametrize("isolated", [False, True], ids=["one_process", "isolated"])


@pytest.fixture(params=[False, True], ids=["one_process", "isolated"])
def run_main(request, make_engine):
    """run_main(content, args) -> Outcome of a script with that content."""

    def run(content: str, args: dict | None = None, **files):
        named = {name.replace("__", "/") + ".py": text for name, text in files.items()}
        engine = make_engine({"f/t/it.py": content, **named}, isolated=request.param)
        outcome = engine.run("f/t/it", args or {})
        engine.stop()
        return outcome

    return run


def test_arguments_are_bound_as_windmill_binds_them(run_main):
    content = "def main(a, b, c=3, *, d=4, e, **more):\n    return [a, b, c, d, e, more]\n"

    outcome = run_main(content, {"a": 1, "c": None, "e": 5, "f": "<function call>", "g": 7})

    assert outcome.result == [1, None, 3, 4, 5, {"g": 7}]


def test_bytes_and_dates_are_converted_and_nothing_else(run_main):
    content = (
        "from __future__ import annotations\n"
        "from datetime import date, datetime\n"
        "def main(b: bytes, d: date, t: datetime, n: int, s: str):\n"
        "    return [b.decode(), str(d), t.year, n, s]\n"
    )
    args = {
        "b": base64.b64encode(b"hi").decode(),
        "d": "2024-02-03",
        "t": "2024-02-03T04:05:06Z",
        "n": "1",
        "s": 2,
    }

    assert run_main(content, args).result == ["hi", "2024-02-03", 2024, "1", 2]


def test_results_go_through_windmills_json(run_main):
    content = (
        "from datetime import datetime\nfrom decimal import Decimal\n"
        "class DataFrame:\n"
        "    class values:\n"
        "        tolist = staticmethod(lambda: [[1]])\n"
        "def main(kind):\n"
        "    if kind == 'frame':\n        return DataFrame()\n"
        "    return {'t': datetime(2024, 1, 1), 'd': Decimal('1.50'), 3: b'x',"
        " 'n': [float('nan'), -float('inf')], 'z': 'a\\0b', 'w': 'to Infinity'}\n"
    )

    assert run_main(content, {"kind": "frame"}).result == [[1]]
    assert run_main(content, {"kind": ""}).result == {
        "t": "2024-01-01 00:00:00",
        "d": "1.50",
        "3": "eA==",
        "n": [None, None],
        "z": "a null b",
        "w": "to  null ",
    }


def test_what_cannot_be_json_is_the_steps_error(run_main):
    outcome = run_main("def main():\n    loop = []\n    loop.append(loop)\n    return loop\n")

    assert outcome.result["error"]["name"] == "ValueError"


def test_an_error_shows_its_attributes_and_only_the_scripts_frames(run_main):
    content = (
        "class Busy(Exception):\n    pass\n"
        "def main():\n    error = Busy('later')\n    error.retryable = True\n    raise error\n"
    )

    error = run_main(content).result["error"]

    assert (error["name"], error["message"], error["extra"]) == (
        "Busy",
        "later",
        {"retryable": True},
    )
    assert "in main" in error["stack"] and "python_wrapper" not in error["stack"]


@pytest.mark.parametrize(
    "content",
    [
        "import nothing_of_that_name\ndef main():\n    pass\n",
        "def main(:\n",
        "from datetime import datetime\ndef main(x: datetime):\n    return x\n",
        "value = 1\n",
    ],
    ids=["import", "syntax", "conversion", "no_main"],
)
def test_a_script_that_cannot_start_is_a_dead_process(run_main, content):
    error = run_main(content, {"x": "no date"}).result["error"]

    assert (error["name"], error["exit_code"]) == ("ExecutionErr", 1)
    assert "Traceback" in error["message"]


def test_a_hard_exit_ends_only_the_step(run_main):
    outcome = run_main("import os\ndef main():\n    os._exit(7)\n")

    assert outcome.result["error"]["exit_code"] == 7


def test_a_step_sees_the_jobs_variables_and_not_the_processs(run_main, monkeypatch):
    monkeypatch.setenv("CHATMILL_TEST_SECRET", "hidden")
    content = (
        "import os\n"
        "def main():\n"
        "    os.environ['MINE'] = '1'\n"
        "    names = ('WM_WORKSPACE', 'WM_JOB_PATH', 'CHATMILL_TEST_SECRET', 'MINE')\n"
        "    return [os.environ.get(name) for name in names] + ['WM_TOKEN' in os.environ]\n"
    )

    assert run_main(content).result == ["chatmill", "f/t/it", None, "1", True]
    assert "MINE" not in os.environ


def test_library_imports_come_from_the_workspace(run_main):
    content = (
        "from f.lib.words import WORD\nfrom .near import NEAR\n"
        "def main():\n    return WORD + NEAR\n"
    )

    outcome = run_main(content, f__lib__words="WORD = 'far'\n", f__t__near="NEAR = ' near'\n")

    assert outcome == success("far near")


def test_arguments_never_stand_on_a_command_line(make_engine):
    content = "import sys\ndef main(x):\n    return open('/proc/self/cmdline').read()\n"
    engine = make_engine({"f/t/it.py": f"{content}"}, isolated=True)

    outcome = engine.run("f/t/it", {"x": "s3cret-value"})

    assert outcome.success and "s3cret-value" not in outcome.result


@MODES
def test_a_preprocessor_replaces_the_arguments(make_engine, isolated):
    content = (
        "def preprocessor(event):\n    return event['n']\ndef main(value):\n    return value\n"
    )
    engine = make_engine({"f/t/it.py": content}, isolated=isolated)

    job_id = engine.submit("f/t/it", {}, event={"n": 4})

    assert engine.has_preprocessor("f/t/it")
    assert engine.wait(job_id, 10) == success(4)
    assert (engine.job(job_id).args, engine.job(job_id).event) == ({"value": 4}, None)


@MODES
def test_parallel_steps_each_see_their_own_step_id(make_engine, isolated):
    content = (
        "import os, time\n"
        "def main():\n    time.sleep(0.05)\n    return os.environ['WM_FLOW_STEP_ID']\n"
    )
    branches = [{"modules": [python(name, content)]} for name in "abc"]
    engine = make_engine(isolated=isolated)

    outcome = engine.run_flow_value(flow(container("p", "branchall", branches=branches)), {})

    assert outcome.result == ["a", "b", "c"]


def test_a_threads_environment_has_what_all_jobs_share(make_engine, monkeypatch):
    monkeypatch.delenv("WM_TOKEN", raising=False)
    content = (
        "import os, threading\n"
        "def main():\n"
        "    seen = []\n"
        "    thread = threading.Thread(target=lambda: seen.append(os.environ['WM_TOKEN']))\n"
        "    thread.start()\n    thread.join()\n    return seen\n"
    )
    engine = make_engine({"f/t/it.py": content})

    assert engine.run("f/t/it", {}).result == [engine.token]


def test_a_step_may_change_its_arguments_without_touching_earlier_results(engine):
    change = python("b", "def main(x):\n    x.append(2)\n    return x\n", inputs={"x": "results.a"})

    outcome = engine.run_flow_value(flow(show("a", "[1]"), change, show("c", "results.a")), {})

    assert outcome.result == [1]


def test_a_changed_script_is_imported_again(make_engine):
    engine = make_engine({"f/t/it.py": "def main():\n    return 1\n"})
    file = engine.workspace.scripts["f/t/it"].file
    first = engine.run("f/t/it", {}).result

    file.write_text("def main():\n    return 22\n")
    os.utime(file, ns=(1, 1))

    assert (first, engine.run("f/t/it", {}).result) == (1, 22)


def test_a_foreign_workspace_gives_the_name_f_back(make_engine):
    from f.shared import errors

    engine = make_engine({"f/shared/errors.py": "def main():\n    return 'foreign'\n"})
    foreign = engine.run("f/shared/errors", {})
    during = sys.modules["f.shared.errors"]
    engine.stop()

    assert foreign == success("foreign")
    assert during is not errors
    assert sys.modules["f.shared.errors"] is errors


def test_two_foreign_workspaces_do_not_run_in_one_process(make_engine):
    make_engine()

    with pytest.raises(RuntimeError, match="another workspace is running"):
        make_engine()


def test_isolated_steps_leave_nothing_behind(make_engine, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "steps"))
    (tmp_path / "steps").mkdir()
    content = "import subprocess\ndef main():\n    return subprocess.Popen(['sleep', '30']).pid\n"
    engine = make_engine({"f/t/it.py": content}, isolated=True)

    outcome = engine.run("f/t/it", {})

    assert list((tmp_path / "steps").iterdir()) == []
    assert any(is_dead(outcome.result) or time.sleep(0.01) for _ in range(500))


def is_dead(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_an_interruption_never_hits_what_runs_next_on_the_thread():
    ended = interrupted = 0
    for _ in range(200):
        started = threading.Event()
        call = InterruptibleCall(started.set)
        thread = threading.Thread(target=lambda s=started, c=call: (s.wait(), c.interrupt()))
        thread.start()
        try:
            call()
            ended += 1
        except Interruption:
            interrupted += 1
        thread.join()

    assert ended + interrupted == 200
