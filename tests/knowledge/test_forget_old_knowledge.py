"""What nothing needs any more is deleted after a month, but for what a reply cites."""

import pytest

import f.knowledge.forget_old_knowledge as forget_old_knowledge
from f.knowledge import store

NEAR, FAR = [1.0, 0.0], [0.0, 1.0]


@pytest.fixture
def forget(knowledge_database, query):
    """forget() -> rows that were deleted, a month later"""

    def run() -> int:
        query(
            "update documents set retired_at = retired_at - interval '31 days',"
            " created_at = created_at - interval '31 days'"
        )
        query(
            "update ingestions set ended_at = ended_at - interval '31 days' where state = 'ended'"
        )
        return forget_old_knowledge.main(knowledge_database)["rows_forgotten"]

    return run


@pytest.fixture
def replaced(organization_id, add_document, query):
    """The chunks of a version that another replaced: (cited id, other id)."""
    add_document(organization_id, "a", {"A dog barks.": NEAR, "A cat purrs.": FAR})
    chunks = query("select id::text from chunks order by position")
    add_document(organization_id, "a", {"A cow moos.": NEAR})
    return [chunk_id for (chunk_id,) in chunks]


def test_a_version_that_was_replaced_is_forgotten_with_its_chunks(forget, replaced, query):
    forget()

    assert query("select content from chunks") == [("A cow moos.",)]
    assert query("select count(*) from documents") == [(1,)]
    assert forget() == 0


def test_a_passage_that_a_reply_cites_can_be_shown_for_ever(
    forget, replaced, query, organization_id
):
    query("alter table turn_citations disable trigger all")
    query(
        "insert into turn_citations (turn_id, number, organization_id, chunk_id, title,"
        " heading_path, how) values (gen_random_uuid(), 1, %s, %s, 'a', '', 'number')",
        organization_id,
        replaced[0],
    )

    forget()

    assert query("select content from chunks order by content") == [
        ("A cow moos.",),
        ("A dog barks.",),
    ]


def test_a_version_that_was_begun_and_never_shown_is_forgotten_unless_it_is_held(
    forget, conn, query, organization_id, add_document
):
    add_document(organization_id, "a", {"A dog barks.": NEAR})
    source_id = store.add_source(conn, organization_id, "b", b"b")
    for _ in range(2):
        document_id = store.begin_document(conn, organization_id, source_id, "b", [])
    query("update documents set is_held = true where id = %s", document_id)

    assert forget() == 1
    assert query("select is_active, is_held from documents order by is_active") == [
        (False, True),
        (True, False),
    ]


def test_what_is_younger_than_a_month_stays(knowledge_database, replaced):
    assert forget_old_knowledge.main(knowledge_database) == {"rows_forgotten": 0}


def test_the_newest_reading_of_each_source_stays(forget, query, conn, make_organization, ingest):
    source_id = store.add_source(conn, make_organization(), "a.md", b"# One\n\nOne.")
    ingest(source_id)
    query("update sources set original = %s, sha256 = repeat('0', 64)", b"# Two\n\nTwo.")
    ingest(source_id)

    forget()

    assert query("select outcome from ingestions") == [("ready",)]
    assert query("select content from chunks") == [("Two.",)]
