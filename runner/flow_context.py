"""What every module of one flow needs of the engine: its job, its scripts, its listeners."""

import time
from collections.abc import Callable, Mapping

from runner.ended import Ended
from runner.jobs import Job, StepEvent
from runner.steps import Code


class FlowContext:
    def __init__(
        self, engine, job: Job, flow_path: str, *, is_preview: bool, early_return: str = ""
    ):
        self.engine = engine
        self.job = job
        self.flow_path = flow_path
        self.is_preview = is_preview
        self.early_return = early_return
        self.lookup = engine.lookup

    def within_subflow(self, path: str) -> "FlowContext":
        return FlowContext(self.engine, self.job, path, is_preview=False)

    def run_code(
        self,
        code: Code,
        args: dict,
        step_id: str,
        timeout_seconds: float | None,
        cache_seconds: float,
    ):
        def run():
            return self.engine.run_code(
                self.job, code, args, step_id, self.flow_path, timeout_seconds=timeout_seconds
            )

        return self.engine.result_cache.get(code, args, cache_seconds, run)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            with self.engine.lent_place():
                self.job.sleep(seconds)

    def run_all(self, functions: list[Callable], at_once: int) -> list:
        return self.engine.threads.run_all(functions, min(at_once, self.engine.worker_threads))

    def reported(self, module: Mapping, run: Callable[[], Ended]) -> Ended:
        """Tell the listeners when a module starts and how it ends."""
        started_at = time.monotonic()
        self._tell(module, "started")
        ended = run()
        self._tell(
            module,
            "finished",
            success=ended.success,
            result=ended.result,
            seconds=time.monotonic() - started_at,
            args=ended.args,
        )
        return ended

    def _tell(self, module: Mapping, kind: str, **facts) -> None:
        names = (module["id"], module.get("summary") or "", kind)
        self.engine.tell(self.job, StepEvent(self.job.id, self.flow_path, *names, **facts))
