"""A conversation in OpenAI's form, told to Claude in its own."""

import pytest

from f.agent.anthropic_model import AnthropicModel
from f.agent.google_model import GoogleModel
from f.agent.model_slot import ModelSlot
from f.agent.openai_model import OpenAIModel
from f.shared.errors import UpstreamDown

SCHEMA = {
    "type": "function",
    "function": {"name": "price", "description": "Price.", "parameters": {"type": "object"}},
}
CALL = {
    "id": "toolu_1",
    "type": "function",
    "function": {"name": "price", "arguments": '{"of": "tea"}'},
}
CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "How much is tea?"},
    {"role": "user", "content": "Hello?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "toolu_1", "content": "12 euros"},
]
ANSWER = {
    "content": [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "toolu_2", "name": "price", "input": {"of": "tea"}},
    ],
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 5},
}


@pytest.fixture
def asked(httpserver):
    """asked(kind, path, answer, messages, schemas) -> (completion, the body that was sent)"""

    def ask(kind, path, answer, messages, schemas):
        httpserver.expect_request(path).respond_with_json(answer)
        slot = ModelSlot("s", "-", "some-model", httpserver.url_for("/v1"), "vendor-key")
        completed = kind(slot, 300).complete(messages, schemas, 10)
        return completed, httpserver.log[-1][0]

    return ask


def test_roles_take_turns_and_a_users_comes_first(asked):
    _, request = asked(AnthropicModel, "/v1/messages", ANSWER, CONVERSATION, [SCHEMA])

    sent = request.json
    assert sent["system"] == "Be brief."
    assert [one["role"] for one in sent["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert sent["messages"][4]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 euros"}
    ]
    assert request.headers["x-api-key"] == "vendor-key"


def test_its_answer_is_one_of_ours_with_all_tokens_counted(asked):
    answered, _ = asked(AnthropicModel, "/v1/messages", ANSWER, CONVERSATION, [SCHEMA])

    assert answered.text == "Let me see."
    assert answered.tool_calls[0]["function"] == {"name": "price", "arguments": '{"of": "tea"}'}
    assert (answered.input_tokens, answered.output_tokens, answered.is_estimated) == (100, 5, False)


def test_the_last_round_forbids_tools_without_forgetting_them(asked):
    _, request = asked(AnthropicModel, "/v1/messages", ANSWER, CONVERSATION, [])

    assert request.json["tool_choice"] == {"type": "none"}
    assert [one["name"] for one in request.json["tools"]] == ["price"]


@pytest.mark.parametrize("answer", [{}, {"content": None}, {"content": [{"type": "text"}]}])
def test_l06_an_answer_in_another_form_is_the_vendors_failure(asked, answer):
    with pytest.raises(UpstreamDown):
        asked(AnthropicModel, "/v1/messages", answer, CONVERSATION, [])


@pytest.mark.parametrize(("kind", "is_back"), [(GoogleModel, True), (OpenAIModel, False)])
def test_googles_signature_goes_back_to_google_alone(asked, kind, is_back):
    signed = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
    messages = [{"role": "assistant", "content": None, "tool_calls": [signed]}]
    answer = {"choices": [{"message": {"role": "assistant", "tool_calls": [signed]}}]}

    answered, request = asked(kind, "/v1/chat/completions", answer, messages, [])

    assert ("extra_content" in request.json["messages"][0]["tool_calls"][0]) is is_back
    assert ("extra_content" in answered.tool_calls[0]) is is_back
