"""Pictures beside a message's words, for models that see.

In a message they are `pictures`, a list of Picture, which each model writes in its vendor's form.
"""

import base64
import re
from dataclasses import dataclass, field

from f.agent.model_slot import ModelSlot

# About what vendors count for one that fills their largest frame.
TOKENS = 1_600
NOT_SHOWN = "(The customer sent a picture that you cannot see: say so.)"
SEEING = re.compile(
    r"claude|gemini|gpt-4o|gpt-4\.1|gpt-5|chatgpt-4o|\bo[134]\b|pixtral|llava|llama-?4|vision|"
    r"qwen[\d.]*-?vl|gemma-?3|mistral-(?:small|medium)-?3|-vl\b",
    re.I,
)


@dataclass(frozen=True)
class Picture:
    media_type: str
    content: bytes = field(repr=False)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.content).decode()


def sees(slot: ModelSlot) -> bool:
    """As its row says, else by its name: no vendor's API tells."""
    return bool(SEEING.search(slot.model)) if slot.sees_pictures is None else slot.sees_pictures


def without_pictures(message: dict) -> dict:
    """For a model that sees none: it is told that there was one."""
    if "pictures" not in message:
        return message
    words = {name: one for name, one in message.items() if name != "pictures"}
    return words | {"content": f"{message['content']}\n{NOT_SHOWN}"}


def tokens_of_pictures(messages: list[dict]) -> int:
    return TOKENS * sum(len(message.get("pictures", ())) for message in messages)
