"""Run a Python step in a process of its own: a clean environment, killed as a group."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runner import python_wrapper
from runner.failures import StepFailed, exit_code_failed, step_failed
from runner.steps import Step, step_timed_out

# No site module: the packages' folder is on PYTHONPATH instead, which saves a third of the start.
COMMAND = (sys.executable, "-u", "-S", "-P", str(Path(python_wrapper.__file__)))
LOG_LINES = 30


class IsolatedSteps:
    def __init__(self, root: Path):
        packages = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
        self._python_path = os.pathsep.join([str(root), *packages])

    def start(self, shared_environment: Mapping[str, str]) -> None:
        """Nothing to prepare: each step's process gets its whole environment."""

    def stop(self) -> None:
        """Nothing is kept between steps."""

    def run(self, step: Step):
        with tempfile.TemporaryDirectory(prefix="chatmill_step_") as directory:
            _write_request(Path(directory), step)
            code = self._run_process(Path(directory), step)
            return _read_result(Path(directory), step, code)

    def _run_process(self, directory: Path, step: Step) -> int:
        environment = {**step.environment, "PYTHONPATH": self._python_path}
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [*COMMAND, str(directory)],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

        def kill():
            _kill_group(process)

        step.job.on_stop(kill)
        try:
            return process.wait(step.timeout_seconds)
        except subprocess.TimeoutExpired as exc:
            raise step_timed_out(step) from exc
        finally:
            step.job.off_stop(kill)
            kill()
            process.wait()


def _write_request(directory: Path, step: Step) -> None:
    """A file of ours alone: arguments may be secrets, and argv is for everybody to read."""
    request = {
        "module": step.code.path if step.code.is_inline else step.code.path.replace("/", "."),
        "content": step.code.content if step.code.is_inline else None,
        "function": step.function,
        "args": step.args,
        "step_id": step.step_id,
    }
    (directory / "request.json").write_text(json.dumps(request), encoding="utf-8")


def _read_result(directory: Path, step: Step, code: int):
    file = directory / "result.json"
    if step.job.is_stopped:
        raise step_failed("Job canceled", step.step_id)
    if not file.exists():
        raise exit_code_failed(code, _last_log_lines(directory), step.step_id)
    answer = json.loads(file.read_text(encoding="utf-8"))
    if "error" in answer:
        raise StepFailed(answer)
    return answer["result"]


def _last_log_lines(directory: Path) -> str:
    text = (directory / "log").read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.splitlines()[-LOG_LINES:])


def _kill_group(process: subprocess.Popen) -> None:
    """The group outlives its first process: what the step started goes too."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
