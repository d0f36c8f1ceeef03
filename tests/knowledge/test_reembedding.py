"""Another embedding model is built beside the searched one and takes over at once."""

import pytest

import f.knowledge.chunk_sets as chunk_sets
import f.knowledge.reembed_organization as reembed_organization
from f.knowledge import store
from f.knowledge.embeddings import embed
from f.knowledge.search import search

NEAR, FAR = [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]
HASHING = "hashing-384"


@pytest.fixture
def find(conn, model):
    """find(organization_id, question, embedding_model) -> texts of the passages."""

    def run(organization_id, question, embedding_model):
        vector = embed(model, [question])[0] if embedding_model == HASHING else NEAR
        passages = search(conn, organization_id, question, vector, embedding_model)
        return [passage.content for passage in passages]

    return run


def sets(query, organization_id) -> list[tuple]:
    return query(
        "select embedding_model, state, count(chunk_id) from chunk_sets left join embeddings"
        " on chunk_set_id = chunk_sets.id where chunk_sets.organization_id = %s"
        " group by chunk_sets.id, embedding_model, state order by chunk_sets.id",
        organization_id,
    )


def test_an_organization_is_searched_by_the_new_model_when_all_is_embedded(
    query, knowledge_database, model, organization_id, add_document, find
):
    add_document(organization_id, "a", {"A dog barks.": NEAR, "A cat purrs.": FAR})

    outcome = reembed_organization.main(knowledge_database, model, organization_id)

    assert outcome["chunks"] == 2
    assert sets(query, organization_id) == [(HASHING, "searched", 2)]
    assert find(organization_id, "cat purrs", HASHING)[0] == "A cat purrs."
    assert find(organization_id, "cat purrs", "model-a") == []


def test_searches_use_the_old_model_until_the_last_chunk(
    conn, query, organization_id, add_document, find
):
    add_document(organization_id, "a", {"A dog.": NEAR, "A cat.": FAR})
    built = chunk_sets.build_set(conn, organization_id, "model-b", 3)
    (first, _) = chunk_sets.missing_chunks(conn, organization_id, built.id, 10)

    chunk_sets.insert_embeddings(conn, organization_id, built.id, [first.id], [FAR])

    assert chunk_sets.switch_set(conn, organization_id, built.id) is False
    assert find(organization_id, "?", "model-a") == ["A dog.", "A cat."]
    assert find(organization_id, "?", "model-b") == []


def test_embedding_again_goes_on_where_it_was_killed(
    conn, knowledge_database, model, embedded, organization_id, add_document
):
    add_document(organization_id, "a", {"A dog.": NEAR, "A cat.": FAR})
    built = chunk_sets.build_set(conn, organization_id, HASHING, 384)
    (first, second) = chunk_sets.missing_chunks(conn, organization_id, built.id, 10)
    vectors = embed(model, [first.content])
    chunk_sets.insert_embeddings(conn, organization_id, built.id, [first.id], vectors)
    embedded.clear()

    outcome = reembed_organization.main(knowledge_database, model, organization_id)

    assert outcome["chunks"] == 1
    assert [text for text in embedded if second.content in text]
    assert not [text for text in embedded if first.content in text]


def test_nothing_is_embedded_again_by_the_same_model(
    query, knowledge_database, model, organization_id, add_document
):
    add_document(organization_id, "a", {"A dog.": NEAR})
    reembed_organization.main(knowledge_database, model, organization_id)

    outcome = reembed_organization.main(knowledge_database, model, organization_id)

    assert outcome["chunks"] == 0
    assert sets(query, organization_id) == [(HASHING, "searched", 1)]


def test_a_version_made_by_a_model_that_lost_its_place_is_not_shown(
    conn, query, organization_id, add_document, find
):
    add_document(organization_id, "a", {"A dog.": NEAR})
    source_id = store.add_source(conn, organization_id, "b", b"A cat.")
    document_id = store.begin_document(conn, organization_id, source_id, "b", [])
    query(
        "insert into chunks (organization_id, document_id, position, content, words)"
        " values (%s, %s, 0, 'A cat.', '{}')",
        organization_id,
        document_id,
    )

    assert store.show_document(conn, document_id) is False
    assert find(organization_id, "?", "model-a") == ["A dog."]


def test_nothing_is_missing_of_a_version_that_was_replaced_while_it_was_embedded(
    conn, organization_id, add_document
):
    replaced = add_document(organization_id, "a", {"A dog.": NEAR})
    current = add_document(organization_id, "a", {"A cat.": NEAR})
    built = chunk_sets.build_set(conn, organization_id, "model-b", 3)

    def missing(document_id):
        return chunk_sets.missing_chunks(conn, organization_id, built.id, 10, document_id)

    assert [chunk.content for chunk in missing(current)] == ["A cat."]
    assert missing(replaced) == []


def test_chunks_of_another_organization_are_not_touched(
    query, knowledge_database, model, make_organization, add_document
):
    mine, other = make_organization(), make_organization()
    add_document(mine, "a", {"A dog.": NEAR})
    add_document(other, "a", {"A cat.": NEAR})

    reembed_organization.main(knowledge_database, model, mine)

    assert sets(query, other) == [("model-a", "searched", 1)]
