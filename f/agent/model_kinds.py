"""Which wire format a model speaks: one line for each, imported when a slot speaks it."""

import importlib

from f.agent.model_slot import ModelSlot
from f.shared.errors import Misconfigured

MODELS = {
    "anthropic": ("f.agent.anthropic_model", "AnthropicModel"),
    "google": ("f.agent.google_model", "GoogleModel"),
    "openai": ("f.agent.openai_model", "OpenAIModel"),
}


def model_of(slot: ModelSlot, max_reply_tokens: int):
    """Raises Misconfigured."""
    if slot.kind not in MODELS:
        raise Misconfigured(f"no model of kind {slot.kind!r}; there are {', '.join(MODELS)}")
    module, name = MODELS[slot.kind]
    return getattr(importlib.import_module(module), name)(slot, max_reply_tokens)
