"""Golden questions: what passes every time counts, and a worse version is not published."""

import pytest

from local.chatbot_settings import settings_of
from local.chatbot_versions import draft, publish
from local.errors import CannotRun
from local.evals import keep, problem_of, run_cases
from local.rehearsal import Stage
from tests.conftest import CHATBOT_ID, SEALING_KEY
from tests.scripted_model import says

CASE = {"question": "How long?", "must_contain": ["five"], "must_not_contain": ["six"]}


@pytest.fixture
def stage(owner, model, windmill):
    return Stage(owner, model.resource, SEALING_KEY, CHATBOT_ID)


def test_a_case_that_passes_only_sometimes_does_not_pass(stage, model, query):
    model.will(says("Five days."), says("Six days."), says("Five days."))

    result = run_cases(stage, [CASE], 3)
    keep(stage, result, None)

    assert (result.passed_every_time, result.passed_once) == (0, 1)
    assert result.failed == {"How long?": "does not say 'five'"}
    assert query("select cases, times, passed_every_time, input_tokens from eval_runs") == [
        (1, 3, 0, 300)
    ]


@pytest.mark.parametrize(
    ("case", "answer", "why"),
    [
        ({"must_call": ["knowledge"]}, "Hi.", "does not call knowledge"),
        ({"must_cite": ["Refunds"]}, "Hi.", "does not cite 'Refunds'"),
        ({"must_not_contain": ["HI"]}, "Hi.", "says 'HI'"),
        ({"route": "human"}, "Hi.", "route auto (answered)"),
        ({"guard": "ok"}, "See evil.com", "guard foreign_link"),
        ({}, "Hi.", None),
    ],
)
def test_what_a_case_asks_for_is_held_against_the_answer(stage, model, case, answer, why):
    model.will(says(answer))

    result = run_cases(stage, [{"question": "How long?", **case}], 1)

    assert result.failed.get("How long?") == why


@pytest.mark.parametrize(
    "case",
    [
        "How?",
        {},
        {"question": "How?", "must_say": ["x"]},
        {"question": "How?", "route": "x"},
        {"question": "How?", "must_contain": "x"},
    ],
)
def test_a_case_that_is_none_is_named(case):
    assert problem_of(case)


def test_a_version_that_is_worse_is_refused_and_may_be_forced_with_a_reason(stage, model, query):
    version = draft(stage.resource, CHATBOT_ID, {"instructions": "Say six."})
    good, bad = [says("Five days.")] * 3, [says("Six days.")] * 3
    model.will(*good, *bad)
    with pytest.raises(CannotRun):
        publish(stage, version, [CASE], None)
    assert query("select state from chatbot_versions") == [("draft",)]

    model.will(*good, *bad)
    publish(stage, version, [CASE], "the law changed")

    assert query("select state, override_reason from chatbot_versions") == [
        ("published", "the law changed")
    ]
    assert query("select instructions from chatbots") == [("Say six.",)]


def test_a_version_that_is_no_worse_is_published_and_the_one_before_retired(stage, model, query):
    for words in ("Say five.", "Say five, kindly."):
        version = draft(stage.resource, CHATBOT_ID, {"instructions": words})
        model.will(*[says("Five days.")] * 6)
        publish(stage, version, [CASE], None)

    assert query("select version, state from chatbot_versions order by version") == [
        (1, "retired"),
        (2, "published"),
    ]
    assert "Say five, kindly." in model.requests[-1]["messages"][0]["content"]
    assert settings_of(stage.resource, CHATBOT_ID, 1)["instructions"] == "Say five."


def test_another_model_is_asked_when_it_is_named(owner, model, windmill):
    model.will(says("Five days."))

    run_cases(Stage(owner, model.resource, SEALING_KEY, CHATBOT_ID, None, "other"), [CASE], 1)

    assert model.requests[0]["model"] == "other"
