"""Run one module: skip or mock it, try it as often as its retry says, then ask whether to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.arguments import transformed
from runner.branches import run_branchall, run_branchone, run_subflow
from runner.ended import Ended
from runner.failures import ChainingFailed, NotFound, StepFailed
from runner.loops import run_forloop, run_whileloop
from runner.retries import retry_wait_seconds
from runner.steps import Code
from runner.stopping import should_stop, stop
from runner.workspace import Script

if TYPE_CHECKING:
    from runner.flow import FlowRun, Place

Execution = Callable[[], Ended]

CONTAINERS = {
    "branchone": run_branchone,
    "branchall": run_branchall,
    "forloopflow": run_forloop,
    "whileloopflow": run_whileloop,
}
# These end with an array: stop_after_all_iters_if is theirs, stop_after_if their iterations'.
MANY = ("branchall", "forloopflow", "whileloopflow")


def attempt(flow: FlowRun, place: Place, is_failure_module: bool = False) -> Ended:
    skip_if = place.module.get("skip_if")
    if skip_if and flow.predicate(skip_if["expr"], place):
        return Ended(True, place.previous_result)
    execute = _execution(flow, place, is_failure_module)
    ended = _retried(flow, place, execute)
    return _with_stops(flow, place, ended)


def _retried(flow: FlowRun, place: Place, execute: Execution) -> Ended:
    """The arguments are computed once; the error decides through retry_if."""
    ended, failures = execute(), 0
    retry = place.module.get("retry")
    while retry and not (ended.success or ended.stopped or flow.context.job.is_stopped):
        results = {"result": ended.result, "previous_result": ended.result}
        wait_seconds = retry_wait_seconds(retry, failures, flow.names(place, None, **results))
        if wait_seconds is None:
            break
        failures += 1
        flow.context.sleep(wait_seconds)
        ended = execute()
    return ended


def _with_stops(flow: FlowRun, place: Place, ended: Ended) -> Ended:
    module = place.module
    if ended.stopped:
        return ended
    if _is_mocked(module) or module["value"]["type"] not in MANY:
        condition = module.get("stop_after_if") if ended.success else None
    else:
        condition = module.get("stop_after_all_iters_if")
    if condition and should_stop(condition, flow.stop_names(place, ended.result)):
        return stop(condition, ended)
    return ended


def _is_mocked(module: Mapping) -> bool:
    return bool((module.get("mock") or {}).get("enabled"))


def _execution(flow: FlowRun, place: Place, is_failure_module: bool) -> Execution:
    module = place.module
    if _is_mocked(module):
        return lambda: Ended(True, module["mock"].get("return_value"))
    value = module["value"]
    kind = value["type"]
    if kind == "identity":
        return lambda: Ended(True, place.previous_result)
    if kind in CONTAINERS:
        return lambda: CONTAINERS[kind](flow, place)
    if kind not in ("script", "rawscript", "flow"):
        raise ChainingFailed(f"the local runner has no modules of type {kind}")
    return _execution_with_arguments(flow, place, is_failure_module)


def _execution_with_arguments(flow: FlowRun, place: Place, is_failure_module: bool) -> Execution:
    try:
        args = _arguments(flow, place, is_failure_module)
        if place.module["value"]["type"] == "flow":
            return lambda: run_subflow(flow, place.module["value"]["path"], args)
        timeout_seconds = _timeout_seconds(flow, place)
        return lambda: _run_leaf(flow, place, args, timeout_seconds)
    except StepFailed as exc:
        failed = Ended(False, exc.result)
        return lambda: failed


def _arguments(flow: FlowRun, place: Place, is_failure_module: bool) -> dict:
    if place.module.get("pass_flow_input_directly"):
        return dict(flow.args)
    values: dict = {"params": {}, **flow.approvals}
    if is_failure_module:
        values["started_at"] = datetime.now(UTC).isoformat()
        values["flow_job_id"] = flow.context.job.id
    names = flow.names(place, flow.results, **values)
    return transformed(place.module["value"].get("input_transforms"), names)


def _run_leaf(flow: FlowRun, place: Place, args: dict, timeout_seconds: float | None) -> Ended:
    try:
        code = _code(flow, place)
        cache_seconds = place.module.get("cache_ttl") or 0
        result = flow.context.run_code(code, args, place.id, timeout_seconds, cache_seconds)
    except StepFailed as exc:
        return Ended(False, exc.result, args=args)
    return Ended(True, result, args=args)


def _code(flow: FlowRun, place: Place) -> Code:
    value = place.module["value"]
    if value["type"] == "rawscript":
        path = f"{flow.context.flow_path}/{place.id}"
        return Code(path, value["language"], value["content"], is_inline=True)
    script = _script(flow, place)
    return Code(script.path, script.language, script.content, is_inline=False)


def _script(flow: FlowRun, place: Place) -> Script:
    try:
        return flow.context.engine.script(place.module["value"]["path"])
    except NotFound as exc:
        raise ChainingFailed(f"Not found: {exc}") from exc


def _timeout_seconds(flow: FlowRun, place: Place) -> float | None:
    timeout = place.module.get("timeout")
    if isinstance(timeout, Mapping):
        timeout = flow.value_of(timeout, place, flow.results)
    if timeout is None and place.module["value"]["type"] == "script":
        timeout = _script(flow, place).metadata.get("timeout")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
        raise ChainingFailed(f"Error parsing result as i32. Value was: {timeout!r}")
    if timeout is not None and timeout < 0:
        raise ChainingFailed("Timeout value cannot be negative")
    return timeout or None
