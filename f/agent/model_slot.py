"""The models that may answer for a chatbot, in the order in which this turn asks them."""

import hashlib
import importlib
import math
from dataclasses import dataclass, field

from f.shared.crypto import open_sealed
from f.shared.errors import Misconfigured
from f.shared.resources import c_model

READ = """
select id::text, kind, model, base_url, sealed_key, tier, weight, sees_pictures from model_slots
 where chatbot_id = %s and purpose = %s and is_active
"""

# Which wire format a model speaks: one line for each, imported when a slot speaks it.
MODELS = {
    "anthropic": ("f.agent.anthropic_model", "AnthropicModel"),
    "google": ("f.agent.google_model", "GoogleModel"),
    "openai": ("f.agent.openai_model", "OpenAIModel"),
}


@dataclass(frozen=True)
class ModelSlot:
    slot_id: str
    kind: str
    model: str
    base_url: str | None
    key: str = field(repr=False)  # an error that quotes the slot must not quote the key
    tier: int = 0
    weight: int = 1
    sees_pictures: bool | None = None

    @property
    def provider_key(self) -> str:
        """Equal for slots that fail together: same address, same key."""
        named = "\n".join([self.kind, self.base_url or "", self.key])
        return hashlib.sha256(named.encode()).hexdigest()[:16]


def model_of(slot: ModelSlot, max_reply_tokens: int):
    """Raises Misconfigured."""
    if slot.kind not in MODELS:
        raise Misconfigured(f"no model of kind {slot.kind!r}; there are {', '.join(MODELS)}")
    module, name = MODELS[slot.kind]
    return getattr(importlib.import_module(module), name)(slot, max_reply_tokens)


def slots_of(
    conn, chatbot_id: str, installation: c_model, economy_model: str | None, sealing_key: str
) -> list[ModelSlot]:
    """The chatbot's own, or the installation's one. `economy_model`: set when the plan is nearly
    used up; an economy slot, where there is one, goes before its name."""
    own = _read(conn, chatbot_id, "economy", sealing_key) if economy_model else []
    own = own or _read(conn, chatbot_id, "usual", sealing_key)
    if own:
        return own
    model = economy_model or installation["model"]
    base_url, key = installation["base_url"], installation["api_key"]
    sees = installation.get("sees_pictures")
    return [ModelSlot("installation", "openai", model, base_url, key, sees_pictures=sees)]


def transcription_slot(
    conn, chatbot_id: str, installation: c_model, sealing_key: str
) -> ModelSlot | None:
    """What hears voice messages: the chatbot's own, or the installation's; None: nobody does."""
    own = _read(conn, chatbot_id, "transcription", sealing_key)
    model = installation.get("transcription_model")
    if own or not model:
        return own[0] if own else None
    base_url, key = installation["base_url"], installation["api_key"]
    return ModelSlot("installation", "openai", model, base_url, key)


def in_order(slots: list[ModelSlot], turn_id: str) -> list[ModelSlot]:
    """By tier, and within one drawn by weight.

    Drawn from the turn's id, so each slot gets its share without a counter that every turn would
    have to write, and a turn that is taken up again begins where it began. Weighted rendezvous
    hashing (Schindelhauer and Schomaker 2005).
    """
    return sorted(slots, key=lambda slot: (slot.tier, _draw(slot, turn_id)))


def _draw(slot: ModelSlot, turn_id: str) -> float:
    digest = hashlib.sha256(f"{turn_id}:{slot.slot_id}".encode()).digest()
    share = (int.from_bytes(digest[:7], "big") + 1) / (2**56 + 1)
    return -math.log(share) / slot.weight


def _read(conn, chatbot_id: str, purpose: str, sealing_key: str) -> list[ModelSlot]:
    with conn.cursor() as cursor:
        cursor.execute(READ, (chatbot_id, purpose))
        rows = cursor.fetchall()
    return [
        ModelSlot(slot_id, kind, model, base_url, _opened(sealing_key, slot_id, sealed), *rest)
        for slot_id, kind, model, base_url, sealed, *rest in rows
    ]


def sealing_place(slot_id: str) -> str:
    return f"model_slots.sealed_key:{slot_id}"


def _opened(sealing_key: str, slot_id: str, sealed: str | None) -> str:
    return open_sealed(sealing_key, sealed, sealing_place(slot_id)) if sealed else ""
