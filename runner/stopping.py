"""stop_after_if and stop_after_all_iters_if end a flow early: a success, a skip or a failure."""

from collections.abc import Mapping

from runner.ended import Ended
from runner.expressions import ExpressionFailed, Names, evaluate_predicate
from runner.failures import PredicateFailed, error_result


def should_stop(condition: Mapping | None, names: Names) -> bool:
    if not condition:
        return False
    try:
        return evaluate_predicate(condition["expr"], names)
    except ExpressionFailed as exc:
        raise PredicateFailed(f"Error: {exc}") from exc


def stop(condition: Mapping, ended: Ended) -> Ended:
    """skip_if_stopped wins over error_message; an empty message shows the expression."""
    skip = bool(condition.get("skip_if_stopped"))
    message = condition.get("error_message")
    if message is None or skip:
        return Ended(ended.success, ended.result, stopped=True, skipped=skip, handled=ended.handled)
    included = {"result": ended.result} if condition.get("error_include_result") else {}
    message = message or f"stop after if: {condition['expr']}"
    return Ended(False, error_result(message, "EarlyStopError", **included), stopped=True)
