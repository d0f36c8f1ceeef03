"""A version that is to be reviewed is searched when somebody has seen what it changes."""

import json

import pytest

from f.knowledge import held_versions, store
from local.__main__ import main as chatmill
from local.hashing_embedder import HashingEmbedder
from local.offline_model import OfflineModel
from tests.conftest import ORGANIZATION_ID

BEFORE = b"# Returns\n\nYou have 30 days to send an item back, free of charge.\n"
AFTER = b"# Returns\n\nYou have 14 days to send an item back, free of charge.\n"
QUESTIONS = """
- question: How many days do I have to send an item back?
  must_contain: [30 days]
- question: Gibt es Sterne am Himmel?
"""


@pytest.fixture
def model():
    with OfflineModel("key", embedder=HashingEmbedder()) as offline:
        yield offline.resource


@pytest.fixture
def returns(conn, ingest):
    """returns(content) -> what reading it ended with; from the second on, it is reviewed."""

    def run(content: bytes) -> str:
        source_id = store.add_source(conn, ORGANIZATION_ID, "returns.md", content)
        outcome = ingest(source_id)
        held_versions.review(conn, ORGANIZATION_ID, [source_id], True)
        return outcome["state"]

    return run


@pytest.fixture
def review(installed, tmp_path, capsys):
    """review(option, ...) -> exit status, what was printed"""
    (tmp_path / "golden.yaml").write_text(QUESTIONS)

    def run(*options: str):
        given = ("--questions", str(tmp_path / "golden.yaml"), *options)
        status = chatmill(["sources", "review", "returns.md", *given])
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def searched(query):
    """searched() -> the words of what is searched."""
    return lambda: [
        content.split(" to")[0]
        for (content,) in query(
            "select content from chunks join documents on documents.id = document_id"
            " where is_active"
        )
    ]


def test_a_held_version_is_not_searched_and_the_one_before_is(returns, searched, query):
    assert [returns(BEFORE), returns(AFTER)] == ["ready", "held"]

    assert searched() == ["You have 30 days"]
    assert query("select code from alerts") == [("version_held",)]


def test_the_review_names_the_questions_that_change_and_changes_nothing(returns, review, searched):
    returns(BEFORE), returns(AFTER)

    status, told = review("--json")

    report = json.loads(told)
    ((change,), asked) = report["changes"], report["questions"]
    assert (status, asked, change["is_worse"]) == (1, 2, True)
    assert "30 days" in change["before"]["text"] and "14 days" in change["after"]["text"]
    assert change["after"]["problem"] == "does not say '30 days'"
    assert searched() == ["You have 30 days"]


def test_what_a_chatbot_does_not_answer_from_changes_none_of_its_answers(returns, review, query):
    returns(BEFORE), returns(AFTER)
    query("update chatbots set source_tags = '{shop}'")
    assert json.loads(review("--json")[1])["changes"] == []

    query("update sources set tags = '{shop}'")

    assert len(json.loads(review("--json")[1])["changes"]) == 1


def test_a_code_that_stands_nowhere_is_not_answered_otherwise(returns, review, tmp_path):
    codes = b"# Codes\n\ncode: ZX-4471; meaning: pump blocked\n"
    returns(codes), returns(codes.replace(b"blocked", b"stuck"))
    (tmp_path / "golden.yaml").write_text("- question: meaning of code ZX-9999")

    assert json.loads(review("--json")[1])["changes"] == []


def test_the_review_fits_eighty_columns_and_says_how_to_decide(returns, review):
    returns(BEFORE), returns(AFTER)

    _, told = review()

    assert max(map(len, told.splitlines())) <= 80
    assert "gets worse" in told and "review returns.md --show, or --drop" in told


def test_a_version_that_is_shown_is_searched_and_one_that_is_dropped_is_gone(
    returns, review, searched, query
):
    returns(BEFORE), returns(AFTER)
    assert review("--show") == (0, "It is searched from now on.\n")
    assert searched() == ["You have 14 days"]

    returns(BEFORE)
    assert review("--drop") == (0, "It is forgotten.\n")

    assert searched() == ["You have 14 days"]
    assert query("select outcome from ingestions order by started_at") == [
        ("ready",),
        ("ready",),
        ("dropped",),
    ]


def test_a_version_that_waits_counts_for_the_plan(returns, conn, query, ingest):
    query("update plans set chunk_limit = 2")
    returns(BEFORE), returns(AFTER + b"\n# Refunds\n\nWithin five days.\n")

    source_id = store.add_source(conn, ORGANIZATION_ID, "b.md", b"# Hours\n\nFrom nine.\n")

    assert ingest(source_id)["code"] == "chunks_full"


def test_what_a_reviewed_sitemap_lists_is_reviewed(returns, query):
    returns(BEFORE)
    ((sitemap_id,),) = query(
        "insert into sources (organization_id, kind, name, url, is_reviewed)"
        " values (%s, 'sitemap', 'Site', 'https://example.com/sitemap.xml', true) returning id",
        ORGANIZATION_ID,
    )
    query("update sources set is_reviewed = false, found_by = %s where kind = 'file'", sitemap_id)

    assert returns(AFTER) == "held"


def test_only_the_newest_version_waits(returns, review, searched, query):
    returns(BEFORE), returns(AFTER)
    returns(AFTER.replace(b"14", b"21"))

    assert query("select count(*) from documents where is_held") == [(1,)]
    review("--show")

    assert searched() == ["You have 21 days"]


def test_a_source_that_says_again_what_is_searched_has_nothing_waiting(returns, query):
    returns(BEFORE), returns(AFTER)

    assert returns(BEFORE) == "unchanged"
    assert query("select count(*) from documents where is_held") == [(0,)]


def test_a_version_held_while_another_model_took_over_is_embedded_again(
    returns, review, searched, query
):
    returns(BEFORE), returns(AFTER)
    query("delete from embeddings where not is_searched")

    assert review("--show")[0] == 0
    assert searched() == ["You have 14 days"]


@pytest.mark.parametrize("options", [(), ("--show",)])
def test_that_no_version_waits_is_said(returns, review, options):
    returns(BEFORE)

    assert review(*options) == (1, "")
