"""Loops over one plain script, which the server runs without a child flow for each iteration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.ended import Ended

if TYPE_CHECKING:
    from runner.flow import FlowRun, Place

_NOT_SIMPLE = "sleep suspend cache_ttl retry stop_after_if stop_after_all_iters_if skip_if".split()


def is_simple(flow: FlowRun, value: Mapping) -> bool:
    """Previews run for loops the long way, while loops the short way."""
    modules = value.get("modules") or []
    if len(modules) != 1 or flow.failure_module is not None:
        return False
    if value["type"] == "forloopflow" and flow.context.is_preview:
        return False
    module = modules[0]
    is_mocked = bool((module.get("mock") or {}).get("enabled"))
    is_plain = not is_mocked and not any(module.get(name) for name in _NOT_SIMPLE)
    return is_plain and module["value"]["type"] in ("script", "rawscript")


def run_iteration(flow: FlowRun, place: Place, args: dict, previous) -> Ended:
    """What shows: the inner id keeps no result, errors carry the loop's id, and previous_result is
    the iteration before this one."""
    inner = place.module["value"]["modules"][0]
    iteration = flow.child([inner], args, str(place.index), flow.results)
    inner_place = replace(
        place, module={**inner, "id": place.id}, previous_result=previous, previous_id=""
    )
    return iteration.run_alone(inner_place)
