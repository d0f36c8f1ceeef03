"""The JavaScript expressions of a step, each with what it may speak of."""

from collections.abc import Iterator
from dataclasses import dataclass

from runner.checks.steps import Step

PREDICATES = ("skip_if", "stop_after_if", "stop_after_all_iters_if")
INPUTS = ("sleep", "timeout")


@dataclass(frozen=True)
class Expression:
    """`is_predicate`: Windmill wraps it in Boolean(...), so it must be a single expression."""

    key: str
    text: str
    is_predicate: bool
    visible: frozenset[str]


def expressions_of(step: Step) -> Iterator[Expression]:
    for key, text, is_predicate in _texts(step):
        if isinstance(text, str):
            own = {step.id} if ".stop_after_" in key else set()
            yield Expression(key, text, is_predicate, step.visible | own)


def _texts(step: Step) -> Iterator[tuple[str, object, bool]]:
    value_key = f"{step.key}.value"
    yield from _input_texts(f"{value_key}.input_transforms", step.value.get("input_transforms"))
    inputs = {name: step.module.get(name) for name in INPUTS}
    yield from _input_texts(step.key, inputs)
    yield from _input_texts(
        value_key, {name: step.value.get(name) for name in ("iterator", "parallelism")}
    )
    for name in PREDICATES:
        yield f"{step.key}.{name}.expr", _get(step.module, name, "expr"), True
    yield f"{step.key}.retry.retry_if.expr", _get(step.module, "retry", "retry_if", "expr"), True
    if step.type == "branchone":
        for index, branch in enumerate(step.value.get("branches") or []):
            yield f"{value_key}.branches[{index}].expr", _get(branch, "expr"), True


def _input_texts(key: str, transforms: object) -> Iterator[tuple[str, object, bool]]:
    for name, transform in transforms.items() if isinstance(transforms, dict) else ():
        if _get(transform, "type") == "javascript":
            yield f"{key}.{name}.expr", transform.get("expr"), False


def _get(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
