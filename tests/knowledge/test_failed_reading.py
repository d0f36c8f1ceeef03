"""What breaks while a source is read is told once, and the source is read again."""

import pytest

from f.knowledge import sources, start_ingestions
from local.workspace import checked_workspace
from runner.engine import Engine

ALERTS = "select code, occurrences from alerts where code like 'source%%'"


@pytest.fixture
def source_id(conn, organization_id) -> str:
    return sources.add_file(conn, organization_id, "a.md", b"# Hours\n\nWe open at nine.")


@pytest.fixture
def run_with(knowledge_database):
    """run_with(model, source_id) -> how the flow ended."""

    def run(model: dict, source_id: str):
        resources = {"f/knowledge/knowledge_database": knowledge_database, "f/chat/model": model}
        engine = Engine(checked_workspace(), resources=resources, worker_threads=2)
        engine.start()
        try:
            return engine.run("f/knowledge/ingest_source", {"source_id": source_id})
        finally:
            engine.stop(1)

    return run


@pytest.fixture
def broken_model(httpserver, model) -> dict:
    httpserver.expect_request("/broken/embeddings").respond_with_data("no such model", 400)
    return {**model, "base_url": httpserver.url_for("/broken")}


def test_a_model_that_refuses_is_told_and_the_file_is_read_again_in_a_minute(
    query, broken_model, run_with, ingest, source_id
):
    assert run_with(broken_model, source_id).status == "failure"

    assert query(ALERTS) == [("source_step_failed", 1)]
    assert query(
        "select state, is_taken, due_at - now() between interval '50 s' and interval '1 min'"
        " from sources"
    ) == [("waiting", False, True)]
    assert ingest(source_id)["state"] == "ready"


def test_what_was_split_is_not_split_again(query, broken_model, run_with, ingest, source_id):
    run_with(broken_model, source_id)
    before = query("select id, state from ingestions")

    ingest(source_id)

    assert [state for _, state in before] == ["split"]
    assert query("select id, fence, outcome from ingestions") == [(before[0][0], 2, "ready")]


def test_what_was_started_five_times_and_came_no_further_is_given_up_with_one_alert(
    query, knowledge_database, windmill, source_id
):
    for _ in range(7):
        start_ingestions.main(knowledge_database)
        query("update sources set due_at = now() - interval '1 s' where due_at is not null")

    assert len(windmill.started) == 5
    assert query("select state, refusal_code, due_at from sources") == [
        ("refused", "document_failed", None)
    ]
    assert query(ALERTS) == [("source_failed", 1)]


def test_a_worker_that_was_lost_is_replaced(query, knowledge_database, windmill, source_id):
    start_ingestions.main(knowledge_database)
    start_ingestions.main(knowledge_database)
    assert len(windmill.started) == 1

    query("update sources set due_at = now() - interval '1 s'")
    start_ingestions.main(knowledge_database)

    assert len(windmill.started) == 2
