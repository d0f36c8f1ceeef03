"""Evaluate a flow's expressions: Windmill's shortcuts first, QuickJS for the rest."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.quickjs_sandbox import WINDMILL, Limits, Sandbox, SandboxError
from runner.results import Results
from runner.rewriting import function_body

# Windmill's: a whole expression of this form is a path into the result's JSON, missing is null.
RESULT_PATH = re.compile(
    r"^(results|flow_env)\??\.([a-zA-Z_0-9]+)(?:\[(\d+)\])?((?:\.[a-zA-Z_0-9]+)+)?$"
)


class ExpressionFailed(Exception):
    """An expression threw, did not parse or went over a limit; the text is Windmill's."""


@dataclass(frozen=True)
class Names:
    """What an expression may speak of; `results` is None where the site has no results."""

    flow_input: Mapping
    values: Mapping = field(default_factory=dict)
    results: Results | None = None
    previous_id: str = ""
    flow_env: Mapping = field(default_factory=dict)
    lookup: Callable[[str, str], object] | None = None


def evaluate(expr: str, names: Names, limits: Limits = WINDMILL):
    expr = expr.strip()
    found, value = _shortcut(expr, names)
    return value if found else _evaluate_javascript(expr, names, limits)


def evaluate_predicate(expr: str, names: Names, limits: Limits = WINDMILL) -> bool:
    """Predicates are wrapped, so none of the null-safe shortcuts applies to them."""
    return _evaluate_javascript(f"Boolean({expr})", names, limits)


def _shortcut(expr: str, names: Names) -> tuple[bool, object]:
    if expr in names.values:
        return True, names.values[expr]
    for prefix, mapping in (("flow_input", names.flow_input), ("flow_env", names.flow_env)):
        key = _exact_key(expr, prefix)
        if key is not None and key in mapping:
            return True, mapping[key]
    if names.results is None:
        return False, None
    if expr in _spellings(names.previous_id) and "previous_result" in names.values:
        return True, names.values["previous_result"]
    return _result_path(expr, names)


def _exact_key(expr: str, prefix: str) -> str | None:
    rest = expr.removeprefix(prefix)
    if rest == expr:
        return None
    if rest.startswith("."):
        return rest[1:]
    if rest.startswith('["') and rest.endswith('"]'):
        return rest[2:-2]
    return None


def _spellings(step_id: str) -> tuple[str, ...]:
    return (
        f"results.{step_id}",
        f"results?.{step_id}",
        f'results["{step_id}"]',
        f'results?.["{step_id}"]',
    )


def _result_path(expr: str, names: Names) -> tuple[bool, object]:
    match = RESULT_PATH.match(expr)
    if match is None or expr.endswith(".length"):
        return False, None
    source, step_id, index, properties = match.groups()
    value = names.results.get(step_id) if source == "results" else names.flow_env.get(step_id)
    keys = ([index] if index else []) + [key for key in (properties or "").split(".") if key]
    for key in keys:
        value = _item(value, key)
    return True, value


def _item(value, key: str):
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    return None


def _evaluate_javascript(expr: str, names: Names, limits: Limits):
    has_error = "error" in expr and "previous_result" in names.values
    sandbox = Sandbox(
        names=_globals(expr, names, has_error),
        answer=lambda kind, path: _answer(names, kind, path),
        has_results=names.results is not None,
        has_error=has_error,
        limits=limits,
    )
    try:
        return sandbox.evaluate(function_body(expr))
    except SandboxError as exc:
        raise ExpressionFailed(f"QuickJS evaluation error: Error: {exc}") from exc


def _globals(expr: str, names: Names, has_error: bool) -> dict:
    """Only what the text speaks of crosses into the context: a large input costs nothing unused."""
    used = {name: value for name, value in names.values.items() if name in expr}
    if has_error:
        used["previous_result"] = names.values["previous_result"]
    for name, value in (("flow_input", names.flow_input), ("flow_env", names.flow_env)):
        if name in expr:
            used[name] = dict(value)
    return used


def _answer(names: Names, kind: str, path: str):
    if kind == "result":
        if path == names.previous_id and "previous_result" in names.values:
            return names.values["previous_result"]
        return names.results.get(path)
    if names.lookup is None:
        raise LookupError(f"{kind}() is not available here")
    return names.lookup(kind, path)
