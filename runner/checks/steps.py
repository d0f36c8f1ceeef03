"""Walk a flow's steps in order, knowing at each one which results it may speak of."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

LOOPS = ("forloopflow", "whileloopflow")


@dataclass(frozen=True)
class Step:
    """`visible` are the earlier steps whose results Windmill's guidance lets this one read."""

    key: str
    module: dict
    visible: frozenset[str]
    is_in_loop: bool = False

    @property
    def id(self) -> str:
        return str(self.module.get("id", ""))

    @property
    def value(self) -> dict:
        value = self.module.get("value")
        return value if isinstance(value, dict) else {}

    @property
    def type(self) -> str:
        return str(self.value.get("type", ""))


def steps_of(flow_value: dict) -> Iterator[Step]:
    """Every step of the flow, containers before what they contain, special modules last."""
    modules = _modules(flow_value.get("modules"))
    yield from _sequence(modules, Step("value.modules", {}, frozenset()))
    top_ids = frozenset(str(module.get("id", "")) for module in modules)
    for name in ("failure_module", "preprocessor_module"):
        module = flow_value.get(name)
        if isinstance(module, dict):
            visible = top_ids if name == "failure_module" else frozenset()
            yield Step(f"value.{name}", module, visible)


def _sequence(modules: list[dict], place: Step) -> Iterator[Step]:
    visible = place.visible
    for index, module in enumerate(modules):
        step = replace(place, key=f"{place.key}[{index}]", module=module, visible=visible)
        yield step
        yield from _inner_steps(step)
        visible = visible | {step.id}


def _inner_steps(step: Step) -> Iterator[Step]:
    """What runs inside is not visible from outside, nor from a sibling branch."""
    if step.type in LOOPS:
        inside = replace(step, key=f"{step.key}.value.modules", is_in_loop=True)
        yield from _sequence(_modules(step.value.get("modules")), inside)
    for index, branch in enumerate(_modules(step.value.get("branches"))):
        inside = replace(step, key=f"{step.key}.value.branches[{index}].modules")
        yield from _sequence(_modules(branch.get("modules")), inside)
    if step.type == "branchone":
        inside = replace(step, key=f"{step.key}.value.default")
        yield from _sequence(_modules(step.value.get("default")), inside)


def _modules(value: object) -> list[dict]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
