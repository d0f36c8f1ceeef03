"""Run a workspace's scripts and flows as jobs: now, later, in one process or a process a step."""

import logging
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress

from runner.failures import EngineStopped, NotFound, error_result
from runner.isolated_step import IsolatedSteps
from runner.job_runs import JobRuns
from runner.jobs import (
    Job,
    JobStore,
    Listener,
    Outcome,
    Resume,
    StepEvent,
    canceled,
    failure,
    timed_out,
)
from runner.python_step import PythonSteps
from runner.queue import JobQueue
from runner.result_cache import ResultCache
from runner.sql_step import SqlSteps
from runner.threads import DaemonThreads
from runner.values import Values
from runner.workspace import Flow, Script, Workspace

__all__ = ["Engine", "NotFound"]

logger = logging.getLogger(__name__)

WORKSPACE_ID = "chatmill"
# Measured on the server: a perpetual script's pause.
RESTART_SECONDS = 10
# What was cancelled at the end gets this long to notice.
LAST_GRACE_SECONDS = 0.5
PREPROCESSOR = re.compile(r"^(async )?def preprocessor\(", re.MULTILINE)


class Engine:
    """`variables` and `resources` win over the workspace's files."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        variables: Mapping[str, str] | None = None,
        resources: Mapping[str, object] | None = None,
        isolated: bool = False,
        worker_threads: int = 16,
        listener: Listener | None = None,
    ):
        self.workspace = workspace
        self.workspace_id = WORKSPACE_ID
        self.worker_threads = worker_threads
        self.token = secrets.token_urlsafe(24)
        self.base_url = ""
        self.threads = DaemonThreads("branch")
        self._values = Values(workspace, variables or {}, resources or {})
        self._sql = SqlSteps(self._values.resource)
        self._python = (
            IsolatedSteps(workspace.root) if isolated else PythonSteps(workspace, self.threads)
        )
        self._listener = listener
        self._jobs = JobStore()
        self._runs = JobRuns(self, {"python3": self._python, "postgresql": self._sql})
        self.result_cache = ResultCache()
        self.run_code = self._runs.run_code
        self._queue = JobQueue(worker_threads, self._execute)
        self.lent_place = self._queue.lent_place

    def start(self, base_url: str = "") -> None:
        self.base_url = base_url
        self._python.start(self._runs.shared_environment())
        self._queue.start()

    def stop(self, grace_seconds: float = 5) -> None:
        """Start nothing more, let what runs end, cancel what has not ended by then."""
        if self._queue.is_closed:
            return
        self._queue.close()
        for job in self._jobs.active():
            if job.status == "queued":
                self.cancel(job.id, "the engine stopped")
        if not self._queue.wait_idle(grace_seconds):
            for job in self._jobs.active():
                self.cancel(job.id, "the engine stopped")
            self._queue.wait_idle(LAST_GRACE_SECONDS)
        self._sql.stop()
        self._python.stop()

    def run(
        self,
        path: str,
        args: dict,
        listener: Listener | None = None,
        timeout_seconds: float | None = None,
    ) -> Outcome:
        """Run a script or a flow and wait for it; after the timeout it is ended as a failure."""
        job = self._new_job(path, args, listener=listener)
        self._put(job)
        return self._awaited(job, timeout_seconds)

    def run_flow_value(self, value: Mapping, args: dict) -> Outcome:
        """Run a flow that is not in the workspace, as a preview of it."""
        job = Job("", args, lambda job: self._runs.preview(job, value))
        self._put(job)
        return self._awaited(job, None)

    def submit(
        self, path: str, args: dict, wait_seconds: float = 0, event: dict | None = None
    ) -> str:
        """Start it later, or now, and answer the job's id; `event` is for its preprocessor."""
        job = self._new_job(path, args, wait_seconds=wait_seconds, event=event)
        self._put(job)
        return job.id

    def has_preprocessor(self, path: str) -> bool:
        flow = self.workspace.flows.get(path)
        if flow is not None:
            return bool(flow.value.get("preprocessor_module"))
        script = self.script(path)
        return script.language == "python3" and bool(PREPROCESSOR.search(script.content))

    def job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def cancel(self, job_id: str, reason: str = "") -> bool:
        """True when the job had not ended yet; whoever waits for it hears at once."""
        job = self._jobs.get(job_id)
        if job is None or not job.stop(canceled(reason)):
            return False
        self._jobs.complete(job)
        return True

    def resume(
        self, job_id: str, value=None, approver: str = "anonymous", approved: bool = True
    ) -> None:
        """Answer a flow that is suspended after one of its steps."""
        self._known(job_id).resume(Resume(value, approver, approved))

    def wait(self, job_id: str, timeout_seconds: float | None = None) -> Outcome:
        return self._known(job_id).wait(timeout_seconds)

    def wait_reply(self, job_id: str, timeout_seconds: float | None = None) -> Outcome:
        """What a sync route answers: the outcome of early_return's step, otherwise the job's."""
        return self._known(job_id).wait_reply(timeout_seconds)

    def idle(self) -> bool:
        """Nothing runs and nothing is due; jobs scheduled for later do not count."""
        return self._queue.is_idle()

    def wait_idle(self, timeout_seconds: float) -> bool:
        return self._queue.wait_idle(timeout_seconds)

    def variable(self, path: str) -> str:
        return self._values.variable(path)

    def resource(self, path: str) -> object:
        return self._values.resource(path)

    def script(self, path: str) -> Script:
        return _found(self.workspace.scripts, path, "Script")

    def path_of_version(self, version: str) -> str:
        """The script whose content has this hash; there is only one version of each here."""
        versions = {one.version: path for path, one in self.workspace.scripts.items()}
        return _found(versions, version, "Script version")

    def flow(self, path: str) -> Flow:
        return _found(self.workspace.flows, path, "Flow")

    def lookup(self, kind: str, path: str) -> object:
        return self.variable(path) if kind == "variable" else self.resource(path)

    def tell(self, job: Job, event: StepEvent) -> None:
        for listener in (self._listener, job.listener):
            if listener is not None:
                listener(event)

    def _new_job(self, path: str, args: dict, **more) -> Job:
        if path in self.workspace.flows:
            flow = self.flow(path)
            return Job(path, args, lambda job: self._runs.flow(job, flow), **more)
        script = self.script(path)
        return Job(path, args, lambda job: self._runs.script(job, script), **more)

    def _put(self, job: Job) -> None:
        self._jobs.add(job)
        self._queue.put(job)

    def _known(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"Job {job_id} not found")
        return job

    def _awaited(self, job: Job, timeout_seconds: float | None) -> Outcome:
        try:
            return job.wait(timeout_seconds)
        except TimeoutError:
            job.stop(timed_out(timeout_seconds))
            self._jobs.complete(job)
            return job.outcome
        except KeyboardInterrupt:
            self.cancel(job.id, "interrupted from the keyboard")
            raise

    def _execute(self, job: Job) -> None:
        if not job.begin():
            return
        try:
            job.finish(self._runs.execute(job))
        except Exception as exc:  # noqa: BLE001  ours, not a step's: whoever waits must hear of it
            logger.exception("job %s of %s broke the engine", job.id, job.path)
            job.finish(failure(error_result(f"{type(exc).__name__}: {exc}", "InternalError")))
        self._jobs.complete(job)
        self._restart(job)

    def _restart(self, job: Job) -> None:
        """A perpetual script starts again some time after it ended, until it is cancelled."""
        script = self.workspace.scripts.get(job.path)
        is_perpetual = script is not None and script.metadata.get("restart_unless_cancelled")
        if is_perpetual and not job.is_stopped:
            with suppress(EngineStopped):
                self.submit(job.path, job.args, wait_seconds=RESTART_SECONDS)


def _found(mapping: Mapping, path: str, kind: str):
    if path not in mapping:
        raise NotFound(f"{kind} {path} not found")
    return mapping[path]
