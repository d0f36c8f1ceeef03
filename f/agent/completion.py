"""One answer of a model, in the form of OpenAI's chat completions, whoever gave it.

https://platform.openai.com/docs/api-reference/chat/object
"""

from dataclasses import dataclass

from f.shared.text import storable

# No context is as long: a larger number is no count.
MOST_TOKENS = 10_000_000
MOST_TEXT_CHARACTERS = 50_000
# Tokens are at least three characters long in all but a few scripts.
CHARACTERS_PER_TOKEN = 3


@dataclass(frozen=True)
class Completion:
    message: dict
    input_tokens: int
    output_tokens: int
    is_estimated: bool = False  # the vendor told no usage
    model: str = ""

    @property
    def text(self) -> str:
        return self.message.get("content") or ""

    @property
    def tool_calls(self) -> list[dict]:
        return self.message.get("tool_calls") or []


def completion(
    model: str, messages: list[dict], text: object, calls: list[dict], usage: tuple
) -> Completion:
    """`usage`: tokens read and written, as told; where that is no count it is estimated."""
    kept = {
        "role": "assistant",
        "content": text[:MOST_TEXT_CHARACTERS] if isinstance(text, str) else None,
        **({"tool_calls": calls} if calls else {}),
    }
    is_told = all(type(count) is int and 0 <= count <= MOST_TOKENS for count in usage)
    guessed = (len(str(messages)) // CHARACTERS_PER_TOKEN, len(str(kept)) // CHARACTERS_PER_TOKEN)
    return Completion(storable(kept), *(usage if is_told else guessed), not is_told, model)


def tool_call(number: int, name: object, arguments: object, call_id: object) -> dict:
    """In the one form that the loop relies on."""
    function = {"name": str(name), "arguments": str(arguments or "{}")}
    return {"id": str(call_id or f"call_{number}"), "type": "function", "function": function}
