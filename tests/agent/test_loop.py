"""The agent loop: tools by name, mistakes answered to the model, an end in any case."""

from threading import Event

import pytest
from werkzeug import Response

from f.agent.loop import run
from f.agent.model_slot import ModelSlot
from f.agent.openai_model import OpenAIModel
from f.agent.toolbox import Toolbox
from f.shared.deadline import Deadline
from f.shared.errors import Misconfigured, ToolFailed, UpstreamBusy, UpstreamDown
from tests.scripted_model import calls, says


class Price:
    name = "price"
    description = "Price of a thing."
    parameters = {
        "type": "object",
        "properties": {"of": {"type": "string"}},
        "required": ["of"],
        "additionalProperties": False,
    }

    def run(self, arguments):
        if arguments["of"] == "nothing":
            raise ToolFailed("there is no such thing")
        return "12 euros", {"cents": 1200}


class Single:
    """A chain of one model, never asked twice."""

    def __init__(self, resource, deadline):
        slot = ModelSlot("1", "openai", "m", resource["base_url"], resource["api_key"])
        self._model = OpenAIModel(slot, 200)
        self._deadline = deadline

    def complete(self, messages, schemas):
        return self._model.complete(messages, schemas, self._deadline.seconds_left)


class Counted(Price):
    calls = 0

    def run(self, arguments):
        self.calls += 1
        return super().run(arguments)


def ask(model, text="How much?", seconds=45, price=None):
    deadline = Deadline(seconds)
    toolbox = Toolbox([price or Price()])
    messages = [{"role": "user", "content": text}]
    return run(Single(model.resource, deadline), messages, toolbox, deadline)


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


def test_l08_the_last_round_has_no_tools_so_that_it_must_answer(model):
    model.will(*[calls("price", of=f"tea {n}") for n in range(5)], says("12 euros."))

    answer = ask(model)

    assert answer.text == "12 euros."
    assert "tools" in model.requests[4] and "tools" not in model.requests[5]


def test_l08_a_model_that_only_calls_ends_after_six_rounds(model):
    model.will(*[calls("price", of=f"tea {n}") for n in range(6)])

    answer = ask(model)

    assert (answer.stuck, answer.text, len(model.requests)) == ("rounds", "", 6)


def test_l08_a_call_made_too_often_is_not_made_again_and_ends_the_calling(model):
    price = Counted()
    model.will(*[calls("price", of="tea")] * 4, says("12 euros."))

    answer = ask(model, price=price)

    assert (answer.text, price.calls) == ("12 euros.", 3)
    assert "tools" not in model.requests[4]


def test_l09_only_four_calls_of_a_message_are_made_and_each_is_answered(model):
    price = Counted()
    message = calls("price", of="tea")
    message["tool_calls"] = [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": "price", "arguments": f'{{"of": "{n}"}}'},
        }
        for n in range(50)
    ]
    model.will(message, says("12 euros."))

    ask(model, price=price)

    answers = [one for one in model.requests[1]["messages"] if one["role"] == "tool"]
    assert (price.calls, len(answers)) == (4, 50)


@pytest.mark.parametrize(
    ("name", "arguments", "mistake"),
    [
        ("price", "[]", "not a JSON object"),
        ("price", '{"of": 3}', "arguments.of has to be of type string"),
        ("price", "{}", "arguments.of is missing"),
        ("price", '{"of": "tea", "and": 1}', "arguments.and is not allowed"),
        ("price", '{"of": "' + "x" * 1_000_000 + '"}', "longer than 8000"),
        ("price list.v2", "{}", "there is no tool"),
        ("x" * 5000, "{}", "there is no tool"),
    ],
)
def test_l07_a_wrong_call_is_answered_to_the_model_and_not_made(model, name, arguments, mistake):
    price = Counted()
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    model.will({"role": "assistant", "content": None, "tool_calls": [call]}, says("Sorry."))

    ask(model, price=price)

    told = model.requests[1]["messages"][-1]["content"]
    assert mistake in told and len(told) < 300
    assert price.calls == 0


def test_l06_an_empty_answer_is_asked_for_once_more(model):
    model.will({"role": "assistant", "content": None}, says("12 euros."))

    assert ask(model).text == "12 euros."


@pytest.mark.parametrize("body", ["no JSON", "{}", '{"choices": []}', '{"choices": [{}]}', "[1]"])
def test_l06_an_answer_in_no_form_is_the_providers_failure(httpserver, model, body):
    httpserver.clear_all_handlers()
    httpserver.expect_request("/v1/chat/completions").respond_with_data(body)

    with pytest.raises(UpstreamDown):
        ask(model)


def test_l04_a_provider_that_drips_bytes_is_left_at_the_deadline(httpserver, model):
    released = Event()

    def drip(request):
        def bytes_one_by_one():
            while not released.wait(0.02):
                yield b" "

        return Response(bytes_one_by_one())

    httpserver.clear_all_handlers()
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(drip)
    with pytest.raises(UpstreamDown):
        ask(model, seconds=0.2)
    released.set()


def test_l04_a_turn_without_time_ends_without_another_call(model):
    answer = ask(model, seconds=0)

    assert (answer.stuck, model.requests) == ("time", [])


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
