"""A step's arguments: input_transforms evaluated, then $var: and $res: strings resolved."""

import json
from collections.abc import Callable, Mapping

from runner.expressions import ExpressionFailed, Names, evaluate
from runner.failures import NotFound, step_failed

# Measured on the server: objects are followed 50 deep, arrays only near the top.
DEEPEST_OBJECT = 50
DEEPEST_ARRAY = 2
LONGEST_ARRAY = 1000

Lookup = Callable[[str, str], object]


def transformed(input_transforms: Mapping, names: Names) -> dict:
    args = {}
    for key, transform in (input_transforms or {}).items():
        if transform["type"] == "static":
            args[key] = transform.get("value")
        elif transform["type"] == "javascript":
            args[key] = _evaluated(transform["expr"], names)
    return args


def _evaluated(expr: str, names: Names):
    try:
        return evaluate(expr, names)
    except ExpressionFailed as exc:
        sentence = f"Error during isolated evaluation of expression `{expr}`:\n{exc}"
        raise step_failed(sentence) from exc


def interpolated(args: Mapping, lookup: Lookup, reserved: Mapping, step_id: str) -> dict:
    """A copy that the step may change, with every whole string that names a secret replaced.

    It acts on any argument, a webhook's body included: never pass foreign text on whole.
    """
    return {
        key: _interpolate(key, value, _Context(lookup, reserved, step_id), 0)
        for key, value in args.items()
    }


def resource_value(value, lookup: Lookup):
    """A resource's own value: the strings inside it name variables and other resources."""
    return _interpolate("value", value, _Context(lookup, {}, ""), 0)


class _Context:
    def __init__(self, lookup: Lookup, reserved: Mapping, step_id: str):
        self.lookup, self.reserved, self.step_id = lookup, reserved, step_id

    def find(self, kind: str, path: str, name: str):
        try:
            return self.lookup(kind, path)
        except NotFound as exc:
            sentence = f"Not found: {kind.title()} {path} not found for `{name}`: Not found: {exc}"
            raise step_failed(f"execution error:\n{sentence}", self.step_id) from exc


def _interpolate(name: str, value, context: _Context, depth: int):
    if isinstance(value, str):
        return _string(name, value, context) if value.startswith("$") else value
    if isinstance(value, dict):
        if depth > DEEPEST_OBJECT:
            sentence = f"execution error:\n`{name}` is nested more than {DEEPEST_OBJECT} deep"
            raise step_failed(sentence, context.step_id)
        return {key: _interpolate(key, item, context, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        if depth <= DEEPEST_ARRAY and len(value) <= LONGEST_ARRAY:
            return [_interpolate(name, item, context, depth + 1) for item in value]
        return _copy(value)
    return value


def _string(name: str, text: str, context: _Context):
    prefix, colon, path = text.partition(":")
    if colon and prefix == "$var":
        return context.find("variable", path, name)
    if colon and prefix == "$jsonvar":
        return json.loads(context.find("variable", path, name))
    if colon and prefix == "$res":
        if "/" not in path:
            sentence = f"Internal: Argument `{name}` is an invalid resource path: {path}"
            raise step_failed(sentence, context.step_id)
        return context.find("resource", path, name)
    return context.reserved.get(text[1:], text)


def _copy(value):
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
