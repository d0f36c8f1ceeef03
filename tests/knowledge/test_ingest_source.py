"""The step as an operator or a flow runs it: a source's id in, what became of it out."""

import pytest

from f.knowledge import store
from f.knowledge.ingest_source import main
from f.knowledge.search import search
from local.hashing_embedder import HashingEmbedder

GUIDE = b"# Opening hours\n\nThe shop opens at nine.\n\n## Sunday\n\nWe are closed."


@pytest.fixture
def find(conn, model):
    """find(organization_id, question) -> the passages that answer it."""

    def run(organization_id, question):
        vector = HashingEmbedder().embed([question])[0].tolist()
        return search(conn, organization_id, question, vector, model["embedding_model"])

    return run


def test_an_uploaded_file_becomes_searchable(
    conn, knowledge_database, model, organization_id, find
):
    source_id = store.add_source(conn, organization_id, "hours.md", GUIDE)

    outcome = main(knowledge_database, model, source_id)

    assert outcome["state"] == "ready"
    assert outcome["chunks"] == 2
    assert find(organization_id, "closed on sunday?")[0].content == "We are closed."


def test_running_it_again_changes_nothing(conn, query, knowledge_database, model, organization_id):
    source_id = store.add_source(conn, organization_id, "hours.md", GUIDE)

    first = main(knowledge_database, model, source_id)

    assert main(knowledge_database, model, source_id) == first
    assert query("select count(*) from documents where source_id = %s", source_id) == [(1,)]


def test_a_file_that_cannot_be_read_is_an_outcome_not_an_error(
    conn, query, knowledge_database, model, organization_id
):
    source_id = store.add_source(conn, organization_id, "hours.pdf", b"not a PDF")

    outcome = main(knowledge_database, model, source_id)

    assert outcome == {
        "source_id": source_id,
        "document_id": None,
        "chunks": 0,
        "state": "refused",
        "code": "document_type_mismatch",
    }
    ((sentence,),) = query("select refusal from sources where id = %s", source_id)
    assert sentence.startswith("The file is not what its name says")


def test_a_mended_file_is_accepted_under_its_name(
    conn, query, knowledge_database, model, organization_id
):
    source_id = store.add_source(conn, organization_id, "hours.md", b"\0\0\0\0")
    main(knowledge_database, model, source_id)

    store.add_source(conn, organization_id, "hours.md", GUIDE)

    assert main(knowledge_database, model, source_id)["state"] == "ready"
    assert query("select state, refusal from sources where id = %s", source_id) == [("ready", None)]


def test_a_source_that_was_deleted_is_gone(knowledge_database, model):
    outcome = main(knowledge_database, model, "00000000-0000-4000-8000-000000000000")

    assert outcome["state"] == "gone"
