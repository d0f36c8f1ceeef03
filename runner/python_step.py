"""Run a Python step in this process: on this thread or, with a timeout, on one of its own."""

import json
import traceback
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeout

from runner import job_environment, python_wrapper
from runner.failures import StepFailed, exit_code_failed, step_failed
from runner.interruption import InterruptibleCall, Interruption
from runner.steps import Step, step_timed_out
from runner.threads import DaemonThreads
from runner.workspace import Workspace
from runner.workspace_modules import WorkspaceModules


class PythonSteps:
    def __init__(self, workspace: Workspace, threads: DaemonThreads):
        self._scripts = workspace.scripts
        self._modules = WorkspaceModules(workspace.root)
        self._threads = threads

    def start(self, shared_environment: Mapping[str, str]) -> None:
        self._modules.mount()
        job_environment.install(shared_environment)

    def stop(self) -> None:
        job_environment.uninstall()
        self._modules.unmount()

    def run(self, step: Step):
        call = InterruptibleCall(
            lambda: job_environment.run_within(step.environment, lambda: self._run_here(step))
        )
        step.job.on_stop(call.interrupt)
        try:
            return call() if step.timeout_seconds is None else self._run_apart(step, call)
        except Interruption as exc:
            raise step_failed("Job canceled", step.step_id) from exc
        finally:
            step.job.off_stop(call.interrupt)

    def _run_apart(self, step: Step, call: InterruptibleCall):
        """The flow goes on at the deadline, even where the step hangs in a call of C."""
        future = self._threads.submit(call)
        try:
            return future.result(step.timeout_seconds)
        except FutureTimeout as exc:
            call.interrupt()
            raise step_timed_out(step) from exc

    def _run_here(self, step: Step):
        function, args = self._prepare(step)
        try:
            text = python_wrapper.call(function, args)
        except Interruption:
            raise
        except job_environment.HardExit as exc:
            raise exit_code_failed(exc.code, "", step.step_id) from exc
        except BaseException as exc:  # noqa: BLE001  the door where an error becomes a value
            raise _failed(exc, step.step_id) from exc
        return json.loads(text)

    def _prepare(self, step: Step):
        """Windmill imports and converts outside its try: a failure there is a dead process."""
        try:
            function = getattr(self._module(step), step.function)
            return function, python_wrapper.bind(function, step.args)
        except Interruption:
            raise
        except BaseException as exc:  # noqa: BLE001  same door: it never started
            raise exit_code_failed(1, traceback.format_exc(), step.step_id) from exc

    def _module(self, step: Step):
        if step.code.is_inline:
            return self._modules.inline(step.code.content, step.code.path)
        return self._modules.script(self._scripts[step.code.path])


def _failed(exc: BaseException, step_id: str) -> StepFailed:
    return StepFailed(json.loads(python_wrapper.error_json(exc, step_id)))
