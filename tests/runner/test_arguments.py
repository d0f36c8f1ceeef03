"""Strings that name variables and resources, wherever the server follows them and nowhere else."""

import pytest

from runner.arguments import interpolated
from runner.failures import NotFound, StepFailed

KNOWN = {("variable", "f/t/v"): "secret", ("resource", "f/t/r"): {"a": 1}}
LIST_VARIABLE = {("variable", "f/t/list"): "[1, 2]"}
SECRET = "$var:f/t/v"


def lookup(kind: str, path: str):
    known = {**KNOWN, **LIST_VARIABLE}
    if (kind, path) not in known:
        raise NotFound(f"{kind.title()} {path} not found")
    return known[kind, path]


def resolve(value):
    return interpolated({"x": value}, lookup, {"WM_TOKEN": "token"}, "a")["x"]


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        (SECRET, "secret"),
        ("$res:f/t/r", {"a": 1}),
        ("$jsonvar:f/t/list", [1, 2]),
        ("$WM_TOKEN", "token"),
        ("$HOME", "$HOME"),
        ("$100", "$100"),
        (f"see {SECRET}", f"see {SECRET}"),
        ({"a": {"b": {"c": SECRET}}}, {"a": {"b": {"c": "secret"}}}),
        ([{"a": SECRET}], [{"a": "secret"}]),
        ([[[SECRET]]], [[["secret"]]]),
        ([[[[SECRET]]]], [[[[SECRET]]]]),
        ({"a": {"b": {"c": [SECRET]}}}, {"a": {"b": {"c": [SECRET]}}}),
        ([SECRET] * 1001, [SECRET] * 1001),
    ],
)
def test_whole_strings_are_followed_as_far_as_the_server_follows_them(value, resolved):
    assert resolve(value) == resolved


@pytest.mark.parametrize("value", ["$var:f/t/none", "$res:f/t/none", "$res:none"])
def test_a_name_that_leads_nowhere_fails_the_step(value):
    with pytest.raises(StepFailed) as failed:
        resolve(value)

    assert failed.value.result["error"]["step_id"] == "a"


def test_objects_deeper_than_the_limit_fail_the_step():
    value: dict = {}
    for _ in range(60):
        value = {"a": value}

    with pytest.raises(StepFailed, match="nested more than 50 deep"):
        resolve(value)


def test_the_step_gets_copies():
    value = {"a": [[[[{"b": 1}]]]]}

    copied = resolve(value)

    assert copied == value
    assert copied["a"][0][0][0][0] is not value["a"][0][0][0][0]
