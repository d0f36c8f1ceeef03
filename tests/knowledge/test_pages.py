"""Pages as sources: fetched as their site allows, looked at again, read when they changed."""

import pytest

from f.knowledge import sources
from f.shared import safe_fetch
from f.shared.errors import InputRefused
from tests.shared.fake_internet import PRIVATE, PUBLIC, FakeInternet, answer, redirect

URL = "http://shop.example/help"
PAGE = b"<html><body><h1>Help</h1><p>We are closed on Sunday.</p></body></html>"


@pytest.fixture
def internet(tmp_path, monkeypatch):
    fake = FakeInternet(tmp_path)
    fake.names = {"shop.example": [[PUBLIC]], "inside.example": [[PRIVATE]]}
    monkeypatch.setattr(safe_fetch, "INTERNET", fake)
    fake.web.answers["/help"] = answer(PAGE, content_type="text/html", etag='"1"')
    yield fake
    fake.close()
    assert fake.internal.requests == [], "something reached the internal network"


@pytest.fixture
def add_page(conn, organization_id, internet):
    def add(url: str = URL) -> str:
        return sources.add_address(conn, organization_id, "page", url)

    return add


def paths(internet) -> list[str]:
    return [request.split(" ")[1] for request in internet.web.requests]


def test_a_page_becomes_searchable_and_is_looked_at_again_the_next_day(query, ingest, add_page):
    outcome = ingest(add_page())

    assert (outcome["state"], outcome["chunks"]) == ("ready", 1)
    assert query("select content, heading_path from chunks") == [
        ("We are closed on Sunday.", "Help")
    ]
    assert query(
        "select due_at between now() + interval '23 hours' and now() + interval '25 hours'"
        " from sources"
    ) == [(True,)]


def test_a_page_that_its_server_says_is_unchanged_is_not_read_again(
    query, ingest, add_page, internet, embedded
):
    source_id = add_page()
    ingest(source_id)
    del embedded[:]
    internet.web.answers["/help"] = answer(b"", "304 Not Modified")

    assert ingest(source_id)["state"] == "unchanged"
    assert 'if-none-match: "1"' in internet.web.requests[-1]
    assert embedded == [] and query("select count(*) from documents") == [(1,)]


def test_a_page_with_the_same_bytes_is_not_read_again(ingest, add_page, internet, embedded):
    source_id = add_page()
    ingest(source_id)
    del embedded[:]

    assert ingest(source_id)["state"] == "unchanged"
    assert embedded == []


def test_a_page_whose_words_stay_keeps_its_version(query, ingest, add_page, internet, embedded):
    source_id = add_page()
    ingest(source_id)
    del embedded[:]
    internet.web.answers["/help"] = answer(PAGE + b"<!-- 12:03 -->", content_type="text/html")

    assert ingest(source_id)["state"] == "unchanged"
    assert embedded == [] and query("select version from documents") == [(1,)]


def test_a_page_that_changed_replaces_its_version(query, ingest, add_page, internet):
    source_id = add_page()
    ingest(source_id)
    internet.web.answers["/help"] = answer(
        PAGE.replace(b"closed", b"open"), content_type="text/html"
    )

    assert ingest(source_id)["state"] == "ready"
    assert query(
        "select content from chunks join documents on documents.id = document_id where is_active"
    ) == [("We are open on Sunday.",)]


def test_a_page_that_went_away_says_so_and_its_last_version_stays(
    query, ingest, add_page, internet
):
    source_id = add_page()
    ingest(source_id)
    del internet.web.answers["/help"]

    assert ingest(source_id)["code"] == "url_not_found"
    assert query("select state, refusal_code from sources") == [("refused", "url_not_found")]
    assert query("select count(*) from documents where is_active") == [(1,)]


def test_a_page_that_its_site_forbids_is_not_asked_for(query, ingest, add_page, internet):
    internet.web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /help\n")

    assert ingest(add_page())["code"] == "url_robots_forbidden"
    assert paths(internet) == ["/robots.txt"]
    ((sentence,),) = query("select refusal from sources")
    assert "robots.txt" in sentence


def test_a_page_that_leads_to_what_a_site_forbids_is_not_kept(query, ingest, add_page, internet):
    internet.web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /help\n")
    internet.web.answers["/new"] = redirect("/help")

    assert ingest(add_page("http://shop.example/new"))["code"] == "url_robots_forbidden"
    assert query("select original from sources") == [(None,)]


def test_robots_txt_is_asked_for_once_a_day(ingest, add_page, internet):
    source_id = add_page()

    ingest(source_id)
    ingest(source_id)

    assert paths(internet) == ["/robots.txt", "/help", "/help"]


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy"])
def test_a_site_whose_rules_cannot_be_read_is_not_read(ingest, add_page, internet, status):
    internet.web.answers["/robots.txt"] = answer(b"", status)

    assert ingest(add_page())["code"] == "url_failed"
    assert paths(internet) == ["/robots.txt"]


@pytest.mark.parametrize("url", ["http://inside.example/", "http://shop.example/away"])
def test_s10_a_page_that_leads_inside_is_refused(ingest, add_page, internet, url):
    internet.web.answers["/away"] = redirect("http://127.0.0.1/")

    assert ingest(add_page(url))["code"] == "url_blocked"


def test_s01_an_address_that_can_not_be_public_is_refused_when_it_is_added(conn, add_page):
    for url in ("http://localhost/", "file:///etc/passwd", "http://shop.example:22/"):
        with pytest.raises(InputRefused, match="cannot be fetched"):
            add_page(url)


def test_the_encoding_that_a_server_names_is_believed(query, ingest, add_page, internet):
    page = "<html><body><p>Привет, мы открыты</p></body></html>".encode("koi8-r")
    internet.web.answers["/help"] = answer(page, content_type="text/html; charset=KOI8-R")

    assert ingest(add_page())["state"] == "ready"
    assert query("select content from chunks") == [("Привет, мы открыты",)]


def test_a_pdf_behind_an_address_is_read_as_one(ingest, add_page, internet):
    internet.web.answers["/help"] = answer(b"no PDF", content_type="application/pdf")

    assert ingest(add_page())["code"] == "document_type_mismatch"
