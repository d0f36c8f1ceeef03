"""A model whose every answer is written in the test, over real HTTP."""

import json
from collections.abc import Callable

from werkzeug import Request, Response

EMBEDDING_MODEL = "test-embedder"


def says(text: str) -> dict:
    return {"role": "assistant", "content": text}


def calls(tool: str, **arguments) -> dict:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    call = {"id": "call_1", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


class ScriptedModel:
    def __init__(self, httpserver):
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self._answers: list[dict | int] = []
        self._meanwhile = lambda: None
        self.resource = {
            "base_url": httpserver.url_for("/v1"),
            "api_key": "model-key",
            "model": "scripted",
            "embedding_model": EMBEDDING_MODEL,
        }
        httpserver.expect_request("/v1/chat/completions").respond_with_handler(self._complete)
        httpserver.expect_request("/v1/embeddings").respond_with_handler(self._embed)

    def will(self, *answers: dict | int) -> None:
        """Messages in order; a number is an HTTP status to fail with."""
        self._answers.extend(answers)

    def meanwhile(self, happen: Callable[[], object]) -> None:
        """Once, while the next answer is being thought about."""
        self._meanwhile = happen

    def _complete(self, request: Request) -> Response:
        self.requests.append(request.json)
        self.headers.append(dict(request.headers))
        happen, self._meanwhile = self._meanwhile, lambda: None
        happen()
        answer = self._answers.pop(0)
        if isinstance(answer, int):
            return Response("no", answer)
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        body = {"choices": [{"index": 0, "message": answer}], "usage": usage}
        return Response(json.dumps(body), content_type="application/json")

    def _embed(self, request: Request) -> Response:
        texts = request.json["input"]
        rows = [{"index": i, "embedding": [1.0, float(len(t))]} for i, t in enumerate(texts)]
        return Response(json.dumps({"data": rows}), content_type="application/json")
