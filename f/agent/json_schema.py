"""Check a tool's schema, and a model's arguments against it.

The part of JSON Schema 2020-12 that tools use. What is not here refuses the schema: no `pattern`
(a regex can take for ever), no remote `$ref` (it would have us fetch), bounded depth and size.
https://json-schema.org/draft/2020-12
"""

MAX_DEPTH = 8
MAX_SUBSCHEMAS = 200
MAX_ENUM = 500

KNOWN = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
}  # fmt: skip
# They say something to a reader and nothing to a checker.
NOTES = {"title", "description", "default", "examples", "format", "$schema", "deprecated"}
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def problem_of_schema(schema: object) -> str | None:
    """Why a tool with such a schema can't be offered; None: it can."""
    left = [MAX_SUBSCHEMAS]
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "the schema is not of an object"
    return _problem_of_subschema(schema, 1, left)


def _problem_of_subschema(schema: object, depth: int, left: list[int]) -> str | None:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return f"the schema is deeper than {MAX_DEPTH} or has more than {MAX_SUBSCHEMAS} parts"
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return "a part of the schema is no schema"
    unknown = set(schema) - KNOWN - NOTES
    if unknown:
        return f"the schema uses {sorted(map(str, unknown))[0][:40]!r}"
    problem = _problem_of_keywords(schema)
    if problem:
        return problem
    for part in _parts(schema):
        problem = _problem_of_subschema(part, depth + 1, left)
        if problem:
            return problem
    return None


def _problem_of_keywords(schema: dict) -> str | None:
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    if not all(isinstance(one, str) and one in TYPES for one in types):
        return "the schema names a type that there is not"
    if not isinstance(schema.get("properties", {}), dict):
        return "the schema's properties are no object"
    for word in ("required", "enum", "anyOf"):
        if not isinstance(schema.get(word, []), list) or len(schema.get(word, [])) > MAX_ENUM:
            return f"the schema's {word} is no short list"
    for word in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"):
        if not isinstance(schema.get(word, 0), int | float):
            return f"the schema's {word} is no number"
    return None


def _parts(schema: dict) -> list:
    parts = list(schema.get("properties", {}).values()) + schema.get("anyOf", [])
    return parts + [schema[word] for word in ("items", "additionalProperties") if word in schema]


def problem_of_value(schema: dict | bool, value: object, place: str = "arguments") -> str | None:
    """What is wrong with the value, in words that a model can mend it by; None: nothing.

    The schema has passed `problem_of_schema`.
    """
    if isinstance(schema, bool):
        return None if schema else f"{place} is not allowed"
    if "type" in schema and not _is_of(schema["type"], value):
        return f"{place} has to be of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{place} has to be one of {schema['enum'][:20]}"
    if "const" in schema and value != schema["const"]:
        return f"{place} has to be {schema['const']!r}"
    if "anyOf" in schema and all(problem_of_value(one, value, place) for one in schema["anyOf"]):
        return f"{place} fits none of its forms"
    return _problem_of_size(schema, value, place) or _problem_inside(schema, value, place)


def _is_of(types: str | list, value: object) -> bool:
    types = types if isinstance(types, list) else [types]
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return True
    return any(isinstance(value, TYPES[one]) for one in types)


def _problem_of_size(schema: dict, value: object, place: str) -> str | None:
    size, words = None, ()
    if isinstance(value, str):
        size, words = len(value), ("minLength", "maxLength")
    elif isinstance(value, list):
        size, words = len(value), ("minItems", "maxItems")
    elif isinstance(value, int | float):
        size, words = value, ("minimum", "maximum")
    if size is None:
        return None
    if size < schema.get(words[0], size) or size > schema.get(words[1], size):
        return f"{place} is outside of {words[0]} and {words[1]}"
    return None


def _problem_inside(schema: dict, value: object, place: str) -> str | None:
    if isinstance(value, list) and "items" in schema:
        inside = [(schema["items"], one, f"{place}[{n}]") for n, one in enumerate(value)]
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = [name for name in schema.get("required", []) if name not in value]
        if missing:
            return f"{place}.{missing[0]} is missing"
        others = schema.get("additionalProperties", True)
        inside = [
            (properties.get(name, others), one, f"{place}.{name[:60]}")
            for name, one in value.items()
        ]
    else:
        return None
    return next(filter(None, (problem_of_value(*one) for one in inside)), None)
