"""A model behind any OpenAI-compatible chat completions endpoint.

Plain HTTP: `import openai` alone would cost every step half a second.
https://platform.openai.com/docs/api-reference/chat/create
"""

from dataclasses import dataclass

from f.shared.errors import DeliveryUnknown, Misconfigured, UpstreamDown, UpstreamRefused
from f.shared.http import request
from f.shared.resources import c_model
from f.shared.text import storable

TIMEOUT_SECONDS = 40


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
    def __init__(self, model: c_model, max_reply_tokens: int):
        self._model = model
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
        try:
            return request("POST", url, headers, json=body, timeout_seconds=TIMEOUT_SECONDS).json()
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
        # Only what the next call needs: some endpoints refuse their own extra fields.
        kept = {key: message[key] for key in ("role", "content", "tool_calls") if message.get(key)}
        told = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
        is_told = all(isinstance(n, int) and 0 <= n <= MOST_TOKENS for n in told)
        guessed = (
            len(str(messages)) // CHARACTERS_PER_TOKEN,
            len(str(kept)) // CHARACTERS_PER_TOKEN,
        )
        message = storable({"role": "assistant", "content": None, **kept})
        return Completion(message, *(told if is_told else guessed), is_estimated=not is_told)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UpstreamDown("the model's answer has no message") from error
