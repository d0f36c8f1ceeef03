"""The Windmill resources that steps take, as their forms show them."""

from typing import NotRequired, TypedDict


class postgresql(TypedDict):
    host: str
    port: int
    user: str
    password: str
    dbname: str
    sslmode: str


class c_model(TypedDict):
    base_url: str
    api_key: str
    model: str
    embedding_model: str
    rerank_url: NotRequired[str]
    rerank_model: NotRequired[str]
    rerank_key: NotRequired[str]
    transcription_model: NotRequired[str]
    sees_pictures: NotRequired[bool]
