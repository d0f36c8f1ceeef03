"""Which model answers: the offline one, or a real one when OPENAI_API_KEY is set."""

import os
import secrets
from contextlib import contextmanager

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1-mini"
DEFAULT_EMBEDDING_MODEL = "text-embedding-3-small"


@contextmanager
def open_model():
    """The resource f/chat/model, for as long as the model is needed."""
    if os.environ.get("OPENAI_API_KEY"):
        yield real_model(os.environ)
        return
    from local.offline_model import OfflineModel

    with OfflineModel(secrets.token_hex(16)) as model:
        yield {**model.resource, **reranker(os.environ)}


def real_model(environment) -> dict:
    return {
        "base_url": environment.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL,
        "api_key": environment["OPENAI_API_KEY"],
        "model": environment.get("OPENAI_MODEL") or DEFAULT_MODEL,
        "embedding_model": environment.get("OPENAI_EMBEDDING_MODEL") or DEFAULT_EMBEDDING_MODEL,
        **reranker(environment),
        "transcription_model": environment.get("OPENAI_TRANSCRIPTION_MODEL") or "",
    }


def reranker(environment) -> dict:
    """A /rerank endpoint, for those who have one."""
    if not environment.get("RERANK_URL"):
        return {}
    names = ("rerank_url", "rerank_model", "rerank_key")
    return {name: environment.get(name.upper()) or "" for name in names}


def described(model: dict) -> str:
    if "127.0.0.1" in model["base_url"] and model["model"] == "chatmill-offline":
        embedder = {"hashing-384": "hashed words: the model is not installed"}
        return f"offline model ({embedder.get(model['embedding_model'], 'MiniLM')})"
    return f"{model['model']} at {model['base_url']}"
