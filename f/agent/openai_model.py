"""A model behind any OpenAI-compatible chat completions endpoint.

https://platform.openai.com/docs/api-reference/chat/create
"""

import re
from urllib.parse import urlsplit

from f.agent.completion import Completion, completion, tool_call
from f.agent.contact_files import sees, without_pictures
from f.agent.model_http import post
from f.agent.model_slot import ModelSlot
from f.shared.errors import UpstreamDown

# The limit of a reply has two names. OpenAI's own models of thought refuse the older one; of others
# some refuse the newer one (Mistral), some pass over it (Ollama), and then nothing limits a reply.
NEW_LIMIT, OLD_LIMIT = "max_completion_tokens", "max_tokens"
OPENAIS_HOST = re.compile(r"(?:.+\.)?(?:openai|openai\.azure)\.com")
MODEL_OF_THOUGHT = re.compile(r"(?:.*/)?(?:o\d|gpt-5)", re.I)


class OpenAIModel:
    default_url = "https://api.openai.com/v1"
    # Fields beside a tool call that this vendor wants back; others refuse a field they don't know.
    wanted_back: tuple[str, ...] = ()

    def __init__(self, slot: ModelSlot, max_reply_tokens: int):
        self._slot = slot
        self._max_reply_tokens = max_reply_tokens

    def complete(self, messages: list[dict], schemas: list[dict], seconds: float) -> Completion:
        """Raises what model_http.post does."""
        body = {
            "model": self._slot.model,
            "messages": [self._sent(message) for message in messages],
            self._limit_name(): self._max_reply_tokens,
            **({"tools": schemas} if schemas else {}),
        }
        url = f"{self._base_url}/chat/completions"
        answer = post(url, {"authorization": f"Bearer {self._slot.key}"}, body, seconds)
        return self._read(answer, messages)

    @property
    def _base_url(self) -> str:
        return (self._slot.base_url or self.default_url).rstrip("/")

    def _limit_name(self) -> str:
        is_openais = OPENAIS_HOST.fullmatch(urlsplit(self._base_url).hostname or "")
        is_new = is_openais or MODEL_OF_THOUGHT.match(self._slot.model)
        return NEW_LIMIT if is_new else OLD_LIMIT

    def _read(self, answer: dict, messages: list[dict]) -> Completion:
        try:
            message = answer["choices"][0]["message"]
            usage = answer.get("usage") or {}
            told = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
            calls = [self._call(*one) for one in enumerate(message.get("tool_calls") or [])]
            return completion(self._slot.model, messages, message.get("content"), calls, told)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise UpstreamDown("the model's answer has no message") from error

    def _call(self, number: int, call: dict) -> dict:
        function = call["function"]
        own = {name: call[name] for name in self.wanted_back if name in call}
        called = tool_call(number, function["name"], function.get("arguments"), call.get("id"))
        return {**called, **own}

    def _sent(self, message: dict) -> dict:
        if not sees(self._slot):
            message = without_pictures(message)
        elif "pictures" in message:
            return {"role": message["role"], "content": _parts(message)}
        calls = message.get("tool_calls")
        if not calls:
            return message
        kept = {"id", "type", "function", *self.wanted_back}
        calls = [{name: call[name] for name in call if name in kept} for call in calls]
        return {**message, "tool_calls": calls}


def _parts(message: dict) -> list[dict]:
    pictures = [
        {"type": "image_url", "image_url": {"url": f"data:{one.media_type};base64,{one.base64}"}}
        for one in message["pictures"]
    ]
    return [{"type": "text", "text": message["content"]}, *pictures]
