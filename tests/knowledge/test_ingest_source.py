"""The flow as it is started for a source: its id in, what became of it out."""

import pytest

from f.knowledge import store
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


def test_an_uploaded_file_becomes_searchable(conn, ingest, organization_id, find):
    source_id = store.add_source(conn, organization_id, "hours.md", GUIDE)

    outcome = ingest(source_id)

    assert (outcome["state"], outcome["chunks"], outcome["chunks_left"]) == ("ready", 2, 0)
    assert find(organization_id, "closed on sunday?")[0].content == "We are closed."


def test_reading_it_again_changes_and_embeds_nothing(
    conn, query, ingest, organization_id, embedded
):
    source_id = store.add_source(conn, organization_id, "hours.md", GUIDE)
    ingest(source_id)
    before = len(embedded)

    outcome = ingest(source_id)

    assert outcome["state"] == "unchanged" and len(embedded) == before
    assert query("select count(*) from documents where source_id = %s", source_id) == [(1,)]


def test_a_chunk_whose_words_did_not_change_keeps_its_embedding(
    conn, ingest, organization_id, embedded, find
):
    source_id = store.add_source(conn, organization_id, "hours.md", GUIDE)
    ingest(source_id)
    del embedded[:]

    store.add_source(conn, organization_id, "hours.md", GUIDE.replace(b"closed", b"open"))
    outcome = ingest(source_id)

    assert outcome["state"] == "ready"
    assert [text.splitlines()[-1] for text in embedded] == ["We are open."]
    assert find(organization_id, "open on sunday?")[0].content == "We are open."


def test_nothing_of_the_way_is_left_when_it_is_ready(conn, query, ingest, organization_id):
    ingest(store.add_source(conn, organization_id, "hours.md", GUIDE))

    assert query("select count(*) from ingestion_sections") == [(0,)]
    assert query("select count(*) from ingestion_chunks") == [(0,)]
    assert query("select due_at, is_taken, attempts, chunk_count from sources") == [
        (None, False, 0, 2)
    ]


def test_a_file_that_cannot_be_read_is_an_outcome_not_an_error(
    conn, query, ingest, organization_id
):
    source_id = store.add_source(conn, organization_id, "hours.pdf", b"not a PDF")

    outcome = ingest(source_id)

    assert (outcome["state"], outcome["code"]) == ("refused", "document_type_mismatch")
    ((sentence,),) = query("select refusal from sources where id = %s", source_id)
    assert sentence.startswith("The file is not what its name says")


def test_a_mended_file_is_accepted_under_its_name(conn, query, ingest, organization_id):
    source_id = store.add_source(conn, organization_id, "hours.md", b"\0\0\0\0")
    ingest(source_id)

    store.add_source(conn, organization_id, "hours.md", GUIDE)

    assert ingest(source_id)["state"] == "ready"
    assert query("select state, refusal from sources where id = %s", source_id) == [("ready", None)]


def test_a_source_that_was_deleted_is_gone(ingest):
    assert ingest("00000000-0000-4000-8000-000000000000")["state"] == "gone"
