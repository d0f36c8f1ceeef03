"""Which wire format a model speaks: one line for each."""

from f.agent.anthropic_model import AnthropicModel
from f.agent.google_model import GoogleModel
from f.agent.model_slot import ModelSlot
from f.agent.openai_model import OpenAIModel
from f.shared.errors import Misconfigured

MODELS = {
    "anthropic": AnthropicModel,
    "google": GoogleModel,
    "openai": OpenAIModel,
}


def model_of(slot: ModelSlot, max_reply_tokens: int):
    """Raises Misconfigured."""
    if slot.kind not in MODELS:
        raise Misconfigured(f"no model of kind {slot.kind!r}; there are {', '.join(MODELS)}")
    return MODELS[slot.kind](slot, max_reply_tokens)
