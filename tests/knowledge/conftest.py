"""Organizations with documents in them, an endpoint that embeds, and commands on both."""

import json
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from werkzeug import Response

import f.knowledge.learn_from_turns as learn_from_turns
from bench.knowledge_base import publish
from f.knowledge import store
from f.knowledge.chunks import Chunk
from local import question_facts, sources
from local.hashing_embedder import HashingEmbedder
from local.workspace import checked_workspace
from runner.engine import Engine
from tests.conftest import ORGANIZATION_ID


@pytest.fixture
def make_organization(query):
    """make_organization() -> its id; it has no documents."""

    def make() -> str:
        text = (
            "insert into organizations (plan_id, name) values ('demo', 'Other') returning id::text"
        )
        return query(text)[0][0]

    return make


@pytest.fixture
def organization_id(make_organization) -> str:
    return make_organization()


@pytest.fixture
def add_document(conn):
    """add_document(organization_id, name, {text: vector}) -> document id, as ingestion would."""

    def add(organization_id, name, texts: dict[str, list[float]], embedding_model="model-a"):
        source_id = store.add_source(conn, organization_id, name, " ".join(texts).encode())
        chunks = [Chunk(place, [name], None, text) for place, text in enumerate(texts)]
        vectors = list(texts.values())
        return publish(conn, organization_id, source_id, name, chunks, vectors, embedding_model)

    return add


@pytest.fixture
def embedded() -> list[str]:
    """Every text that the model was asked to embed."""
    return []


@pytest.fixture
def model(httpserver, embedded) -> dict:
    """The resource of an endpoint that embeds by hashing."""
    embedder = HashingEmbedder()

    def answer(request):
        texts = json.loads(request.data)["input"]
        embedded.extend(texts)
        data = [
            {"index": place, "embedding": vector.tolist()}
            for place, vector in enumerate(embedder.embed(texts))
        ]
        return Response(json.dumps({"data": data}), content_type="application/json")

    httpserver.expect_request("/v1/embeddings", method="POST").respond_with_handler(answer)
    return {
        "base_url": httpserver.url_for("/v1"),
        "api_key": "the-key",
        "model": "none",
        "embedding_model": embedder.name,
    }


@pytest.fixture
def installed(owner, model, monkeypatch):
    """Commands about sources and questions work on this database and with this model."""

    @contextmanager
    def database():
        yield owner

    @contextmanager
    def ready(options):
        yield owner, model

    monkeypatch.setattr(sources, "database", database)
    monkeypatch.setattr(sources, "ready", ready)


@pytest.fixture
def ingest(knowledge_database, model):
    """ingest(source_id) -> what the flow says of it."""
    resources = {"f/knowledge/knowledge_database": knowledge_database, "f/chat/model": model}
    engine = Engine(checked_workspace(), resources=resources, worker_threads=4)
    engine.start()

    def run(source_id: str) -> dict:
        events = []
        args = {"source_id": source_id}
        outcome = engine.run("f/knowledge/ingest_source", args, listener=events.append)
        assert outcome.status == "success", [one.result for one in events]
        return outcome.result

    yield run
    engine.stop(1)


@pytest.fixture
def ask_in_vain(query, arrive):
    """ask_in_vain(text, contact) -> conversation id; a turn that the documents could not answer."""

    def run(text: str, contact: str) -> str:
        _, conversation_id, _ = arrive(text, contact_key=contact)
        ((turn_id,),) = query(
            "insert into turns (organization_id, conversation_id, arrivals_seen, state, outcome,"
            " answered_at, sent_at, saved_at, charged_at)"
            " values (%s, %s, 0, 'finished', 'reply', now(), now(), now(), now()) returning id",
            ORGANIZATION_ID,
            conversation_id,
        )
        query("update inbound_messages set turn_id = %s where turn_id is null", turn_id)
        query("""update turns set receipt = '{"is_unanswered": true}' where id = %s""", turn_id)
        return conversation_id

    return run


@pytest.fixture
def teammate(query):
    """teammate(conversation id, text, ...) answers it and gives it back to the chatbot."""

    def run(conversation_id: str, *texts: str) -> None:
        for text in texts:
            query(
                "insert into messages (organization_id, conversation_id, author, position, body,"
                " written_at) values (%s, %s, 'teammate', 0, %s, clock_timestamp())",
                ORGANIZATION_ID,
                conversation_id,
                text,
            )
        query("update conversations set mode = 'bot' where id = %s", conversation_id)

    return run


@pytest.fixture
def learn(knowledge_database, model):
    return lambda: learn_from_turns.main(knowledge_database, model)


@pytest.fixture
def groups(owner):
    """groups() -> [(times, first wording, proposed answer)] of what is open."""

    def run() -> list[tuple]:
        found = question_facts.groups(owner, ORGANIZATION_ID, is_all=False)
        return [(one["times"], one["wordings"][0], one["proposed_answer"]) for one in found]

    return run


@pytest.fixture
def wait_for_a_lock(query):
    """wait_for_a_lock(other) returns when somebody waits for one; `other`: who should."""

    def run(other: Future) -> None:
        while query("select count(*) from pg_locks where not granted") == [(0,)]:
            assert not other.done(), "it did not wait"

    return run
