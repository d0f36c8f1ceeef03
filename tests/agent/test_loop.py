"""The agent loop: tools by name, mistakes answered to the model, an end in any case."""

import pytest

from f.agent.loop import run
from f.agent.openai_model import OpenAIModel
from f.agent.toolbox import Toolbox
from f.shared.errors import AgentStuck, Misconfigured, ToolFailed, UpstreamBusy, UpstreamDown
from tests.scripted_model import calls, says


class Price:
    name = "price"
    description = "Price of a thing."
    parameters = {"type": "object", "properties": {"of": {"type": "string"}}}

    def run(self, arguments):
        if arguments.get("of") == "nothing":
            raise ToolFailed("there is no such thing")
        return "12 euros", {"cents": 1200}


def ask(model, text="How much?"):
    openai_model = OpenAIModel(model.resource, max_reply_tokens=200)
    return run(openai_model, [{"role": "user", "content": text}], Toolbox([Price()]))


def test_a_tool_is_called_and_its_result_answered_with(model):
    model.will(calls("price", of="tea"), says("It is 12 euros."))

    answer = ask(model)

    assert answer.text == "It is 12 euros."
    assert (answer.model_calls, answer.input_tokens, answer.output_tokens) == (2, 200, 40)
    assert model.requests[1]["messages"][-1] == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": "12 euros",
    }


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (calls("price", of="nothing"), "error: there is no such thing"),
        (calls("prices"), "error: there is no tool 'prices'; there are: price"),
    ],
)
def test_a_tools_failure_is_the_models_to_handle(model, call, answer):
    model.will(call, says("Sorry."))

    ask(model)

    assert model.requests[1]["messages"][-1]["content"] == answer


def test_arguments_that_are_not_json_are_answered_to_the_model(model):
    broken = calls("price")
    broken["tool_calls"][0]["function"]["arguments"] = "{of:"
    model.will(broken, says("Sorry."))

    ask(model)

    assert model.requests[1]["messages"][-1]["content"] == "error: the arguments are not JSON"


def test_the_last_round_has_no_tools_so_that_it_must_answer(model):
    model.will(*[calls("price", of="tea")] * 5, says("12 euros."))

    answer = ask(model)

    assert answer.text == "12 euros."
    assert "tools" in model.requests[4] and "tools" not in model.requests[5]


def test_a_model_that_never_answers_is_stuck(model):
    model.will(*[calls("price", of="tea")] * 6)

    with pytest.raises(AgentStuck):
        ask(model)


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, UpstreamDown), (429, UpstreamBusy), (401, Misconfigured), (404, Misconfigured)],
)
def test_a_failing_model_is_named_by_who_acts_next(model, status, error):
    model.will(status)

    with pytest.raises(error):
        ask(model)


def test_the_key_travels_in_the_header_only(model):
    model.will(says("Hello."))

    ask(model)

    assert model.headers[0]["Authorization"] == "Bearer model-key"
    assert "model-key" not in str(model.requests)
