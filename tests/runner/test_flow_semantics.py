"""What the docs and the server's source say of flows beyond the recorded cases."""

import threading

import pytest

from runner.jobs import Outcome, failure, success
from tests.runner.flows import container, fail, flow, flow_file, python, show


def run(engine, *modules: dict, args: dict | None = None, **more) -> Outcome:
    return engine.run_flow_value(flow(*modules, **more), args or {})


def failure_module(**inputs: str) -> dict:
    """Answers its arguments."""
    return python("failure", "def main(**known):\n    return known\n", inputs=inputs)


HANDLER = failure_module(name="error.name", step_id="error.step_id")


def test_a_flow_without_modules_gives_its_arguments_back(engine):
    assert run(engine, args={"a": 1}) == success({"a": 1})


def test_nested_loops_keep_the_outer_iterations(engine):
    inner = show(
        "x", "[flow_input.iter_parent_parent.value, flow_input.iter_parent.value, flow_input.iter]"
    )
    loop = container("c", "forloopflow", iterator={"type": "static", "value": [3]}, modules=[inner])
    for step_id in "ba":
        loop = container(
            step_id, "forloopflow", iterator={"type": "static", "value": [step_id]}, modules=[loop]
        )

    outcome = run(engine, loop)

    assert outcome.result == [[[["a", "b", {"index": 0, "value": 3}]]]]


def test_a_handler_in_a_loop_is_named_after_step_and_iteration(engine):
    handler = python("failure", "def main():\n    raise KeyError('handler')\n")
    loop = container(
        "l", "forloopflow", iterator={"type": "static", "value": [1]}, modules=[fail("b")]
    )

    outcome = run(engine, show("first", "1"), loop, failure_module=handler)

    assert outcome.result[0]["error"]["step_id"] == "failure-1-0"


def test_recover_inside_a_branch_does_not_save_the_flow(engine):
    handler = python("failure", "def main():\n    return {'recover': True}\n")
    branch = container("b", "branchone", branches=[{"expr": "true", "modules": [fail("x")]}])

    assert run(engine, branch, failure_module=handler) == failure({"recover": True})


def test_a_stop_inside_a_sequential_branchall_stops_the_flow(engine):
    stop = {"expr": "true", "skip_if_stopped": False}
    branches = [{"modules": [show("x", "1", stop_after_if=stop)]}, {"modules": [show("y", "2")]}]

    outcome = run(
        engine, container("b", "branchall", parallel=False, branches=branches), show("z", "3")
    )

    assert outcome == success([1])


def test_a_branch_that_may_fail_leaves_its_error_in_the_array(engine):
    branches = [
        {"skip_failure": True, "modules": [fail("x")]},
        {"skip_failure": False, "modules": [show("y", "2")]},
    ]

    outcome = run(engine, container("b", "branchall", branches=branches))

    assert outcome.success
    assert outcome.result[0]["error"]["message"] == "step broke"
    assert outcome.result[1] == 2


def test_several_failed_branches_are_one_error_to_the_handler(engine):
    branches = [{"modules": [fail("x")]}, {"modules": [fail("y")]}]
    branchall = container("b", "branchall", branches=branches, module={"continue_on_error": True})

    outcome = run(engine, branchall, show("z", "[error.name, error.message]"))

    assert outcome.result == ["MultipleErrors", "[x] step broke; [y] step broke"]


def test_an_empty_branch_passes_the_result_on(engine):
    branch = container("b", "branchone", branches=[], default=[])

    assert run(engine, show("a", "7"), branch, show("z", "previous_result")).result == 7


def test_a_while_loop_over_one_script_sees_the_iteration_before_and_keeps_no_inner_result(engine):
    stop = {"expr": "result >= 3", "skip_if_stopped": False}
    loop = container(
        "w",
        "whileloopflow",
        modules=[show("x", "previous_result + 1")],
        module={"stop_after_if": stop},
    )

    outcome = run(engine, show("a", "0"), loop, show("z", "[results.w, results.x]"))

    assert outcome.result == [[1, 2, 3], None]


def test_a_failed_iteration_ends_a_while_loop_with_its_own_error(engine):
    loop = container("w", "whileloopflow", modules=[show("a", "1"), fail("x")])

    assert run(engine, loop).result["error"]["step_id"] == "x"


def test_parallel_iterations_are_not_seen_from_outside_but_see_out(engine):
    loop = container(
        "l",
        "forloopflow",
        parallel=True,
        parallelism={"type": "javascript", "expr": "1 + 1"},
        iterator={"type": "static", "value": [1, 2, 3]},
        modules=[show("x", "results.o + flow_input.iter.value"), show("y", "results.x * 2")],
    )

    outcome = run(engine, show("o", "10"), loop, show("z", "[results.l, results.x]"))

    assert outcome.result == [[22, 24, 26], None]


def test_parallel_branches_run_at_the_same_time_and_nest(engine):
    threading.meeting = threading.Barrier(4, timeout=10)
    meet = "import threading\ndef main():\n    threading.meeting.wait()\n    return 1\n"
    inner = [{"modules": [python(name, meet)]} for name in "xy"]
    outer = [
        {"modules": [container(f"inner{number}", "branchall", branches=inner)]}
        for number in range(2)
    ]

    outcome = run(engine, container("outer", "branchall", branches=outer))

    assert outcome.result == [[1, 1], [1, 1]]


def test_an_error_between_later_modules_is_internal_and_not_handled(engine):
    branch = container("b", "branchone", branches=[{"expr": "results.a.b.c", "modules": []}])

    outcome = run(engine, show("a", "1"), branch, failure_module=HANDLER)

    assert outcome.result["error"]["name"] == "InternalError"


def test_a_stop_condition_that_throws_ends_the_flow_unhandled(engine):
    stop = {"expr": "result.a.b", "skip_if_stopped": False}

    outcome = run(engine, show("a", "1", stop_after_if=stop), failure_module=HANDLER)

    assert not outcome.success
    assert "cannot read property 'b'" in outcome.result["error"]


def test_a_missing_script_fails_the_flow_with_its_path(engine):
    module = {"id": "a", "value": {"type": "script", "path": "f/no/where"}}

    assert "f/no/where" in run(engine, module).result["error"]["message"]


def test_all_iters_is_there_for_a_loops_stop_condition(engine):
    stop = {"expr": "all_iters.length == 2", "skip_if_stopped": False}
    loop = container(
        "l",
        "forloopflow",
        iterator={"type": "static", "value": [5, 6, 7]},
        modules=[show("x", "flow_input.iter.value")],
        module={"stop_after_if": stop},
    )

    assert run(engine, loop).result == [5, 6]


def test_a_stop_with_a_message_is_a_failure_that_is_handled_and_not_retried(engine, tmp_path):
    calls = tmp_path / "calls"
    step = python(
        "a",
        f"def main():\n    with open({str(calls)!r}, 'a') as file:\n        file.write('x')\n",
        stop_after_if={"expr": "true", "skip_if_stopped": False, "error_message": "halted"},
        retry={"constant": {"attempts": 3, "seconds": 0}},
    )

    outcome = run(engine, step, failure_module=failure_module(message="error.message"))

    assert outcome == failure({"message": "halted"})
    assert calls.read_text() == "x"


def test_flow_environment_and_whole_inputs_reach_the_steps(engine):
    everything = python(
        "b", "def main(**known):\n    return known\n", pass_flow_input_directly=True
    )

    outcome = run(
        engine,
        show("a", "flow_env.region + flow_env['region']"),
        everything,
        show("c", "[results.a, results.b]"),
        args={"k": 1},
        flow_env={"region": "eu"},
    )

    assert outcome.result == ["eueu", {"k": 1}]


def test_a_step_with_a_cache_runs_once_for_the_same_arguments(engine):
    content = "import uuid\ndef main(x):\n    return str(uuid.uuid4())\n"
    value = flow(python("a", content, inputs={"x": "flow_input.x"}, cache_ttl=60))

    first, again, other = (engine.run_flow_value(value, {"x": x}).result for x in (1, 1, 2))

    assert first == again != other


def test_a_suspended_flow_goes_on_with_what_the_approver_sent(make_engine):
    module = show("a", "1", suspend={"required_events": 1})
    engine = make_engine(flow_file("f/t/ask", flow(module, show("b", "[resume, approvers]"))))

    job_id = engine.submit("f/t/ask", {})
    engine.resume(job_id, {"ok": True}, approver="ada")

    assert engine.wait(job_id, 10) == success([{"ok": True}, ["ada"]])


@pytest.mark.parametrize(
    ("approve", "name"), [(True, "SuspendedTimedOut"), (False, "SuspendedDisapproved")]
)
def test_a_flow_that_nobody_approves_fails(make_engine, approve, name):
    module = show("a", "1", suspend={"required_events": 2, "timeout": 0.1})
    engine = make_engine(flow_file("f/t/ask", flow(module)))

    job_id = engine.submit("f/t/ask", {})
    engine.resume(job_id, approved=approve)

    assert engine.wait(job_id, 10).result["error"]["name"] == name


def test_a_subflows_failure_is_handled_by_both_flows(make_engine):
    inner = flow(fail("x"), failure_module=HANDLER)
    engine = make_engine(flow_file("f/t/inner", inner))
    module = {"id": "s", "value": {"type": "flow", "path": "f/t/inner", "input_transforms": {}}}

    outcome = run(engine, module, failure_module=failure_module(error="error"))

    assert outcome.result["error"]["name"] == "UnknownError"
    assert outcome.result["error"]["error"] == {"name": "ValueError", "step_id": "x"}
