"""Claude, through Anthropic's own Messages API.

Native, because Anthropic calls its OpenAI-compatible endpoint a way to test models and not to run
them: it ignores parts of a tool's definition and tells less of the usage.
https://docs.claude.com/en/api/messages
"""

import json

from f.agent.completion import Completion, completion, tool_call
from f.agent.contact_files import Picture, sees, without_pictures
from f.agent.model_http import post
from f.agent.model_slot import ModelSlot
from f.shared.errors import UpstreamDown

VERSION = "2023-06-01"
# The vendor refuses empty text.
NO_TEXT = "…"
USAGE_READ = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class AnthropicModel:
    default_url = "https://api.anthropic.com/v1"

    def __init__(self, slot: ModelSlot, max_reply_tokens: int):
        self._slot = slot
        self._max_reply_tokens = max_reply_tokens

    def complete(self, messages: list[dict], schemas: list[dict], seconds: float) -> Completion:
        """Raises what model_http.post does."""
        system = "\n\n".join(one["content"] for one in messages if one["role"] == "system")
        body = {
            "model": self._slot.model,
            "max_tokens": self._max_reply_tokens,
            "system": system or NO_TEXT,
            "messages": _conversation(messages if sees(self._slot) else _blind(messages)),
            **_tools(messages, schemas),
        }
        url = (self._slot.base_url or self.default_url).rstrip("/") + "/messages"
        headers = {"x-api-key": self._slot.key, "anthropic-version": VERSION}
        return self._read(post(url, headers, body, seconds), messages)

    def _read(self, answer: dict, messages: list[dict]) -> Completion:
        try:
            blocks = answer["content"]
            text = "".join(block["text"] for block in blocks if block["type"] == "text")
            used = [block for block in blocks if block["type"] == "tool_use"]
            calls = [
                tool_call(number, one["name"], json.dumps(one["input"]), one["id"])
                for number, one in enumerate(used)
            ]
            usage = answer.get("usage") or {}
            read = sum(usage.get(name) or 0 for name in USAGE_READ) if usage else None
            told = (read, usage.get("output_tokens"))
            return completion(self._slot.model, messages, text, calls, told)
        except (KeyError, TypeError, AttributeError) as error:
            raise UpstreamDown("the model's answer has no content") from error


def _blind(messages: list[dict]) -> list[dict]:
    return [without_pictures(message) for message in messages]


def _conversation(messages: list[dict]) -> list[dict]:
    """Roles take turns and a user's comes first, as the vendor demands."""
    turns: list[dict] = [{"role": "user", "content": []}]
    for message in messages:
        if message["role"] == "system":
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        if turns[-1]["role"] != role:
            turns.append({"role": role, "content": []})
        turns[-1]["content"] += _blocks(message)
    if not turns[0]["content"]:
        turns[0]["content"] = [{"type": "text", "text": NO_TEXT}]
    return turns


def _blocks(message: dict) -> list[dict]:
    if message["role"] == "tool":
        content = message["content"] or NO_TEXT
        return [{"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": content}]
    calls = [
        {
            "type": "tool_use",
            "id": call["id"],
            "name": call["function"]["name"],
            "input": _object(call["function"]["arguments"]),
        }
        for call in message.get("tool_calls") or []
    ]
    text = (message.get("content") or "").strip()
    said = [{"type": "text", "text": text or NO_TEXT}] * bool(text or not calls)
    return [*map(_picture, message.get("pictures", ())), *said, *calls]


def _picture(picture: Picture) -> dict:
    source = {"type": "base64", "media_type": picture.media_type, "data": picture.base64}
    return {"type": "image", "source": source}


def _object(arguments: str) -> dict:
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _tools(messages: list[dict], schemas: list[dict]) -> dict:
    """The vendor wants every tool of the conversation defined, also when none may be called."""
    if schemas:
        functions = [schema["function"] for schema in schemas]
        return {
            "tools": [
                {
                    "name": function["name"],
                    "description": function["description"],
                    "input_schema": function["parameters"],
                }
                for function in functions
            ]
        }
    calls = [call for one in messages for call in one.get("tool_calls") or []]
    names = dict.fromkeys(call["function"]["name"] for call in calls)
    if not names:
        return {}
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in names]
    return {"tools": tools, "tool_choice": {"type": "none"}}
