"""A model without a network: an extractive answerer behind an OpenAI-compatible HTTP API."""

import base64
import hmac
import json
import time
import uuid
from dataclasses import dataclass

import numpy as np

from local.answerer import Said, answer
from local.embedder import load_embedder
from local.json_server import JsonServer, Reply, Request
from local.tokens import count_tokens, shortened

MODEL = "chatmill-offline"
LARGEST_PROMPT_TOKENS = 128_000
MOST_TEXTS = 2048


@dataclass
class Refusal(Exception):
    """Answered in the shape that OpenAI's clients understand."""

    status: int
    message: str
    parameter: str | None = None
    code: str | None = None

    def reply(self) -> Reply:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": self.message, "type": kind, "param": self.parameter, "code": self.code}
        return Reply(self.status, {"error": error})


class OfflineModel(JsonServer):
    """`.base_url` is what OPENAI_BASE_URL would be: it ends in /v1."""

    def __init__(self, api_key: str, port: int = 0, embedder=None):
        self._api_key = api_key
        self.embedder = embedder or load_embedder()
        super().__init__(self._answer, port)
        self.base_url += "/v1"

    @property
    def resource(self) -> dict:
        return {
            "base_url": self.base_url,
            "api_key": self._api_key,
            "model": MODEL,
            "embedding_model": self.embedder.name,
        }

    def _answer(self, request: Request) -> Reply:
        try:
            self._check_key(request)
            return Reply(200, self._route(request))
        except Refusal as refusal:
            return refusal.reply()

    def _check_key(self, request: Request) -> None:
        if not hmac.compare_digest(request.bearer.encode(), self._api_key.encode()):
            raise Refusal(401, "Incorrect API key provided.", code="invalid_api_key")

    def _route(self, request: Request) -> dict:
        route = (request.method, request.path.partition("?")[0])
        if route == ("GET", "/v1/models"):
            return models(self.embedder.name)
        if route == ("POST", "/v1/chat/completions"):
            return complete(self.embedder, body_of(request))
        if route == ("POST", "/v1/embeddings"):
            return embed(self.embedder, body_of(request))
        raise Refusal(404, f"Unknown request URL: {request.method} {request.path}.")


def body_of(request: Request) -> dict:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    return body


def models(embedding_model: str) -> dict:
    rows = [
        {"id": name, "object": "model", "created": 0, "owned_by": "chatmill"}
        for name in (MODEL, embedding_model)
    ]
    return {"object": "list", "data": rows}


def complete(embedder, body: dict) -> dict:
    messages = checked_messages(body)
    check_model(body, MODEL)
    if body.get("stream"):
        message = "The offline model does not stream; send the request without `stream`."
        raise Refusal(400, message, "stream", "unsupported_value")
    prompt_tokens = count_tokens(json.dumps([messages, body.get("tools")], ensure_ascii=False))
    if prompt_tokens > LARGEST_PROMPT_TOKENS:
        message = f"This model's maximum context length is {LARGEST_PROMPT_TOKENS} tokens."
        raise Refusal(400, message, "messages", "context_length_exceeded")
    said = answer(embedder, messages, body.get("tools") or [], body.get("tool_choice") or "auto")
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return completion(said, prompt_tokens, limit)


def checked_messages(body: dict) -> list[dict]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "`messages` must be a list of at least one message.", "messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or "role" not in message:
            raise Refusal(400, "A message needs a `role`.", f"messages[{index}].role")
    return messages


def check_model(body: dict, expected: str) -> None:
    if body.get("model") != expected:
        message = f"The model `{body.get('model')}` does not exist; this one is `{expected}`."
        raise Refusal(404, message, "model", "model_not_found")


def completion(said: Said, prompt_tokens: int, limit: int | None) -> dict:
    message: dict = {"role": "assistant", "content": said.text}
    finish_reason = "stop"
    if said.tool_calls:
        message["tool_calls"] = [
            {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": call}
            for call in said.tool_calls
        ]
        finish_reason = "tool_calls"
    elif limit and count_tokens(said.text) > limit:
        message["content"] = shortened(said.text, limit)
        finish_reason = "length"
    spoken = message["content"] or json.dumps(said.tool_calls)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage(prompt_tokens, count_tokens(spoken)),
    }


def usage(prompt_tokens: int, completion_tokens: int) -> dict:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def embed(embedder, body: dict) -> dict:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise Refusal(400, "`input` must be a text or a list of texts.", "input")
    if len(texts) > MOST_TEXTS:
        raise Refusal(400, f"`input` may hold {MOST_TEXTS} texts at most.", "input")
    check_model(body, embedder.name)
    rows = [
        {"object": "embedding", "index": index, "embedding": encoded(vector, body)}
        for index, vector in enumerate(embedder.embed(texts))
    ]
    tokens = sum(count_tokens(text) for text in texts)
    totals = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": embedder.name, "usage": totals}


def encoded(vector: np.ndarray, body: dict) -> list[float] | str:
    """OpenAI's own clients ask for base64."""
    if body.get("encoding_format") == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.astype(float).tolist()
