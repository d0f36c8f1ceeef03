"""Text to vectors, by any endpoint that speaks OpenAI's form."""

import math

import f.shared.http as http
from f.shared.errors import DeliveryUnknown, UpstreamDown

MAX_TEXTS_PER_CALL = 64
TIMEOUT_SECONDS = 60


def embed(model: dict, texts: list[str]) -> list[list[float]]:
    """One vector for each text, in their order."""
    starts = range(0, len(texts), MAX_TEXTS_PER_CALL)
    batches = [texts[start : start + MAX_TEXTS_PER_CALL] for start in starts]
    return [vector for batch in batches for vector in embed_batch(model, batch)]


def embed_batch(model: dict, texts: list[str]) -> list[list[float]]:
    try:
        answer = http.request(
            "POST",
            f"{model['base_url'].rstrip('/')}/embeddings",
            headers={"authorization": f"Bearer {model['api_key']}"},
            json={"model": model["embedding_model"], "input": texts, "encoding_format": "float"},
            timeout_seconds=TIMEOUT_SECONDS,
        ).json()
    except DeliveryUnknown as exc:
        # Embedding twice changes nothing, so an unknown end may be retried.
        raise UpstreamDown(str(exc)) from exc
    return read_vectors(answer, len(texts))


def read_vectors(answer: object, wanted: int) -> list[list[float]]:
    try:
        items = sorted(answer["data"], key=lambda item: item["index"])
        vectors = [[float(number) for number in item["embedding"]] for item in items]
    except (KeyError, TypeError, ValueError) as exc:
        raise UpstreamDown("the embeddings endpoint answered in another form") from exc
    if [item["index"] for item in items] != list(range(wanted)):
        raise UpstreamDown(f"the embeddings endpoint gave {len(items)} vectors for {wanted} texts")
    numbers = (number for vector in vectors for number in vector)
    if not all(map(math.isfinite, numbers)) or len(set(map(len, vectors))) > 1:
        raise UpstreamDown("the embeddings endpoint gave vectors that cannot be compared")
    return vectors
