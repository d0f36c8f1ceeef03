"""A reranker betters a search where there is one, and is never in its way."""

import pytest
from werkzeug import Response

import f.knowledge.rerank as rerank
from f.agent.knowledge_tool import KnowledgeTool
from f.shared.db import connect
from local.models import real_model
from tests.knowledge.reranker import Reranker

ANIMALS = {f"The {name} lives in the zoo.": [1.0, place / 100] for place, name in enumerate(
    ("ape", "bear", "cat", "dog", "eel", "fox", "goat", "hare"))}  # fmt: skip


@pytest.fixture
def reranker(httpserver):
    return Reranker(httpserver, likes="hare")


@pytest.fixture
def look_up(owner, model, organization_id, add_document, monkeypatch):
    """look_up(reranker's resource) -> (what the model reads, what the receipt keeps)"""
    monkeypatch.setattr("f.agent.knowledge_search.embed", lambda model, texts: [[1.0, 0.0]])
    add_document(organization_id, "zoo", ANIMALS)

    def run(resource: dict) -> tuple[str, dict]:
        tool = KnowledgeTool(lambda: connect(owner), {**model, **resource}, organization_id)
        return tool.run({"query": "Who lives there?"})

    return run


def test_the_passage_that_the_reranker_puts_first_is_first(look_up, reranker):
    assert "hare" not in look_up({})[0]

    told, kept = look_up(reranker.resource)

    assert told.index("hare") < told.index("ape")
    assert len(kept["passages"]) == 5
    assert kept["rerank"] == {"model": "rerank-v3.5", "search_units": 1}
    assert len(reranker.requests[0]["documents"]) == len(ANIMALS)


@pytest.mark.parametrize(
    "answer",
    [
        Response("busy", 429),
        Response("broken", 500),
        Response("no JSON"),
        Response("[]", content_type="application/json"),
        Response('{"results": [{"index": 99, "relevance_score": 1}]}'),
        Response('{"results": [{"index": 0}]}'),
        Response('{"results": [{"index": 0.0, "relevance_score": 1}]}'),
        Response('{"results": [{"index": [0], "relevance_score": 1}]}'),
    ],
    ids=[
        *("busy", "broken", "no JSON", "another form", "an unknown document", "no score"),
        *("a place that is no number", "a place that is a list"),
    ],
)
def test_a_reranker_that_fails_leaves_the_order_of_the_search(look_up, reranker, answer):
    expected, _ = look_up({})
    reranker.answer_with = answer

    told, kept = look_up(reranker.resource)

    assert told == expected
    assert set(kept["rerank"]) == {"model", "error"}


def test_a_reranker_that_hangs_or_is_gone_leaves_it_too(look_up, reranker, httpserver, monkeypatch):
    expected, _ = look_up({})
    monkeypatch.setattr(rerank, "TIMEOUT_SECONDS", 0.2)
    hanging = {"rerank_url": httpserver.url_for("/hangs"), "rerank_model": "m"}
    httpserver.expect_request("/hangs").respond_with_handler(lambda _: reranker.wait())
    gone = {"rerank_url": "http://127.0.0.1:9/rerank", "rerank_model": "m"}

    assert [look_up(one)[0] for one in (hanging, gone)] == [expected, expected]


def test_what_the_reranker_says_of_its_price_in_another_form_is_left_out(look_up, reranker):
    results = '"results": [{"index": 0, "relevance_score": 1}]'
    reranker.answer_with = Response(f'{{{results}, "meta": "none", "usage": [1]}}')

    _, kept = look_up(reranker.resource)

    assert kept["rerank"] == {"model": "rerank-v3.5"}


@pytest.mark.parametrize(
    ("setting", "error"),
    [("rerank_url", "Misconfigured"), ("rerank_model", "UpstreamRefused")],
)
def test_a_half_configured_reranker_leaves_it_too(look_up, reranker, setting, error):
    expected, _ = look_up({})
    half = {**reranker.resource, "rerank_url": "rerank.example.com/v2/rerank"}
    if setting == "rerank_model":
        half = {name: reranker.resource[name] for name in ("rerank_url", "rerank_key")}

    told, kept = look_up(half)

    assert told == expected
    assert kept["rerank"]["error"] == error


def test_a_wrong_key_or_model_is_told_in_the_receipt(look_up, reranker):
    _, wrong_key = look_up({**reranker.resource, "rerank_key": "x"})
    _, wrong_model = look_up({**reranker.resource, "rerank_model": "x"})

    assert wrong_key["rerank"]["error"] == wrong_model["rerank"]["error"] == "UpstreamRefused"


def test_an_installation_names_its_reranker_in_the_environment():
    key = {"OPENAI_API_KEY": "k"}
    named = {"RERANK_URL": "https://rerank.example.com/v2/rerank", "RERANK_MODEL": "m"}

    assert rerank.wanted(real_model(key), 5) == 5
    assert rerank.wanted(real_model({**key, **named}), 5) == rerank.CANDIDATES
