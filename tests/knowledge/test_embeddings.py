"""Texts become vectors in their order, by OpenAI's form of the call."""

import json

import pytest

from f.knowledge.embeddings import embed
from f.shared.errors import UpstreamBusy, UpstreamDown, UpstreamRefused

MODEL = {"api_key": "the-key", "model": "none", "embedding_model": "small"}


@pytest.fixture
def scripted_model(httpserver):
    """scripted_model(answer, status) -> the resource of an endpoint that always says this."""

    def make(answer: object, status: int = 200) -> dict:
        request = httpserver.expect_request("/v1/embeddings")
        request.respond_with_data(json.dumps(answer), status=status)
        return {**MODEL, "base_url": httpserver.url_for("/v1")}

    return make


def test_vectors_come_in_the_order_of_the_texts(scripted_model):
    model = scripted_model(
        {"data": [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [1, 0]}]}
    )

    assert embed(model, ["first", "second"]) == [[1.0, 0.0], [0.0, 2.0]]


def test_the_call_names_model_and_key(httpserver, scripted_model):
    embed(scripted_model({"data": [{"index": 0, "embedding": [1]}]}), ["hello"])

    (request, _) = httpserver.log[0]
    assert request.headers["authorization"] == "Bearer the-key"
    assert request.json == {"model": "small", "input": ["hello"], "encoding_format": "float"}


def test_many_texts_go_in_calls_of_64(httpserver, model):
    vectors = embed(model, [f"text {number}" for number in range(130)])

    assert len(vectors) == 130
    assert [len(request.json["input"]) for request, _ in httpserver.log] == [64, 64, 2]


def test_no_texts_need_no_call(httpserver, model):
    assert embed(model, []) == []
    assert httpserver.log == []


@pytest.mark.parametrize(
    "status, error", [(500, UpstreamDown), (429, UpstreamBusy), (401, UpstreamRefused)]
)
def test_an_endpoint_that_fails_raises_its_class(scripted_model, status, error):
    with pytest.raises(error):
        embed(scripted_model({}, status), ["hello"])


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"error": "no"},
        {"data": []},
        {"data": [{"index": 0, "embedding": ["a"]}, {"index": 1, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]},
        {"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [float("nan")]}]},
    ],
    ids=["a list", "an error", "none", "words", "one twice", "two lengths", "not a number"],
)
def test_an_answer_in_another_form_may_be_tried_again(scripted_model, answer):
    with pytest.raises(UpstreamDown):
        embed(scripted_model(answer), ["first", "second"])
