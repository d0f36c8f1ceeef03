"""Run one flow job's modules in order: a root flow, a subflow, a branch, an iteration of a loop."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.ended import Ended
from runner.expressions import ExpressionFailed, Names, evaluate, evaluate_predicate
from runner.failures import ChainingFailed, PredicateFailed, error_result
from runner.flow_context import FlowContext
from runner.flow_steps import attempt
from runner.jobs import success
from runner.results import Results
from runner.suspension import NO_APPROVALS, wait_for_approvals, with_virtual_last


@dataclass(frozen=True)
class Place:
    """Where a flow stands: the module it is about to run and what came before."""

    index: int
    module: Mapping
    previous_result: object
    previous_id: str

    @property
    def id(self) -> str:
        return self.module["id"]


class FlowRun:
    def __init__(
        self, context: FlowContext, value: Mapping, args: dict, results: Results, is_root: bool
    ):
        self.context = context
        self.modules = with_virtual_last(value.get("modules") or [])
        self.failure_module = value.get("failure_module")
        self.skip_expr = value.get("skip_expr")
        self.flow_env = value.get("flow_env") or {}
        self.args = args
        self.results = results
        self.is_root = is_root
        self.approvals: dict = NO_APPROVALS

    def run(self) -> Ended:
        if not self.modules:
            return Ended(True, self.args)
        try:
            if self._is_skipped():
                return Ended(True, "stopped early", stopped=True, skipped=True)
        except ChainingFailed as exc:
            return Ended(False, error_result(f"Error: {exc}", "Anyhow"))
        ended, previous_id = Ended(True, self.args), ""
        for index, module in enumerate(self.modules):
            place = Place(index, module, ended.result, previous_id)
            ended = self._run_module(place)
            if ended.stopped or not ended.success:
                return ended
            previous_id = place.id
        return ended

    def run_alone(self, place: Place) -> Ended:
        """One module without its flow: nothing is recorded, no failure module runs."""
        return attempt(self, place)

    def child(self, modules: list, args: dict, suffix: str, results: Results) -> "FlowRun":
        """A branch or an iteration: a flow job of its own that inherits the failure module."""
        value = {"modules": modules, "flow_env": self.flow_env}
        if self.failure_module:
            value["failure_module"] = {
                **self.failure_module,
                "id": f"{self.failure_module.get('id', 'failure')}-{suffix}",
            }
        return FlowRun(self.context, value, args, results, is_root=False)

    def names(self, place: Place, results: Results | None = None, **values) -> Names:
        return Names(
            flow_input=self.args,
            values={"previous_result": place.previous_result, **values},
            results=results,
            previous_id=place.previous_id,
            flow_env=self.flow_env,
            lookup=self.context.lookup,
        )

    def stop_names(self, place: Place, result, **values) -> Names:
        """stop_after_if speaks of the result it judges; previous_result is the same."""
        values = {"result": result, "previous_result": result, **values}
        return self.names(place, self.results, **values)

    def predicate(self, expr: str, place: Place) -> bool:
        """skip_if, branchone's expr: one that throws is the flow's failure, not a step's."""
        waiting = {"result": place.previous_result, **self.approvals}
        try:
            return evaluate_predicate(expr, self.names(place, self.results, **waiting))
        except ExpressionFailed as exc:
            raise ChainingFailed(str(exc)) from exc

    def value_of(self, transform: Mapping, place: Place, results: Results | None):
        """An iterator, a sleep, a parallelism or a timeout."""
        if transform["type"] == "static":
            return transform.get("value")
        waiting = {"result": place.previous_result, **self.approvals}
        try:
            return evaluate(transform["expr"], self.names(place, results, **waiting))
        except ExpressionFailed as exc:
            raise ChainingFailed(str(exc)) from exc

    def _run_module(self, place: Place) -> Ended:
        if self.context.job.is_stopped:
            return Ended(False, error_result("Job canceled", "Canceled"), final=True)
        ended = self.context.reported(place.module, lambda: self._guarded(place))
        self.results.record(place.id, ended.result)
        if ended.success:
            if place.id == self.context.early_return:
                self.context.job.reply_early(success(ended.result))
            return ended
        return self._after_failure(place, ended)

    def _guarded(self, place: Place) -> Ended:
        try:
            self._sleep_before(place)
            self.approvals, refusal = self._approved_before(place)
            return refusal or attempt(self, place)
        except ChainingFailed as exc:
            return self._chaining_failed(place, str(exc))
        except PredicateFailed as exc:
            return Ended(False, {"error": str(exc)}, final=True)

    def _is_skipped(self) -> bool:
        start = Place(0, {}, self.args, "")
        return bool(self.skip_expr) and self.predicate(self.skip_expr, start)

    def _sleep_before(self, place: Place) -> None:
        """`sleep` stands on a module and delays the next one, as the server schedules it."""
        transform = self.modules[place.index - 1].get("sleep") if place.index else None
        if transform is None:
            return
        seconds = self.value_of(transform, place, None)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ChainingFailed(f"Expected an integer, found: {seconds!r}")
        self.context.sleep(seconds)

    def _approved_before(self, place: Place) -> tuple[dict, Ended | None]:
        suspend = self.modules[place.index - 1].get("suspend") if place.index else None
        if not (suspend or {}).get("required_events"):
            return NO_APPROVALS, None
        with self.context.engine.lent_place():
            return wait_for_approvals(self.context.job, suspend)

    def _chaining_failed(self, place: Place, message: str) -> Ended:
        """The server's names: at the first module it is the flow job's own error."""
        if place.index == 0:
            return Ended(False, error_result(f"Error: {message}", "Anyhow"), final=not self.is_root)
        return Ended(False, error_result(f"Error: {message}", "InternalError"), final=True)

    def _after_failure(self, place: Place, ended: Ended) -> Ended:
        if ended.final or self.context.job.is_stopped:
            return ended
        if place.module.get("continue_on_error") and not ended.stopped:
            return Ended(True, ended.result)
        if ended.handled or not self.failure_module:
            return ended
        return self._handle(place, ended)

    def _handle(self, place: Place, ended: Ended) -> Ended:
        """Run the failure module once; only a result with recover: true saves the flow."""
        module = {"id": "failure", **self.failure_module}
        handler = Place(len(self.modules), module, ended.result, place.id)
        handled = self.context.reported(module, lambda: self._guarded_handler(handler))
        result = handled.result
        recover = isinstance(result, dict) and result.get("recover") is True
        return Ended(False, result, handled=True, recovered=handled.success and recover)

    def _guarded_handler(self, handler: Place) -> Ended:
        try:
            return attempt(self, handler, is_failure_module=True)
        except (ChainingFailed, PredicateFailed) as exc:
            return Ended(False, error_result(f"Error: {exc}", "InternalError"))
