"""Check every flow: its keys, its steps' ids, what its expressions name, and what its steps run."""

import re
from collections.abc import Iterator

from runner.checks.documents import Document, Documents
from runner.checks.expressions import parse_sentence, unknown_inputs, unknown_results
from runner.checks.flow_shapes import FLOW_FILE
from runner.checks.problems import Problem
from runner.checks.shapes import Finding
from runner.checks.step_expressions import Expression, expressions_of
from runner.checks.step_inputs import input_findings
from runner.checks.steps import Step, steps_of

STEP_ID = re.compile(r"[A-Za-z0-9_]+")
RESERVED_IDS = frozenset({"failure", "preprocessor", "Input", "Result", "Trigger"})
SPECIAL_MODULES = ("failure", "preprocessor")


def flow_problems(documents: Documents) -> Iterator[Problem]:
    for flow in documents.flows.values():
        for key, sentence in _findings(documents, flow):
            yield Problem(flow.file, key, sentence)


def _findings(documents: Documents, flow: Document) -> Iterator[Finding]:
    yield from FLOW_FILE.findings(flow.content, "")
    value = flow.content.get("value")
    if not isinstance(value, dict):
        return
    steps = list(steps_of(value))
    yield from _id_findings(steps)
    yield from _early_return_findings(value, steps)
    yield from _skip_expression_findings(flow, value)
    for step in steps:
        yield from _timeout_findings(step)
        yield from _expression_findings(flow, step)
        yield from input_findings(documents, flow, step)


def _id_findings(steps: list[Step]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for step in steps:
        key = f"{step.key}.id"
        special = step.key.removeprefix("value.").removesuffix("_module")
        if special in SPECIAL_MODULES:
            yield from _special_module_findings(step, special)
            continue
        if step.id in RESERVED_IDS:
            yield key, f"'{step.id}' is a word that Windmill keeps for itself; choose another id"
        elif not STEP_ID.fullmatch(step.id):
            yield key, f"'{step.id}' must consist of letters, digits and underscores"
        if step.id in seen:
            yield key, f"'{step.id}' is already the id of {seen[step.id]}; ids are unique in a flow"
        seen.setdefault(step.id, step.key)


def _special_module_findings(step: Step, name: str) -> Iterator[Finding]:
    if step.id != name:
        yield f"{step.key}.id", f"must be '{name}', not '{step.id}'"
    if step.type not in ("script", "rawscript"):
        yield f"{step.key}.value.type", "must be script or rawscript in this place"


def _timeout_findings(step: Step) -> Iterator[Finding]:
    if step.module.get("timeout") is not None and step.type not in ("script", "rawscript"):
        yield f"{step.key}.timeout", "works on a script only; set it on the steps inside"


def _early_return_findings(value: dict, steps: list[Step]) -> Iterator[Finding]:
    early_return = value.get("early_return")
    top_ids = [step.id for step in steps if re.fullmatch(r"value\.modules\[\d+\]", step.key)]
    if early_return is not None and early_return not in top_ids:
        yield "value.early_return", f"'{early_return}' is not the id of a step of this flow"


def _skip_expression_findings(flow: Document, value: dict) -> Iterator[Finding]:
    if isinstance(value.get("skip_expr"), str):
        expression = Expression("value.skip_expr", value["skip_expr"], True, frozenset())
        for sentence in _expression_sentences(flow, expression, is_in_loop=False):
            yield expression.key, sentence


def _expression_findings(flow: Document, step: Step) -> Iterator[Finding]:
    for expression in expressions_of(step):
        for sentence in _expression_sentences(flow, expression, step.is_in_loop):
            yield expression.key, sentence


def _expression_sentences(flow: Document, expression: Expression, is_in_loop: bool) -> list[str]:
    wrong_syntax = parse_sentence(expression)
    if wrong_syntax:
        return [wrong_syntax]
    inputs = unknown_inputs(expression, _input_names(flow), is_in_loop)
    return [*unknown_results(expression), *inputs]


def _input_names(flow: Document) -> set[str]:
    schema = flow.content.get("schema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return set(properties or {})
