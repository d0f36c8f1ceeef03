"""Compare what we answered with what a real Windmill server answered."""

import json
from dataclasses import dataclass

# The server's own words for these are not compared, only that there are some.
LOOSE_MESSAGES = ("ExecutionErr", "Anyhow", "InternalError")


@dataclass(frozen=True)
class Compared:
    name: str
    expected: object
    got: object
    is_equal: bool

    def __str__(self) -> str:
        expected, got = (json.dumps(each, ensure_ascii=False) for each in (self.expected, self.got))
        return f"FAILED {self.name}\n  expected {expected}\n  got      {got}"


def without_stacks(value):
    if isinstance(value, dict):
        is_error = "message" in value
        return {
            key: without_stacks(item)
            for key, item in value.items()
            if not (is_error and key == "stack")
        }
    return [without_stacks(item) for item in value] if isinstance(value, list) else value


def is_same(expected, got) -> bool:
    """As JSON, so true is not 1; error names exactly, the server's own messages loosely."""
    if isinstance(expected, dict) and isinstance(got, dict):
        is_loose = expected.get("name") in LOOSE_MESSAGES and bool(got.get("message"))
        return expected.keys() == got.keys() and all(
            (is_loose and key == "message") or is_same(expected[key], got[key]) for key in expected
        )
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(is_same, expected, got))
    return isinstance(expected, bool) == isinstance(got, bool) and expected == got
