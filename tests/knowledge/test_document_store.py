"""A source is a file under its name; one version of it is searched."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from f.knowledge import store
from f.knowledge.chunks import Chunk
from f.knowledge.extraction import Extracted
from f.shared.db import connect

X = [1.0, 0.0]


@pytest.fixture
def active_texts(query):
    """What a search could find: (version, text) of each active document."""

    def read(source_id) -> list[tuple]:
        return query(
            "select version, content from documents join chunks on document_id = documents.id"
            " where is_active and source_id = %s order by position",
            source_id,
        )

    return read


def switch(conn, source_id, *texts, model="model-a"):
    source = store.load_source(conn, source_id)
    chunks = [Chunk(place, ["Guide", "Part"], 2, text) for place, text in enumerate(texts)]
    extracted = Extracted("Guide", "text/plain", [])
    return store.switch_document(conn, source, extracted, chunks, [X] * len(texts), model)


def test_the_same_file_is_the_same_source(conn, organization_id):
    first = store.add_source(conn, organization_id, "a.txt", b"Hello")

    assert store.add_source(conn, organization_id, "a.txt", b"Hello") == first
    assert store.add_source(conn, organization_id, "copy of a.txt", b"Hello") == first


def test_the_same_file_many_times_at_once_is_one_source(owner, organization_id):
    def upload(_):
        with connect(owner) as conn:
            return store.add_source(conn, organization_id, "a.txt", b"Hello")

    with ThreadPoolExecutor(8) as pool:
        source_ids = set(pool.map(upload, range(16)))

    assert len(source_ids) == 1


def test_another_file_of_the_same_name_replaces_it(conn, query, organization_id):
    first = store.add_source(conn, organization_id, "a.txt", b"Hello")
    switch(conn, first, "Hello")

    second = store.add_source(conn, organization_id, "a.txt", b"Goodbye")

    assert second == first
    assert store.load_source(conn, first).content == b"Goodbye"
    assert query("select state from sources where id = %s", first) == [("waiting",)]


def test_two_organizations_have_their_own_source(conn, make_organization):
    first, second = make_organization(), make_organization()

    source_ids = {store.add_source(conn, one, "a.txt", b"Hello") for one in (first, second)}

    assert len(source_ids) == 2


def test_a_name_is_cut_and_cleaned(conn, organization_id):
    source_id = store.add_source(conn, organization_id, "a\0b\ud800" + "c" * 400, b"Hello")

    assert store.load_source(conn, source_id).name == ("ab\ufffd" + "c" * 400)[:300]


def test_a_new_version_replaces_the_old_one_at_once(conn, organization_id, active_texts):
    source_id = store.add_source(conn, organization_id, "a.txt", b"1")
    switch(conn, source_id, "Old", "Older")
    store.add_source(conn, organization_id, "a.txt", b"2")

    before = active_texts(source_id)
    switch(conn, source_id, "New")

    assert before == [(1, "Old"), (1, "Older")]
    assert active_texts(source_id) == [(2, "New")]


def test_the_same_version_twice_is_stored_once(conn, query, organization_id):
    source_id = store.add_source(conn, organization_id, "a.txt", b"1")

    first = switch(conn, source_id, "Text", "More")

    assert switch(conn, source_id, "Text", "More") == first
    assert query("select count(*) from chunks where organization_id = %s", organization_id) == [
        (2,)
    ]


def test_a_ready_source_says_what_it_is(conn, query, organization_id):
    source_id = store.add_source(conn, organization_id, "a.txt", b"1")

    switch(conn, source_id, "Text")

    assert query("select state, media_type from sources where id = %s", source_id) == [
        ("ready", "text/plain")
    ]
    assert query("select heading_path, page from chunks where content = 'Text'") == [
        ("Guide > Part", 2)
    ]


def test_a_file_that_was_replaced_meanwhile_is_not_published(conn, organization_id, active_texts):
    source_id = store.add_source(conn, organization_id, "a.txt", b"1")
    old = store.load_source(conn, source_id)
    store.add_source(conn, organization_id, "a.txt", b"2")

    chunk = Chunk(0, [], None, "Old")
    extracted = Extracted("Guide", "text/plain", [])
    outcome = store.switch_document(conn, old, extracted, [chunk], [X], "model-a")

    assert outcome is None
    assert active_texts(source_id) == []


def test_a_refused_file_leaves_the_version_before_it_searchable(
    conn, query, organization_id, active_texts
):
    source_id = store.add_source(conn, organization_id, "a.txt", b"1")
    switch(conn, source_id, "Good")
    store.add_source(conn, organization_id, "a.txt", b"2")

    source = store.load_source(conn, source_id)
    store.refuse_source(conn, source, "document_broken", "Save it again.")

    assert query("select state, refusal_code, refusal from sources where id = %s", source_id) == [
        ("refused", "document_broken", "Save it again.")
    ]
    assert active_texts(source_id) == [(1, "Good")]
