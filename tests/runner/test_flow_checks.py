"""A flow is refused, with the key, for what would fail or differ when it runs."""

import pytest

from tests.runner.test_checks import only_problem

FLOW = "f/t/answer__flow/flow.yaml"
FLOW_VALUE = "  modules:\n"
LOAD = "    - id: load\n"
EACH = "    - id: each\n"
LOAD_KEY = "          key: {type: javascript, expr: flow_input.key}\n"
LOAD_DOOR = "          door: {type: static, value: '$res:f/t/door'}\n"
STOP = "result.decision !== 'answer'"


def refused(tmp_path, old: str, new: str, key: str, sentence: str) -> None:
    problem = only_problem(tmp_path, FLOW, (old, new))

    assert problem.file == FLOW
    assert problem.key.removeprefix("value.").endswith(key)
    assert sentence in problem.sentence


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("summary: Answer", "sumary: x\nsummary: Answer", "sumary"),
        (FLOW_VALUE, "  moduls: []\n" + FLOW_VALUE, "moduls"),
        (LOAD, LOAD + "      stop: 1\n", "modules[0].stop"),
        (LOAD_KEY, LOAD_KEY.replace("expr", "exp: a, expr"), "input_transforms.key.exp"),
        ("{attempts: 2", "{atempts: 1, attempts: 2", "modules[0].retry.constant.atempts"),
        ("skip_if_stopped: true", "skip: true", "modules[0].stop_after_if.skip"),
        ("type: static, value: 30", "type: static, valu: 30", "modules[0].timeout.valu"),
        ("skip_failure: true", "skip_failures: true", "value.branches[0].skip_failures"),
        (
            "type: identity",
            "type: identity, x: 1",
            "modules[2].value.branches[0].modules[0].value.x",
        ),
    ],
)
def test_an_unknown_key_is_refused_at_every_level(tmp_path, old, new, key):
    refused(tmp_path, old, new, key, "is not a key that Windmill knows here")


@pytest.mark.parametrize(
    ("old", "new", "key", "sentence"),
    [
        ("        skip_failures: false\n", "", "modules[1].value.skip_failures", "is required"),
        ("attempts: 2", "attempts: two", "constant.attempts", "a whole number"),
        ("seconds: 1", "seconds: 0.5", "constant.seconds", "a whole number"),
        ("type: identity", "type: identiti", "value.type", "must be one of script"),
        ("default: []", "default: {}", "modules[2].value.default", "must be a list"),
        ("parallel: true", "parallel: 1", "modules[3].value.parallel", "true or false"),
    ],
)
def test_a_key_that_lacks_or_holds_something_else_is_refused(tmp_path, old, new, key, sentence):
    refused(tmp_path, old, new, key, sentence)


@pytest.mark.parametrize(
    "key", ["suspend: {required_events: 1}", "cache_ttl: 5", "delete_after_secs: 5"]
)
def test_a_step_that_asks_for_what_the_runner_lacks_is_refused(tmp_path, key):
    refused(tmp_path, LOAD, f"{LOAD}      {key}\n", f"[0].{key.split(':')[0]}", "not support")


@pytest.mark.parametrize("key", ["same_worker: true", "cache_ttl: 5", "chat_input_enabled: true"])
def test_a_flow_that_asks_for_what_the_runner_lacks_is_refused(tmp_path, key):
    refused(tmp_path, FLOW_VALUE, f"  {key}\n{FLOW_VALUE}", key.split(":")[0], "not support")


@pytest.mark.parametrize("key", ["concurrent_limit: 1", "debounce_key: a", "priority: 1"])
def test_what_the_community_edition_ignores_in_silence_is_refused(tmp_path, key):
    refused(tmp_path, FLOW_VALUE, f"  {key}\n{FLOW_VALUE}", key.split(":")[0], "ignores it")


@pytest.mark.parametrize(
    ("old", "new", "key", "sentence"),
    [
        ("{type: identity}", "{type: aiagent, tools: []}", "value.type", "does not support"),
        ("language: python3", "language: bun", "value.language", "python3 and postgresql"),
        (EACH, EACH + "      timeout: 5\n", "modules[1].timeout", "works on a script only"),
    ],
)
def test_a_kind_of_step_that_cannot_run_here_is_refused(tmp_path, old, new, key, sentence):
    refused(tmp_path, old, new, key, sentence)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("id: load", "is already the id of value.modules[0]"),
        ("id: Input", "keeps for itself"),
        ("id: failure", "keeps for itself"),
        ("id: in-ner", "letters, digits and underscores"),
    ],
)
def test_an_id_must_be_unique_plain_and_free(tmp_path, new, sentence):
    refused(tmp_path, "id: inner", new, "modules[1].value.modules[0].id", sentence)


def test_the_failure_module_has_its_own_id(tmp_path):
    refused(tmp_path, "id: failure", "id: handler", "failure_module.id", "must be 'failure'")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("results.load.items", "results.lod.items"),
        ("results.load.items", "results.pick"),
        ("results.load.items", "results?.pick.items"),
        ("results.each.length", "results.inner.length"),
        ("results.load.key", "results.yes_step"),
        ("results.load.key", "results.store"),
        ("results.load.door", "results.store.door"),
        (STOP, "results.each == 1"),
    ],
)
def test_a_result_must_be_of_an_earlier_step_that_is_visible(tmp_path, old, new):
    refused(tmp_path, old, new, "", "names no earlier step that is visible")


def test_a_result_in_brackets_is_refused(tmp_path):
    new = "\"results['load'].items\""

    refused(tmp_path, "results.load.items", new, "iterator.expr", "with a dot")


@pytest.mark.parametrize(
    "expr", ["flow_input.kye", "flow_input?.kye", "flow_input.iter.value", "`${flow_input.kye}`"]
)
def test_an_input_must_be_in_the_flows_schema(tmp_path, expr):
    new = LOAD_KEY.replace("flow_input.key", f'"{expr}"')

    refused(tmp_path, LOAD_KEY, new, "modules[0].value.input_transforms.key.expr", "flow's schema")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("expr: flow_input.key", "expr: flow_input.", "JavaScript can parse"),
        ("expr: flow_input.key", "expr: ''", "the expression is empty"),
        (STOP, "const a = 1; return a", "JavaScript can parse"),
        ("error.extra?.retryable === true", "error.extra ?.", "JavaScript can parse"),
    ],
)
def test_an_expression_must_parse(tmp_path, old, new, sentence):
    refused(tmp_path, old, new, "expr", sentence)


@pytest.mark.parametrize(
    ("old", "new", "key", "sentence"),
    [
        (LOAD_KEY, LOAD_KEY + LOAD_KEY.replace("key", "kye", 1), "kye", "no parameter 'kye'"),
        (LOAD_DOOR, "", "modules[0].value.input_transforms", "lacks 'door'"),
        ("path: f/t/load", "path: f/t/lod", "modules[0].value.path", "no script at f/t/lod"),
        ("path: f/t/store", "path: f/t/words", "value.path", "has no main"),
        ("path: f/t/load", "path: hub/1/x", "modules[0].value.path", "no script at hub/1/x"),
        ("$res:f/t/door", "$res:door", "input_transforms.door.value", "is not a path"),
        ("$res:f/t/door", "$var:f/t/no thing", "input_transforms.door.value", "is not a path"),
    ],
)
def test_a_step_must_fit_what_it_runs(tmp_path, old, new, key, sentence):
    refused(tmp_path, old, new, key, sentence)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("!inline inner.py", "!inline missing.py", "value.content"),
        ("lock: ''\n", "lock: '!inline inner.lock'\n", "value.lock"),
    ],
)
def test_an_inline_file_must_be_there(tmp_path, old, new, key):
    refused(tmp_path, old, new, key, "is not in the flow's folder")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("early_return: lod", "is not the id of a step"), ("skip_expr: flow_input.no", "schema")],
)
def test_the_flows_own_keys_must_name_what_is_there(tmp_path, line, sentence):
    refused(tmp_path, FLOW_VALUE, f"  {line}\n{FLOW_VALUE}", line.split(":")[0], sentence)
