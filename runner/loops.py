"""Modules that repeat: for each item of an array, or until something stops them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from runner import simple_loops
from runner.branches import run_together
from runner.ended import Ended
from runner.failures import ChainingFailed, error_result
from runner.stopping import should_stop

if TYPE_CHECKING:
    from runner.flow import FlowRun, Place


def run_forloop(flow: FlowRun, place: Place) -> Ended:
    value = place.module["value"]
    items = _iterated(flow, place)
    if value.get("parallel"):
        return _iterations_together(flow, place, items)
    results: list = []
    previous = place.previous_result
    for index, item in enumerate(items):
        ended = _iterate(flow, place, index, item, previous)
        previous = ended.result
        results.append(ended.result)
        if not ended.success and not value.get("skip_failures") and not ended.stopped:
            return Ended(False, results, handled=ended.handled)
        if ended.stopped or _stops_loop(flow, place, ended, results):
            is_success = ended.success or bool(value.get("skip_failures"))
            return Ended(is_success, results, handled=ended.handled)
    return Ended(True, results)


def run_whileloop(flow: FlowRun, place: Place) -> Ended:
    """Until something stops it. A failed iteration's own result is the loop's, as on the server."""
    skip_failures = bool(place.module["value"].get("skip_failures"))
    results: list = []
    previous = place.previous_result
    while not flow.context.job.is_stopped:
        ended = _iterate(flow, place, len(results), len(results), previous)
        previous = ended.result
        results.append(ended.result)
        if ended.stopped or _stops_loop(flow, place, ended, results):
            return Ended(ended.success or skip_failures, results, handled=ended.handled)
        if not ended.success and not skip_failures:
            return Ended(False, ended.result, handled=ended.handled)
    return Ended(False, error_result("Job canceled", "Canceled"), final=True)


def _iterated(flow: FlowRun, place: Place) -> list:
    items = flow.value_of(place.module["value"]["iterator"], place, flow.results)
    if not isinstance(items, list):
        raise ChainingFailed(
            "Expected an array value in the iterator expression, found: "
            f"invalid type: {_serde_words(items)}, expected a sequence at line 1 "
            f"column {len(json.dumps(items, ensure_ascii=False))}"
        )
    return items


def _serde_words(value) -> str:
    if isinstance(value, bool):
        return f"boolean `{json.dumps(value)}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "null" if value is None else "map"


def _iterate(flow: FlowRun, place: Place, index: int, item, previous) -> Ended:
    value = place.module["value"]
    args = with_iter(flow.args, index, item)
    if simple_loops.is_simple(flow, value):
        return simple_loops.run_iteration(flow, place, args, previous)
    results = flow.results.within_same_root()
    child = flow.child(value.get("modules") or [], args, f"{place.index}-{index}", results)
    return child.run().for_parent()


def _iterations_together(flow: FlowRun, place: Place, items: list) -> Ended:
    value = place.module["value"]
    runs = [
        flow.child(
            value.get("modules") or [],
            with_iter(flow.args, index, item),
            f"{place.index}-{index}",
            flow.results.within_own_root(),
        ).run
        for index, item in enumerate(items)
    ]
    parallelism = value.get("parallelism") or len(runs)
    if isinstance(parallelism, Mapping):
        parallelism = flow.value_of(parallelism, place, flow.results)
    if isinstance(parallelism, bool) or not isinstance(parallelism, int) or parallelism < 0:
        raise ChainingFailed(f"Error parsing result as u16. Value was: {parallelism!r}")
    may_fail = [bool(value.get("skip_failures"))] * len(runs)
    return run_together(flow, runs, may_fail, max(parallelism, 1))


def with_iter(args: dict, index: int, item) -> dict:
    """`iter` of the loop around becomes iter_parent, its parent iter_parent_parent, and so on."""
    renamed = dict(args)
    name, moved = "iter", {"index": index, "value": item}
    while name in renamed:
        renamed[name], moved = moved, renamed[name]
        name += "_parent"
    renamed[name] = moved
    return renamed


def _stops_loop(flow: FlowRun, place: Place, ended: Ended, results: list) -> bool:
    """A loop's stop_after_if is asked after each iteration and only breaks the loop."""
    condition = place.module.get("stop_after_if")
    if not condition or not ended.success:
        return False
    values = {"all_iters": list(results)} if "all_iters" in condition["expr"] else {}
    return should_stop(condition, flow.stop_names(place, ended.result, **values))
