"""A tool's schema bounds what checking it costs, and a wrong argument never reaches the tool."""

import pytest

from f.agent.json_schema import problem_of_schema, problem_of_value


def nested(depth):
    schema = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        {"type": "string"},
        {"type": "object", "$ref": "http://169.254.169.254/"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}},
        {"type": "object", "anyOf": [{"type": "object"}] * 10_000},
        {"type": "object", "properties": {f"a{n}": {"type": "string"} for n in range(300)}},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "properties": {"a": 3}},
        {"type": "object", "properties": []},
        {"type": "object", "required": "a"},
        nested(9),
    ],
)
def test_m03_a_schema_that_could_cost_or_fetch_something_is_refused(schema):
    assert problem_of_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"], "format": "date"}}},
        nested(7),
    ],
)
def test_usual_schemas_are_taken(schema):
    assert problem_of_schema(schema) is None


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, 3, True),
        ({"type": "integer"}, 3.0, 3.5),
        ({"type": "number", "minimum": 1}, 1, 0.5),
        ({"type": "string", "maxLength": 2}, "ab", "abc"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a"], [1]),
        ({"enum": ["a", "b"]}, "a", "c"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
        ({"const": 1}, 1, 2),
        ({"type": ["string", "null"]}, None, {}),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": "b"}, {"a": 1}),
    ],
)
def test_a_value_is_held_against_its_schema(schema, good, bad):
    assert problem_of_value(schema, good) is None
    assert problem_of_value(schema, bad)
