"""A model behind any OpenAI-compatible chat completions endpoint.

Plain HTTP: `import openai` alone would cost every step half a second.
https://platform.openai.com/docs/api-reference/chat/create
"""

from dataclasses import dataclass
from functools import partial

from f.agent.deadline import Deadline, within
from f.shared.errors import (
    AgentStuck,
    DeliveryUnknown,
    Misconfigured,
    UpstreamDown,
    UpstreamRefused,
)
from f.shared.http import request
from f.shared.resources import c_model
from f.shared.text import storable

TIMEOUT_SECONDS = 40
MOST_TEXT_CHARACTERS = 50_000


@dataclass(frozen=True)
class Completion:
    message: dict
    input_tokens: int
    output_tokens: int
    is_estimated: bool = False  # the provider told no usage

    @property
    def text(self) -> str:
        return self.message.get("content") or ""

    @property
    def tool_calls(self) -> list[dict]:
        return self.message.get("tool_calls") or []


class OpenAIModel:
    def __init__(self, model: c_model, max_reply_tokens: int, deadline: Deadline):
        self._model = model
        self._deadline = deadline
        self.name = model["model"]
        self.max_reply_tokens = max_reply_tokens

    def complete(self, messages: list[dict], schemas: list[dict]) -> Completion:
        """Raises UpstreamDown, UpstreamBusy, UpstreamRefused, Misconfigured (401, 403, 404)."""
        answer = self._post(
            {
                "model": self.name,
                "messages": messages,
                "max_completion_tokens": self.max_reply_tokens,
                **({"tools": schemas} if schemas else {}),
            }
        )
        return _completion(answer, messages)

    def _post(self, body: dict) -> dict:
        url = self._model["base_url"].rstrip("/") + "/chat/completions"
        headers = {"authorization": f"Bearer {self._model['api_key']}"}
        seconds = min(TIMEOUT_SECONDS, self._deadline.seconds_left)
        if not seconds:
            raise AgentStuck("the turn has no time left")
        send = partial(request, "POST", url, headers, json=body, timeout_seconds=seconds)
        try:
            return within(seconds, send).json()
        except DeliveryUnknown as error:
            raise UpstreamDown("the model gave no whole answer") from error
        except UpstreamRefused as error:
            if error.status in (401, 403, 404):
                raise Misconfigured(
                    f"the model answered {error.status}: check f/chat/model"
                ) from error
            raise


# No context is as long: a larger number is no count.
MOST_TOKENS = 10_000_000
CHARACTERS_PER_TOKEN = 3


def _completion(answer: dict, messages: list[dict]) -> Completion:
    try:
        message = answer["choices"][0]["message"]
        usage = answer.get("usage") or {}
        text = message.get("content")
        calls = [_call(*one) for one in enumerate(message.get("tool_calls") or [])]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UpstreamDown("the model's answer has no message") from error
    # Only what the next call needs: some endpoints refuse their own extra fields.
    kept = {
        "role": "assistant",
        "content": text[:MOST_TEXT_CHARACTERS] if isinstance(text, str) else None,
        **({"tool_calls": calls} if calls else {}),
    }
    told = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    is_told = all(isinstance(n, int) and 0 <= n <= MOST_TOKENS for n in told)
    guessed = (len(str(messages)) // CHARACTERS_PER_TOKEN, len(str(kept)) // CHARACTERS_PER_TOKEN)
    return Completion(storable(kept), *(told if is_told else guessed), is_estimated=not is_told)


def _call(number: int, call: dict) -> dict:
    """In the one form that the loop relies on; Google's needs its own extra field back."""
    function = call["function"]
    return {
        "id": str(call.get("id") or f"call_{number}"),
        "type": "function",
        "function": {
            "name": str(function["name"]),
            "arguments": str(function.get("arguments") or "{}"),
        },
        **({"extra_content": call["extra_content"]} if "extra_content" in call else {}),
    }
