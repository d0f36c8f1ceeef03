"""Pictures beside words, in each vendor's form and only for models that see."""

import pytest

from f.agent.anthropic_model import AnthropicModel
from f.agent.contact_files import NOT_SHOWN, PICTURE_TOKENS, Picture, sees, tokens_of_pictures
from f.agent.context import prompt_text
from f.agent.model_slot import ModelSlot
from f.agent.openai_model import OpenAIModel

PICTURE = Picture("image/png", b"pixels")
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is it?", "pictures": [PICTURE]},
]


@pytest.fixture
def sent(monkeypatch):
    """sent(class, seeing) -> the body that the vendor is posted."""
    bodies = []

    def post(url, headers, body, seconds):
        bodies.append(body)
        return {"content": [], "choices": [{"message": {"content": "A chair."}}]}

    monkeypatch.setattr("f.agent.openai_model.post", post)
    monkeypatch.setattr("f.agent.anthropic_model.post", post)

    def run(model, seeing):
        slot = ModelSlot("1", "x", "model", None, "key", sees_pictures=seeing)
        model(slot, 100).complete(MESSAGES, [], 5)
        return bodies[-1]["messages"][-1]["content"]

    return run


def test_openai_gets_a_data_url_behind_the_words(sent):
    assert sent(OpenAIModel, True) == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,cGl4ZWxz"}},
    ]


def test_anthropic_gets_a_block_before_the_words(sent):
    source = {"type": "base64", "media_type": "image/png", "data": "cGl4ZWxz"}
    assert sent(AnthropicModel, True) == [
        {"type": "image", "source": source},
        {"type": "text", "text": "What is it?"},
    ]


@pytest.mark.parametrize("model", [OpenAIModel, AnthropicModel])
def test_a_model_that_sees_none_is_told_that_there_was_one(sent, model):
    said = sent(model, False)

    assert NOT_SHOWN in str(said)
    assert "cGl4ZWxz" not in str(said)


@pytest.mark.parametrize(
    ("model", "is_seeing"),
    [
        *[(name, True) for name in ("gpt-4.1-mini", "claude-haiku-4-5", "gemini-2.5-flash", "o3")],
        *[(name, False) for name in ("gpt-3.5-turbo", "llama-3.1-8b", "offline", "mistral-7b")],
    ],
)
def test_who_sees_is_told_by_the_models_name(model, is_seeing):
    assert sees(ModelSlot("1", "openai", model, None, "")) is is_seeing


def test_a_picture_counts_as_tokens_and_its_bytes_are_kept_nowhere():
    assert tokens_of_pictures(MESSAGES) == PICTURE_TOKENS
    assert "pixels" not in prompt_text(MESSAGES, []) + repr(PICTURE)
