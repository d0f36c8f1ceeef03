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


def embed_means(model: dict, texts: list[list[str]]) -> list[list[float]]:
    """One vector of unit length for each list of texts: the mean of theirs. A text that stands in
    many lists is embedded once."""
    distinct = list(dict.fromkeys(text for several in texts for text in several))
    vectors = dict(zip(distinct, map(of_unit_length, embed(model, distinct)), strict=True))
    return [mean([vectors[text] for text in several]) for several in texts]


def mean(vectors: list[list[float]]) -> list[float]:
    if len(vectors) == 1:
        return vectors[0]
    return of_unit_length([sum(numbers) for numbers in zip(*vectors, strict=True)])


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


def of_unit_length(vector: list[float]) -> list[float]:
    """So that an inner product is a cosine; a vector of zeros stays what it is."""
    length = math.sqrt(sum(number * number for number in vector))
    return [number / length for number in vector] if length else list(vector)
