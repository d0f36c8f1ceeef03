"""Modules that branch: the first that matches, all of them, or another flow by its path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.ended import Ended
from runner.failures import ChainingFailed, NotFound

if TYPE_CHECKING:
    from runner.flow import FlowRun, Place


def run_branchone(flow: FlowRun, place: Place) -> Ended:
    """The first branch whose predicate is truthy, or the default; an empty one passes on."""
    value = place.module["value"]
    modules = value.get("default") or []
    for branch in value.get("branches") or []:
        if flow.predicate(branch["expr"], place):
            modules = branch.get("modules") or []
            break
    if not modules:
        return Ended(True, place.previous_result)
    child = flow.child(modules, flow.args, str(place.index), flow.results.within_same_root())
    return child.run().for_parent()


def run_branchall(flow: FlowRun, place: Place) -> Ended:
    value = place.module["value"]
    branches = value.get("branches") or []
    runs = [
        flow.child(
            branch.get("modules") or [],
            flow.args,
            f"{place.index}-{number}",
            flow.results.within_same_root(),
        ).run
        for number, branch in enumerate(branches)
    ]
    # A missing skip_failure behaves as false in the engine, although the schema's default is true.
    may_fail = [bool(branch.get("skip_failure")) for branch in branches]
    if value.get("parallel", True):
        return run_together(flow, runs, may_fail, len(runs) or 1)
    return _branches_in_turn(runs, may_fail)


def _branches_in_turn(runs: list[Callable[[], Ended]], may_fail: list[bool]) -> Ended:
    """A stop inside a branch stops the flow; the first unskipped failure ends the module."""
    results: list = []
    for run, skip_failure in zip(runs, may_fail, strict=True):
        ended = run()
        results.append(ended.result)
        is_failure = not ended.success and not skip_failure
        if ended.stopped or is_failure:
            return Ended(
                not is_failure,
                results,
                stopped=ended.stopped,
                skipped=ended.skipped,
                handled=ended.handled,
            )
    return Ended(True, results)


def run_together(
    flow: FlowRun, runs: list[Callable[[], Ended]], may_fail: list[bool], at_once: int
) -> Ended:
    """Branches and iterations side by side; what stops one of them stays within it."""
    all_ended = flow.context.run_all(runs, at_once)
    pairs = zip(all_ended, may_fail, strict=True)
    is_success = all(ended.success or skip_failure for ended, skip_failure in pairs)
    handled = not is_success and flow.failure_module is not None
    return Ended(is_success, [ended.result for ended in all_ended], handled=handled)


def run_subflow(flow: FlowRun, path: str, args: dict) -> Ended:
    """A flow by path: results of its own, its own failure module; a stop inside it stays inside."""
    try:
        subflow = flow.context.engine.flow(path)
    except NotFound as exc:
        raise ChainingFailed(f"Not found: {exc}") from exc
    context = flow.context.within_subflow(path)
    run = type(flow)(context, subflow.value, args, flow.results.within_own_root(), is_root=False)
    ended = run.run()
    return Ended(ended.success, ended.result, args=args)
