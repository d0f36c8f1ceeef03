"""A stand-in for a /rerank endpoint that checks what Cohere and Jina check."""

import json
import time

from werkzeug import Request, Response

FIELDS = {"model", "query", "documents", "top_n", "return_documents", "max_tokens_per_doc"}
MODELS = ("rerank-v3.5",)
MAX_DOCUMENTS = 1000


class Reranker:
    """Puts documents first that hold `likes`. `answer_with`: what to answer instead."""

    def __init__(self, httpserver, likes: str = ""):
        self.likes = likes
        self.answer_with: Response | None = None
        self.requests: list[dict] = []
        self.resource = {
            "rerank_url": httpserver.url_for("/v2/rerank"),
            "rerank_model": MODELS[0],
            "rerank_key": "rerank-key",
        }
        httpserver.expect_request("/v2/rerank", method="POST").respond_with_handler(self._answer)

    def wait(self) -> Response:
        """Longer than anybody waits who is in a hurry."""
        time.sleep(0.5)
        return Response("late")

    def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer rerank-key":
            return refusal(401, "no valid api key supplied")
        asked = request.get_json()
        self.requests.append(asked)
        problem = problem_of(asked)
        if problem:
            return refusal(422, problem)
        if asked["model"] not in MODELS:
            return refusal(404, f"model '{asked['model']}' not found")
        return self.answer_with or self._ranked(asked)

    def _ranked(self, asked: dict) -> Response:
        documents = asked["documents"]
        scores = {place: 0.9 * (self.likes in text) for place, text in enumerate(documents)}
        best = sorted(scores, key=lambda place: -scores[place])[: asked["top_n"]]
        results = [{"index": place, "relevance_score": scores[place]} for place in best]
        body = {"results": results, "meta": {"billed_units": {"search_units": 1}}}
        return Response(json.dumps(body), content_type="application/json")


def problem_of(asked: dict) -> str | None:
    documents = asked.get("documents")
    if set(asked) - FIELDS:
        return f"unknown field: {min(set(asked) - FIELDS)}"
    if not isinstance(asked.get("query"), str) or not asked["query"].strip():
        return "query must not be empty"
    if not isinstance(documents, list) or not 1 <= len(documents) <= MAX_DOCUMENTS:
        return "documents must be a list of 1 to 1000"
    if not all(isinstance(one, str) and one.strip() for one in documents):
        return "documents must not be empty strings"
    if not 1 <= asked.get("top_n", 1) <= len(documents):
        return "top_n must be between 1 and the number of documents"
    return None


def refusal(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status, content_type="application/json")
