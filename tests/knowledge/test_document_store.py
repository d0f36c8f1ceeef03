"""A source is a file under its name; one version of it is searched."""

from concurrent.futures import ThreadPoolExecutor

from f.knowledge import originals, store
from f.shared.db import connect

X = [1.0, 0.0]


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


def test_another_file_of_the_same_name_replaces_it(conn, query, organization_id, ingest):
    first = store.add_source(conn, organization_id, "a.txt", b"Hello")
    ingest(first)

    second = store.add_source(conn, organization_id, "a.txt", b"Goodbye")

    assert second == first
    assert originals.read(conn, first) == b"Goodbye"
    assert query("select state from sources where id = %s", first) == [("waiting",)]


def test_two_organizations_have_their_own_source(conn, make_organization):
    first, second = make_organization(), make_organization()

    source_ids = {store.add_source(conn, one, "a.txt", b"Hello") for one in (first, second)}

    assert len(source_ids) == 2


def test_a_name_is_cut_and_cleaned(conn, query, organization_id):
    store.add_source(conn, organization_id, "a\0b\ud800" + "c" * 400, b"Hello")

    assert query("select name from sources") == [(("ab\ufffd" + "c" * 400)[:300],)]


def test_a_version_takes_the_place_of_the_one_before_at_once(query, organization_id, add_document):
    add_document(organization_id, "a", {"Old": X, "Older": X})
    add_document(organization_id, "a", {"New": X})

    assert query(
        "select version, content, is_active from documents"
        " join chunks on document_id = documents.id order by version, position"
    ) == [(1, "Old", False), (1, "Older", False), (2, "New", True)]


def test_a_refused_file_leaves_the_version_before_it_searchable(
    conn, query, organization_id, ingest
):
    source_id = store.add_source(conn, organization_id, "a.txt", b"Good")
    ingest(source_id)
    store.add_source(conn, organization_id, "a.txt", b"MZ\x90\0" + bytes(99))

    assert ingest(source_id)["state"] == "refused"
    assert query(
        "select content from chunks join documents on documents.id = document_id where is_active"
    ) == [("Good",)]
