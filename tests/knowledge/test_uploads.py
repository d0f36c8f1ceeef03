"""F15-F19 of docs/reliability.md: uploads at once, replaced, removed, too many, cut off."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from f.knowledge import (
    embed_document,
    extract_document,
    fetch_source,
    show_document,
    sources,
    split_document,
    start_ingestions,
    store_document,
)
from f.shared import safe_fetch
from f.shared.db import connect
from f.shared.deadline import Deadline
from f.shared.errors import InputRefused
from tests.shared.fake_internet import PUBLIC, FakeInternet, answer

GUIDE = b"# Hours\n\nWe open at nine.\n\n# Sunday\n\nWe are closed."
STEPS = [extract_document, split_document, embed_document, store_document, show_document]


@pytest.fixture
def upload(owner, organization_id):
    def add(content: bytes = GUIDE, name: str = "hours.md", organization: str = "") -> str:
        with connect(owner) as conn:
            return sources.add_file(conn, organization or organization_id, name, content)

    return add


@pytest.fixture
def run_steps(knowledge_database, model):
    """run_steps(source_id, n) -> the outcome of the n-th step of one run."""

    def run(source_id: str, count: int, begun: dict | None = None) -> dict:
        begun = begun or fetch_source.main(knowledge_database, source_id)
        outcome = begun
        for step in STEPS[:count]:
            more = {"model": model} if step is embed_document else {}
            outcome = step.main(
                knowledge_database, ingestion_id=begun["ingestion_id"], fence=begun["fence"], **more
            )
        return outcome

    return run


@pytest.fixture
def leftovers(query):
    """Rows of versions that nobody sees and nobody builds."""

    def count() -> int:
        ((found,),) = query(
            "select (select count(*) from documents where not is_active"
            "          and id not in (select document_id from ingestions"
            "                          where outcome = 'ready'))"
            " + (select count(*) from ingestion_sections) + (select count(*) from ingestion_chunks)"
        )
        return found

    return count


def test_f15_the_same_file_read_twice_at_once_is_one_document(query, upload, ingest, leftovers):
    source_ids = {upload(), upload(name="copy.md")}

    with ThreadPoolExecutor(2) as pool:
        states = set(pool.map(lambda source_id: ingest(source_id)["state"], [*source_ids] * 2))

    assert len(source_ids) == 1 and "ready" in states
    assert query("select count(*) from documents where is_active") == [(1,)]
    assert query("select count(*), count(distinct content) from chunks") == [(2, 2)]
    assert leftovers() == 0


@pytest.mark.parametrize("steps_done", range(5))
def test_f16_a_source_that_is_removed_while_it_is_read_leaves_nothing(
    query, upload, run_steps, knowledge_database, steps_done
):
    source_id = upload()
    begun = fetch_source.main(knowledge_database, source_id)
    run_steps(source_id, steps_done, begun)

    query("delete from sources where id = %s", source_id)

    # Each later step of the same run finds nothing to do.
    assert run_steps(source_id, 5, begun) == {"state": "replaced"}
    for table in ("documents", "chunks", "ingestions", "ingestion_sections", "ingestion_chunks"):
        assert query(f"select count(*) from {table}") == [(0,)], table


@pytest.mark.parametrize("steps_done", range(5))
def test_f16_a_file_that_is_replaced_while_it_is_read_is_not_shown(
    query, upload, run_steps, ingest, leftovers, knowledge_database, steps_done
):
    source_id = upload()
    begun = fetch_source.main(knowledge_database, source_id)
    run_steps(source_id, steps_done, begun)

    upload(GUIDE.replace(b"closed", b"open"))

    assert run_steps(source_id, 5, begun) == {"state": "replaced"}
    assert query("select count(*) from documents where is_active") == [(0,)]
    assert ingest(source_id)["state"] == "ready"
    assert query("select content from chunks order by position desc limit 1") == [("We are open.",)]
    assert leftovers() == 0


def test_a_run_that_starts_later_takes_the_work_over(upload, run_steps, knowledge_database):
    source_id = upload()
    first = fetch_source.main(knowledge_database, source_id)

    second = run_steps(source_id, 3)

    assert (second["state"], second["chunks_left"]) == ("reading", 0)
    assert run_steps(source_id, 1, first) == {"state": "replaced"}


def test_f17_many_uploads_of_one_organization_wait_behind_each_other_only(
    query, upload, make_organization, knowledge_database, windmill
):
    for number in range(50):
        upload(b"%d" % number, name=f"{number}.md")
    other = upload(organization=make_organization())

    start_ingestions.main(knowledge_database)
    start_ingestions.main(knowledge_database)

    started = [args["source_id"] for _, args, _ in windmill.started]
    assert len(started) == 3 and other in started
    assert {path for path, _, _ in windmill.started} == {"f/knowledge/ingest_source"}


def test_f17_the_next_is_started_when_one_has_ended(upload, ingest, knowledge_database, windmill):
    source_ids = [upload(b"%d" % number, name=f"{number}.md") for number in range(3)]
    start_ingestions.main(knowledge_database)

    ingest(windmill.started[0][1]["source_id"])
    start_ingestions.main(knowledge_database)

    assert {args["source_id"] for _, args, _ in windmill.started} == set(source_ids)


def test_an_organization_that_is_switched_off_is_not_read_for(
    query, upload, knowledge_database, windmill
):
    upload()
    query("update organizations set is_active = false")

    assert start_ingestions.main(knowledge_database) == {"sources_started": 0}


def cut(connection) -> None:
    connection.sendall(answer(b"Hello there", content_length="1000"))


def trickle(connection) -> None:
    connection.sendall(answer(b"", content_length="1000000"))
    while True:
        connection.sendall(b"x")


@pytest.mark.parametrize(("site", "code"), [(cut, "url_blocked"), (trickle, "url_too_slow")])
def test_f18_what_stops_half_way_or_never_ends_leaves_nothing(
    conn, query, organization_id, ingest, tmp_path, monkeypatch, site, code
):
    internet = FakeInternet(tmp_path)
    internet.names = {"shop.example": [[PUBLIC]]}
    internet.deadline = lambda seconds: Deadline(0.3)
    internet.web.answers["/a"] = site
    monkeypatch.setattr(safe_fetch, "INTERNET", internet)
    before = set(Path("/tmp").glob("tmp*"))

    outcome = ingest(sources.add_address(conn, organization_id, "page", "http://shop.example/a"))

    assert outcome["code"] == code
    assert query("select original from sources") == [(None,)]
    assert set(Path("/tmp").glob("tmp*")) <= before
    internet.close()


def at_once(upload, contents: list[bytes]) -> list[str]:
    """The codes of those that were refused."""

    def one(numbered: tuple[int, bytes]) -> str:
        try:
            upload(numbered[1], name=f"{numbered[0]}.md")
        except InputRefused as refusal:
            return refusal.code
        return ""

    with ThreadPoolExecutor(8) as pool:
        return sorted(filter(None, pool.map(one, enumerate(contents))))


def test_f19_never_more_sources_than_the_plan_says(query, upload):
    query("update plans set source_limit = 5")

    refused = at_once(upload, [b"%d" % number for number in range(16)])

    assert refused == ["sources_full"] * 11
    assert query("select count(*) from sources") == [(5,)]


def test_f19_never_more_bytes_than_the_plan_says(query, upload):
    query("update plans set source_bytes_limit = 1000")

    refused = at_once(upload, [b"%3d" % number + b"x" * 197 for number in range(16)])

    assert refused == ["source_bytes_full"] * 11
    assert query("select sum(size_bytes) from sources") == [(1000,)]


def test_f19_a_page_that_the_plan_has_no_room_for_is_refused(
    conn, query, organization_id, ingest, tmp_path, monkeypatch
):
    internet = FakeInternet(tmp_path)
    internet.names = {"shop.example": [[PUBLIC]]}
    internet.web.answers["/a"] = answer(b"We open at nine.")
    monkeypatch.setattr(safe_fetch, "INTERNET", internet)
    query("update plans set source_bytes_limit = 10")

    outcome = ingest(sources.add_address(conn, organization_id, "page", "http://shop.example/a"))

    assert outcome["code"] == "source_bytes_full"
    assert query("select state, refusal_code, original from sources") == [
        ("refused", "source_bytes_full", None)
    ]
    internet.close()


def test_f19_never_more_chunks_than_the_plan_says(query, upload, ingest):
    query("update plans set chunk_limit = 5")
    source_ids = [upload(GUIDE + b"\n\n%d" % number, name=f"{number}.md") for number in range(5)]

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(ingest, source_ids))

    assert sorted(one.get("code", "") for one in outcomes) == ["", "", *["chunks_full"] * 3]
    assert query("select count(*) from chunks") == [(4,)]


def test_f19_a_file_that_replaces_another_needs_no_second_place(query, upload):
    query("update plans set source_limit = 1")
    source_id = upload()

    assert upload(b"# New") == source_id
