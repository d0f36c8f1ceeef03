"""What an OpenAI-compatible endpoint is sent, where endpoints differ."""

import pytest

import f.agent.openai_model as openai_model
from f.agent.google_model import GoogleModel
from f.agent.model_slot import ModelSlot
from f.agent.openai_model import OpenAIModel


@pytest.fixture
def sent(monkeypatch):
    """sent(base_url, model) -> the body of one call"""
    bodies = []

    def post(url, headers, body, seconds):
        bodies.append(body)
        return {"choices": [{"message": {"content": "Yes."}}]}

    monkeypatch.setattr(openai_model, "post", post)

    def complete(base_url, model, kind=OpenAIModel):
        slot = ModelSlot("1", "openai", model, base_url, "key")
        kind(slot, 300).complete([{"role": "user", "content": "?"}], [], 5)
        return bodies[-1]

    return complete


@pytest.mark.parametrize(
    ("base_url", "model", "name"),
    [
        (None, "gpt-4.1-mini", "max_completion_tokens"),
        ("https://api.openai.com/v1", "o4-mini", "max_completion_tokens"),
        ("https://us.api.openai.com/v1/", "gpt-5.4", "max_completion_tokens"),
        ("https://shop.openai.azure.com/openai/v1", "ours", "max_completion_tokens"),
        ("https://gateway.example/v1", "openai/gpt-5-mini", "max_completion_tokens"),
        ("https://api.mistral.ai/v1", "mistral-small-latest", "max_tokens"),
        ("http://127.0.0.1:11434/v1", "qwen3:8b", "max_tokens"),
        ("https://openai.com.evil.example/v1", "m", "max_tokens"),
        ("https://notopenai.com/v1", "m", "max_tokens"),
    ],
)
def test_l10_a_reply_is_limited_by_the_name_that_the_endpoint_knows(sent, base_url, model, name):
    body = sent(base_url, model)

    assert {one: body[one] for one in body if one.startswith("max_")} == {name: 300}


def test_l10_googles_endpoint_knows_the_older_name(sent):
    assert sent(None, "gemini-3-flash", GoogleModel)["max_tokens"] == 300
