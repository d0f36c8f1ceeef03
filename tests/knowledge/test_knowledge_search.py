"""Search finds an organization's own passages: by meaning first, and by codes before that."""

import pytest

import f.knowledge.chunk_sets as chunk_sets
from f.knowledge import store
from f.knowledge.chunks import Chunk
from f.knowledge.search import search
from f.shared.errors import Misconfigured

NEAR, CLOSE, FAR = [1.0, 0.0, 0.0], [0.9, 0.4, 0.0], [0.0, 0.0, 1.0]


@pytest.fixture
def find(conn):
    """find(organization_id, question) -> texts of the passages, for a question that means NEAR."""

    def run(organization_id, question, vector=NEAR, model="model-a", limit=5):
        passages = search(conn, organization_id, question, vector, model, limit=limit)
        return [passage.content for passage in passages]

    return run


def test_the_nearest_in_meaning_comes_first(organization_id, add_document, find):
    add_document(organization_id, "a", {"A cat.": FAR, "A dog.": NEAR, "A wolf.": CLOSE})

    assert find(organization_id, "puppy") == ["A dog.", "A wolf.", "A cat."]
    assert find(organization_id, "puppy", limit=1) == ["A dog."]


def test_words_decide_between_passages_of_the_same_meaning(organization_id, add_document, find):
    add_document(organization_id, "a", {"We ship to Spain.": NEAR, "We ship to Norway.": NEAR})

    assert find(organization_id, "shipping to norway?")[0] == "We ship to Norway."


def test_a_code_in_the_question_comes_before_meaning(organization_id, add_document, find):
    texts = {f"Error {number} of the machine.": NEAR for number in ("E04", "E05", "E06")}
    add_document(organization_id, "a", {**texts, "Shown as E03: fill the tank.": FAR})

    assert find(organization_id, "what is E03?")[0] == "Shown as E03: fill the tank."


@pytest.mark.parametrize("code", ["SP-133", "sp-133", "(SP-133)", "'SP-133'", "4711"])
def test_codes_are_found_however_they_are_written(organization_id, add_document, find, code):
    add_document(organization_id, "a", {"Steam tip.": NEAR, "SP-133 and 4711 cost 14 euros.": FAR})

    assert find(organization_id, f"price of {code}")[0] == "SP-133 and 4711 cost 14 euros."


def test_another_organization_is_never_seen(make_organization, add_document, find):
    mine, other = make_organization(), make_organization()
    add_document(mine, "a", {"My text about E03.": FAR})
    add_document(other, "b", {"Their text about E03.": NEAR})

    assert find(mine, "text about E03") == ["My text about E03."]
    assert find(other, "text about E03") == ["Their text about E03."]


def test_x13_a_small_organization_misses_nothing_beside_a_large_one(
    make_organization, add_document, find
):
    small, large = make_organization(), make_organization()
    add_document(large, "large", {f"Passage {number}.": NEAR for number in range(2000)})
    add_document(small, "small", {f"Small {number}.": [1.0, number, 0.0] for number in range(8)})

    assert find(small, "anything") == [f"Small {number}." for number in range(5)]


def test_vectors_of_another_model_are_never_compared(organization_id, add_document, find):
    add_document(organization_id, "a", {"Of one model.": FAR}, embedding_model="model-a")

    assert add_document(organization_id, "b", {"Of another.": NEAR}, "model-b") is None
    assert find(organization_id, "one another") == ["Of one model."]
    assert find(organization_id, "one another", model="model-b") == []


def test_a_model_that_changes_its_dimensions_is_reported(organization_id, add_document):
    add_document(organization_id, "a", {"Of three numbers.": FAR})

    with pytest.raises(Misconfigured, match="run f/knowledge/reembed_organization"):
        add_document(organization_id, "b", {"Of two numbers.": [1.0, 0.0]})


def test_only_the_active_version_is_found(organization_id, add_document, find):
    add_document(organization_id, "a", {"Old price.": NEAR})
    add_document(organization_id, "a", {"New price.": NEAR})

    assert find(organization_id, "price") == ["New price."]


def test_a_source_that_was_deleted_is_not_found(conn, query, organization_id, add_document, find):
    add_document(organization_id, "a", {"Some text.": NEAR})

    query("delete from sources where organization_id = %s", organization_id)

    assert find(organization_id, "text") == []


def test_scores_show_the_order_and_the_similarity(conn, organization_id, add_document):
    add_document(organization_id, "a", {"A dog.": NEAR, "A cat.": FAR})

    first, second = search(conn, organization_id, "dog", NEAR, "model-a")

    assert first.score > second.score
    assert (first.similarity, second.similarity) == (1.0, 0.0)
    assert (first.title, first.heading_path) == ("a", "a")


def test_a_question_without_a_known_word_is_near_nothing(conn, organization_id, add_document):
    add_document(organization_id, "a", {"A dog.": NEAR})

    (passage,) = search(conn, organization_id, "???", [0.0, 0.0, 0.0], "model-a")

    assert passage.similarity == 0


@pytest.mark.parametrize(
    "question",
    [
        "",
        "'",
        '"',
        "a & | ! <-> b",
        ":*",
        "(((",
        "\\",
        "or or or",
        "-",
        "x" * 5000,
        "a\0b 1\0 2",
        "a\ud800b",
    ],
)
def test_t09_no_question_is_a_syntax_error(organization_id, add_document, find, question):
    add_document(organization_id, "a", {"A dog.": NEAR})

    assert find(organization_id, question) == ["A dog."]


def test_ten_thousand_words_are_searched_too(organization_id, add_document, find):
    add_document(organization_id, "a", {"A dog.": NEAR})

    assert find(organization_id, " ".join(map(str, range(10_000)))) == ["A dog."]


def test_an_unknown_organization_has_nothing(conn):
    unknown = "00000000-0000-4000-8000-000000000000"

    assert search(conn, unknown, "dog", NEAR, "model-a") == []


@pytest.mark.parametrize("question", ["who is zoltan kovari?", "ZOLTÁN KŐVÁRI", "Kővári"])
def test_names_are_found_with_and_without_accents(organization_id, add_document, find, question):
    texts = {f"Ask {name} about it.": NEAR for name in ("Anna Nagy", "Pál Kiss", "Éva Szabó")}
    add_document(organization_id, "a", {**texts, "Write to Zoltán Kővári about it.": CLOSE})

    assert find(organization_id, question)[0] == "Write to Zoltán Kővári about it."


def test_words_are_found_in_other_forms_in_the_language_of_the_document(
    organization_id, add_document, find
):
    texts = {
        "El envío de los pedidos y las entregas cuesta cinco euros en la península.": NEAR,
        "La devolución de los productos y los regalos se paga en la tienda.": NEAR,
    }
    add_document(organization_id, "a", texts)

    assert find(organization_id, "¿devoluciones?")[0].startswith("La devolución")


def test_a_copy_of_a_passage_leaves_its_place_to_another(organization_id, add_document, find):
    said = "Parcels to the islands take ten working days by sea"
    add_document(organization_id, "a", {f"{said}.": NEAR, "Other.": CLOSE})
    add_document(organization_id, "b", {f"{said}, usually.": NEAR})

    assert "Other." in find(organization_id, "?", limit=2)
    assert len(find(organization_id, "?")) == 3


def test_two_answers_to_one_question_are_no_copies(organization_id, add_document, find):
    answers = ("Clean the filter with citric acid.", "Let somebody at our workshop look at it.")
    add_document(organization_id, "a", {answers[0]: NEAR, "Other.": CLOSE})
    add_document(organization_id, "b", {answers[1]: NEAR})

    assert set(find(organization_id, "?", limit=2)) == set(answers)


def test_a_version_that_is_being_built_is_not_found(conn, organization_id, add_document, find):
    add_document(organization_id, "a", {"Shown.": FAR})
    source_id = store.add_source(conn, organization_id, "b", b"Built.")
    document_id = store.begin_document(conn, organization_id, source_id, "b", [])
    chunk_set = chunk_sets.searched_set(conn, organization_id)

    chunk = Chunk(0, [], None, "Built.")
    store.add_chunks(conn, organization_id, document_id, chunk_set.id, [chunk], [NEAR])

    assert find(organization_id, "built") == ["Shown."]
    assert store.show_document(conn, document_id)
    assert find(organization_id, "built") == ["Built.", "Shown."]
