"""Large organizations are searched by cells, and nothing is lost while they are divided."""

import math

import pytest

import f.knowledge.divide_chunk_sets as divide_chunk_sets
from f.knowledge.search import search
from local.migrations import connection_to
from tests.db.statements import run

CHUNKS = 300


def around(number: int, of: int = CHUNKS) -> list[float]:
    """Vectors on a circle: near numbers are near vectors."""
    return [math.cos(math.tau * number / of), math.sin(math.tau * number / of), 0.1]


@pytest.fixture
def large(organization_id, add_document) -> str:
    """An organization with 300 chunks around a circle."""
    add_document(organization_id, "a", {f"Passage {one}.": around(one) for one in range(CHUNKS)})
    return organization_id


@pytest.fixture
def divide(conn, large, query):
    """divide(cells): without moving anything yet."""
    ((chunk_set_id,),) = query("select id from chunk_sets where organization_id = %s", large)

    def divided(cells: int) -> int:
        run(conn, "select divide_chunk_set(%s, %s, %s)", large, chunk_set_id, cells)
        return chunk_set_id

    return divided


@pytest.fixture
def find(conn, large):
    """find(number) -> the passages nearest to it, the best first."""

    def found(number: int, limit: int = 3) -> list[str]:
        passages = search(conn, large, "", around(number), "model-a", limit=limit)
        return [passage.content for passage in passages]

    return found


def in_no_cell(query) -> int:
    return query(
        "select count(*) from embeddings join chunk_sets on chunk_sets.id = chunk_set_id"
        " where cell < first_cell"
    )[0][0]


def test_a_small_organization_is_not_divided(knowledge_database, large, query):
    assert divide_chunk_sets.main(knowledge_database) == {"chunk_sets": 0, "embeddings_moved": 0}
    assert query("select count(*) from cells") == [(0,)]


def test_a_large_one_has_a_cell_for_every_embedding_and_is_left_alone_then(
    knowledge_database, large, query, find
):
    # Counted as ingestion counts it: what stands in 5,000 chunks.
    query("update words set chunk_count = 5000 where word = ''")

    assert divide_chunk_sets.main(knowledge_database)["embeddings_moved"] == CHUNKS

    assert in_no_cell(query) == 0
    assert query("select count(*) > 100 from cells") == [(True,)]
    assert find(7)[0] == "Passage 7."
    assert divide_chunk_sets.main(knowledge_database)["chunk_sets"] == 0


def test_one_that_shrank_is_divided_into_fewer(knowledge_database, large, query, find):
    query("update words set chunk_count = 5000 where word = ''")
    divide_chunk_sets.main(knowledge_database)
    query("update words set chunk_count = 300 where word = ''")

    assert divide_chunk_sets.main(knowledge_database)["embeddings_moved"] == CHUNKS

    assert query("select count(*) < 100 from cells") == [(True,)]
    assert "Passage 7." in find(7)


def test_a_set_without_anything_searched_is_divided_into_nothing_and_moves_nothing(
    conn, large, divide, query
):
    query("update embeddings set is_searched = false")

    chunk_set_id = divide(40)

    assert query("select count(*) from cells") == [(0,)]
    assert run(conn, "select move_embeddings(%s, %s, 10)", large, chunk_set_id) == [(0,)]


def test_while_embeddings_are_moved_every_search_finds_them(conn, large, divide, query, find):
    chunk_set_id = divide(40)
    before = find(7)

    run(conn, "select move_embeddings(%s, %s, %s)", large, chunk_set_id, CHUNKS // 2)

    assert in_no_cell(query) == CHUNKS - CHUNKS // 2
    assert before == find(7) and before[0] == "Passage 7."


def test_a_chunk_that_comes_later_is_in_the_cell_nearest_to_it(
    conn, large, divide, query, add_document, find
):
    run(conn, "select move_embeddings(%s, %s, %s)", large, divide(40), CHUNKS)

    add_document(large, "later", {"Between 7 and 8.": around(15, 2 * CHUNKS)})

    assert in_no_cell(query) == 0
    assert "Between 7 and 8." in find(7)


def test_a_set_that_is_divided_again_leaves_no_cell_of_before(conn, large, divide, query, find):
    run(conn, "select move_embeddings(%s, %s, %s)", large, divide(10), CHUNKS)
    ((last_number,),) = query("select max(number) from cells")

    chunk_set_id = divide(40)

    assert in_no_cell(query) == CHUNKS
    run(conn, "select move_embeddings(%s, %s, %s)", large, chunk_set_id, CHUNKS)
    assert in_no_cell(query) == 0
    assert "Passage 250." in find(250)
    assert query("select min(number) from cells") == [(last_number + 1,)]


def test_a_divided_organization_reads_its_nearest_cells_only(conn, large, divide, query):
    chunk_set_id = divide(CHUNKS)
    run(conn, "select move_embeddings(%s, %s, %s)", large, chunk_set_id, CHUNKS)

    question = str(around(0))
    ((found,),) = run(
        conn,
        "select chunks_by_code(chunk_sets, %s, null, 1000)::text[] from chunk_sets where id = %s",
        *(question, chunk_set_id),
    )

    assert 100 <= len(found) < CHUNKS


def test_the_more_chunks_the_more_of_them_are_compared_by_their_whole_vectors(
    conn, large, divide, query
):
    chunk_set_id = divide(40)
    look_up = (
        "select cardinality(chunks_by_code(chunk_sets, %s, null, 10)) from chunk_sets where id = %s"
    )
    asked = (str(around(0)), chunk_set_id)
    query("update chunk_sets set divided_chunks = 10000")

    assert run(conn, look_up, *asked) == [(120,)]

    query("update chunk_sets set divided_chunks = null")
    assert run(conn, look_up, *asked) == [(10,)]


def test_cells_near_each_other_have_numbers_near_each_other(divide, query):
    divide(100)

    steps = query(
        "select count(*) filter (where center <#> next < -0.9)::float / count(*)"
        " from (select center, lead(center) over (order by number) as next from cells) as numbered"
        " where next is not null"
    )

    # In any order, every seventh would be.
    assert steps[0][0] > 0.4


def test_a_search_in_tagged_documents_reads_all_of_them(conn, large, divide, add_document):
    far = add_document(large, "far", {"Far away.": around(150)})
    chunk_set_id = divide(150)
    run(conn, "select move_embeddings(%s, %s, %s)", large, chunk_set_id, CHUNKS + 1)

    question = str(around(0))
    ((found,),) = run(
        conn,
        "select chunks_by_code(chunk_sets, %s, array[%s]::uuid[], 10)::text[]"
        "  from chunk_sets where id = %s",
        *(question, far, chunk_set_id),
    )

    assert len(found) == 1


def test_what_is_inserted_while_a_set_is_divided_is_read_by_every_search(
    conn, owner, large, divide, query, add_document, find
):
    chunk_set_id = divide(40)
    run(conn, "select move_embeddings(%s, %s, %s)", large, chunk_set_id, CHUNKS)

    with connection_to(owner) as other:
        run(other, "select divide_chunk_set(%s, %s, 40)", large, chunk_set_id)
        add_document(large, "meanwhile", {"Between 7 and 8.": around(15, 2 * CHUNKS)})
        other.commit()

    assert in_no_cell(query) == CHUNKS + 1
    assert "Between 7 and 8." in find(7)
