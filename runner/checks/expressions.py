"""Check an expression of a flow: that it parses, and that what it names is there."""

import re
from collections.abc import Iterator

import quickjs

from runner.checks.step_expressions import Expression
from runner.rewriting import function_body

STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
RESULT = re.compile(r"(?<![\w.$])results\s*\??\.\s*([\w$]+)")
RESULT_IN_BRACKETS = re.compile(r"(?<![\w.$])results\s*(?:\?\.)?\s*\[")
INPUT = re.compile(
    r"(?<![\w.$])flow_input\s*(?:\??\.\s*([A-Za-z_$][\w$]*)|(?:\?\.)?\[\s*['\"](.*?)['\"])"
)
# In a loop, Windmill adds these to the flow's input.
LOOP_INPUTS = re.compile(r"iter(_parent)*")


def parse_sentence(expression: Expression) -> str | None:
    """What QuickJS says against the text, without running it."""
    text = f"Boolean({expression.text})" if expression.is_predicate else expression.text.strip()
    if not expression.text.strip():
        return "the expression is empty"
    try:
        quickjs.Context().eval(f"(async function() {{ {function_body(text)} }})")
    except quickjs.JSException as error:
        return f"is not an expression that JavaScript can parse: {str(error).splitlines()[0]}"
    return None


def unknown_results(expression: Expression) -> Iterator[str]:
    text = STRING.sub("''", expression.text)
    if RESULT_IN_BRACKETS.search(text):
        yield "write results.STEP with a dot: Windmill does not wait for the form in brackets"
    for name in dict.fromkeys(RESULT.findall(text)):
        if name not in expression.visible:
            yield f"results.{name} names no earlier step that is visible from here"


def unknown_inputs(expression: Expression, properties: set[str], is_in_loop: bool) -> Iterator[str]:
    for dotted, bracketed in dict.fromkeys(INPUT.findall(expression.text)):
        name = dotted or bracketed
        is_loop_input = is_in_loop and LOOP_INPUTS.fullmatch(name)
        if name not in properties and not is_loop_input:
            yield f"flow_input.{name} is not in the flow's schema; add it to schema.properties"
