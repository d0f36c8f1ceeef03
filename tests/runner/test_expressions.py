"""Expressions: the server's shortcuts and rewriting, the limits, values crossing over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.expressions import ExpressionFailed, Names, evaluate, evaluate_predicate
from runner.quickjs_sandbox import Limits
from runner.results import Results
from runner.rewriting import function_body

SHORT = Limits(seconds=0.1, memory_bytes=32 * 1024 * 1024, result_bytes=1000)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def names(**results) -> Names:
    kept = Results()
    for step_id, result in results.items():
        kept.record(step_id, result)
    values = {"previous_result": {"error": {"name": "Busy"}}}
    return Names({"k": 5, "o": {"a": 1}}, values, kept, lookup=lambda kind, path: {"at": path})


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("flow_input.nope", None),
        ("results.a.missing.deeper", None),
        ("results.a.l[1]", 2),
        ("results.a.l.length", 2),
        ("results?.a.n", 1),
        ('results["a"].n + 1', 2),
        ("results['a'].n", None),
        ("resource('f/t/pg').at", "f/t/pg"),
        ("variable(`f/${'t'}`).at", "f/t"),
        ("error.name", "Busy"),
        ("({u: undefined, d: new Date(0)})", {"u": None, "d": {}}),
        ("for (const n of results.a.l) { if (n > 1) { return n } }", 2),
        ("'a;b'", "a;b"),
    ],
)
def test_an_expression_gives_what_the_server_gives(expr, value):
    assert evaluate(expr, names(a={"n": 1, "l": [1, 2]})) == value


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        ("while (true) {}", "interrupted"),
        ("await 0; while (true) {}", "interrupted"),
        ("let a = []; while (true) { a.push(new Array(10000).fill(0)) }", "out of memory"),
        ("'x'.repeat(2000)", "larger than 1000 bytes"),
        ("(function f() { f() })()", "call stack"),
        ("new Promise(() => {})", "never finished"),
        ("let o = {}; o.o = o; return o", "circular"),
        ("throw 'plain'", "plain"),
        ("nothing_of_that_name", "not defined"),
    ],
)
def test_an_expression_that_goes_too_far_is_ended(expr, words):
    with pytest.raises(ExpressionFailed, match=words):
        evaluate(expr, names(), SHORT)


def test_a_result_may_be_nested_as_deep_as_webhooks_may():
    value = nested(128)

    assert evaluate("results.a", names(a=value)) == value
    assert evaluate("[results.a][0]", names(a=value)) == value


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def test_predicates_are_truthy_as_in_javascript_and_have_no_null_safe_shortcut():
    known = names(a={"n": "x", "zero": 0})

    assert evaluate_predicate("results.a.n", known) is True
    assert evaluate_predicate("results.a.zero", known) is False
    with pytest.raises(ExpressionFailed, match="cannot read property"):
        evaluate_predicate("results.a.missing.deeper", known)


def test_what_one_expression_does_to_its_globals_no_other_one_sees():
    known = names(a=[3, 1])

    evaluate("globalThis.leaked = 1; Array.prototype.map = null", known)

    assert evaluate("[typeof leaked, typeof [].map]", known) == ["undefined", "function"]


def test_an_unknown_variable_is_an_error_the_expression_can_catch():
    def lookup(kind, path):
        raise LookupError(f"{kind} {path} not found")

    lonely = Names({}, lookup=lookup)

    with pytest.raises(ExpressionFailed, match="variable f/x not found"):
        evaluate("variable('f/x')", lonely)
    assert evaluate("try { variable('f/x') } catch (e) { return 'none' }", lonely) == "none"


@pytest.mark.parametrize(
    ("expr", "body"),
    [
        ("results.a.b + 1", "return (await results.a).b + 1;"),
        ("f(variable(g(1)), 2)", "return f((await variable(g(1))), 2);"),
        ("const a = 1", "const a = 1"),
        ("'a;b'", "return 'a;b';"),
        ("a; b", "a; b"),
        ("iffy", "return iffy;"),
    ],
)
def test_the_text_is_rewritten_by_the_servers_rules(expr, body):
    assert function_body(expr) == body


@given(JSON_VALUES)
def test_every_json_value_crosses_over_and_back_unchanged(value):
    assert evaluate("[flow_input.v][0]", Names({"v": value})) == value


@given(st.text())
def test_any_text_is_evaluated_or_refused_but_never_breaks_the_runner(text):
    try:
        json.dumps(evaluate(text, Names({}), SHORT))
    except ExpressionFailed as refused:
        assert str(refused).startswith("QuickJS evaluation error: ")
