"""What a job does: a script's one step or a flow's many, with the preprocessor before either."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner import job_environment
from runner.arguments import interpolated
from runner.ended import Ended
from runner.failures import StepFailed, error_result
from runner.flow import FlowRun
from runner.flow_context import FlowContext
from runner.jobs import Job, Outcome, StepEvent, failure, success
from runner.results import Results
from runner.steps import Code, Step
from runner.workspace import Flow, Script

if TYPE_CHECKING:
    from runner.engine import Engine


# Whoever starts a local job is the workspace's only user.
IDENTITY = {
    "WM_EMAIL": "admin@windmill.dev",
    "WM_END_USER_EMAIL": "",
    "WM_USERNAME": "admin",
    "WM_PERMISSIONED_AS": "u/admin",
    "WM_WORKER_GROUP": "default",
    "WM_SCHEDULE_PATH": "",
}


class JobRuns:
    def __init__(self, engine: Engine, languages: Mapping):
        self._engine = engine
        self._languages = languages

    def execute(self, job: Job) -> Outcome:
        started_at = time.monotonic()
        self._tell(job, "started", args=job.args)
        outcome = job.run(job)
        seconds = time.monotonic() - started_at
        facts = {"success": outcome.success, "result": outcome.result, "seconds": seconds}
        self._tell(job, "finished", **facts)
        return outcome

    def script(self, job: Job, script: Script) -> Outcome:
        code = _code(script)
        timeout_seconds = script.metadata.get("timeout")
        try:
            if job.event is not None:
                job.args = self._preprocessed(job, code, "")
            return success(self.run_code(job, code, job.args, timeout_seconds=timeout_seconds))
        except StepFailed as exc:
            return failure(exc.result)

    def flow(self, job: Job, flow: Flow) -> Outcome:
        context = FlowContext(
            self._engine,
            job,
            flow.path,
            is_preview=False,
            early_return=flow.value.get("early_return") or "",
        )
        try:
            if job.event is not None:
                job.args = self._preprocessed_flow(job, flow)
        except StepFailed as exc:
            return failure(exc.result)
        return _outcome(FlowRun(context, flow.value, job.args, Results(), is_root=True).run())

    def preview(self, job: Job, value: Mapping) -> Outcome:
        context = FlowContext(self._engine, job, "", is_preview=True)
        return _outcome(FlowRun(context, value, job.args, Results(), is_root=True).run())

    def run_code(
        self,
        job: Job,
        code: Code,
        args: dict,
        step_id: str = "",
        flow_path: str = "",
        *,
        function: str = "main",
        timeout_seconds: float | None = None,
    ):
        """One leaf: secrets resolved in its arguments, run in its language, wm_failure heeded."""
        if job.is_stopped:
            raise StepFailed(error_result("Job canceled", "Canceled", step_id=step_id))
        if code.language not in self._languages:
            message = f"execution error:\nthe local runner does not speak {code.language}"
            raise StepFailed(error_result(message, step_id=step_id))
        environment = self._environment(job, code, step_id, flow_path)
        reserved = {name: text for name, text in environment.items() if name.startswith("WM_")}
        step_args = interpolated(args, self._engine.lookup, reserved, step_id)
        step = Step(job, code, step_args, step_id, function, timeout_seconds, environment)
        return _without_manual_failure(self._languages[code.language].run(step))

    def shared_environment(self) -> dict[str, str]:
        engine = self._engine
        return {
            "WM_WORKSPACE": engine.workspace_id,
            "WM_TOKEN": engine.token,
            "WM_BASE_URL": engine.base_url,
            "BASE_INTERNAL_URL": engine.base_url,
        }

    def _environment(self, job: Job, code: Code, step_id: str, flow_path: str) -> dict[str, str]:
        step_job_id = str(uuid.uuid4()) if flow_path or step_id else job.id
        names = {
            **job_environment.inherited(),
            **self.shared_environment(),
            **IDENTITY,
            "WM_JOB_ID": step_job_id,
            "WM_ROOT_JOB_ID": job.id,
            "WM_JOB_PATH": code.path,
            "WM_SCHEDULED_FOR": datetime.fromtimestamp(job.created_at, UTC).isoformat(),
            "WM_STATE_PATH": f"u/admin/{code.path.replace('/', '_')}",
        }
        if step_job_id != job.id:
            names["WM_FLOW_JOB_ID"] = names["WM_ROOT_FLOW_JOB_ID"] = job.id
            names["WM_FLOW_PATH"], names["WM_FLOW_STEP_ID"] = flow_path, step_id
        return names

    def _preprocessed(self, job: Job, code: Code, step_id: str, flow_path: str = "") -> dict:
        """What the preprocessor returns replaces the arguments; the webhook itself is not kept."""
        event = {"event": job.event}
        result = self.run_code(job, code, event, step_id, flow_path, function="preprocessor")
        job.event = None
        if result is None:
            return {}
        return result if isinstance(result, dict) else {"value": result}

    def _preprocessed_flow(self, job: Job, flow: Flow) -> dict:
        module = flow.value["preprocessor_module"]
        value = module["value"]
        if value["type"] == "rawscript":
            path = f"{flow.path}/preprocessor"
            code = Code(path, value["language"], value["content"], is_inline=True)
        else:
            code = _code(self._engine.script(value["path"]))
        return self._preprocessed(job, code, module.get("id", "preprocessor"), flow.path)

    def _tell(self, job: Job, kind: str, **facts) -> None:
        self._engine.tell(job, StepEvent(job.id, job.path, "", "", kind, **facts))


def _code(script: Script) -> Code:
    return Code(script.path, script.language, script.content, is_inline=False)


def _outcome(ended: Ended) -> Outcome:
    if ended.recovered or (ended.success and not ended.skipped):
        return success(ended.result)
    return Outcome(False, "skipped" if ended.success else "failure", ended.result)


def _without_manual_failure(result):
    """A result with wm_failure fails its job and keeps the keys beside it."""
    if isinstance(result, dict) and isinstance(result.get("wm_failure"), str):
        error = error_result(result["wm_failure"], "ManualFailure")
        raise StepFailed({**result, **error})
    return result
