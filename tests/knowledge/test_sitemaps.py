"""A sitemap's pages are sources of their own: found, looked at again, and forgotten with it."""

import gzip

import pytest

from f.knowledge import sitemaps, sources
from f.shared import safe_fetch
from tests.shared.fake_internet import PUBLIC, FakeInternet, answer, redirect

XML = '<?xml version="1.0"?><{0} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{1}</{0}>'


def sitemap(*pages: str, kind: str = "urlset", changed: str = "") -> bytes:
    last = f"<lastmod>{changed}</lastmod>" if changed else ""
    listed = "".join(f"<x><loc>{address(page)}</loc>{last}</x>" for page in pages)
    return answer(XML.format(kind, listed).encode(), content_type="application/xml")


def address(page: str) -> str:
    return page if "//" in page else f"http://shop.example/{page}"


@pytest.fixture
def internet(tmp_path, monkeypatch):
    fake = FakeInternet(tmp_path)
    fake.names = {"shop.example": [[PUBLIC]]}
    monkeypatch.setattr(safe_fetch, "INTERNET", fake)
    fake.web.answers["/sitemap.xml"] = sitemap("a", "b")
    fake.web.answers["/a"] = fake.web.answers["/b"] = answer(b"Hello")
    yield fake
    fake.close()
    assert fake.internal.requests == []


@pytest.fixture
def sitemap_id(conn, organization_id, internet) -> str:
    url = "http://shop.example/sitemap.xml"
    return sources.add_address(conn, organization_id, "sitemap", url)


@pytest.fixture
def found(query):
    def pages() -> list[str]:
        listed = query("select url from sources where found_by is not null order by url")
        return [url.removeprefix("http://shop.example/") for (url,) in listed]

    return pages


def test_each_page_that_a_sitemap_lists_is_a_source_that_is_due(query, ingest, sitemap_id, found):
    assert ingest(sitemap_id) == {"state": "ready", "pages": 2}

    assert found() == ["a", "b"]
    due = query("select id::text from sources where kind = 'page' and due_at <= now()")
    assert {ingest(page_id)["state"] for (page_id,) in due} == {"ready"}


def test_pages_have_the_tags_of_their_sitemap(
    conn, query, ingest, organization_id, sitemap_id, internet
):
    sources.tag(conn, organization_id, [sitemap_id], ["shop"])
    ingest(sitemap_id)
    sources.tag(conn, organization_id, [sitemap_id], ["north"])
    assert query("select distinct tags from sources") == [(["north", "shop"],)]

    internet.web.answers["/sitemap.xml"] = sitemap("a", "b", "c")
    ingest(sitemap_id)

    assert query("select count(*), min(tags) from sources") == [(4, ["north", "shop"])]


def test_a_page_that_is_listed_no_longer_is_forgotten(query, ingest, sitemap_id, found, internet):
    ingest(sitemap_id)
    internet.web.answers["/sitemap.xml"] = sitemap("b", "c")

    ingest(sitemap_id)

    assert found() == ["b", "c"]


@pytest.mark.parametrize(("changed", "is_due"), [("2020-01-01", False), ("2100-01-01", True)])
def test_only_pages_that_changed_since_are_looked_at(
    query, ingest, sitemap_id, internet, changed, is_due
):
    internet.web.answers["/sitemap.xml"] = sitemap("a", changed=changed)
    ingest(sitemap_id)
    query("update sources set synced_at = now(), due_at = null where kind = 'page'")

    ingest(sitemap_id)

    assert query("select due_at is not null from sources where kind = 'page'") == [(is_due,)]


@pytest.mark.parametrize(
    "changed",
    ["9999-12-31", "0001-01-01T00:00:00+14:00", "2020-01-01T00:00:00+23:59", "2020-13-01", "soon"],
)
def test_a_time_that_no_calendar_has_keeps_no_page_out(ingest, sitemap_id, internet, changed):
    internet.web.answers["/sitemap.xml"] = sitemap("a", changed=changed)

    assert [ingest(sitemap_id)["pages"] for _ in range(2)] == [1, 1]


def test_an_index_leads_to_the_sitemaps_of_its_own_site(ingest, sitemap_id, found, internet):
    internet.web.answers["/sitemap.xml"] = sitemap(
        "one.xml.gz", "two.txt", "http://other.example/s.xml", kind="sitemapindex"
    )
    body = XML.format("urlset", "<url><loc>http://shop.example/a</loc></url>").encode()
    internet.web.answers["/one.xml.gz"] = answer(
        gzip.compress(body), content_type="application/gzip"
    )
    internet.web.answers["/two.txt"] = answer(b"http://shop.example/b\n")

    assert ingest(sitemap_id)["pages"] == 2
    assert found() == ["a", "b"]


def test_pages_of_other_sites_and_those_forbidden_are_left_out(ingest, sitemap_id, found, internet):
    internet.web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /b\n")
    internet.web.answers["/sitemap.xml"] = sitemap(
        "a", "b", "http://other.example/", "http://127.0.0.1/", "file:///etc/passwd"
    )

    ingest(sitemap_id)

    assert found() == ["a"]


def test_a_site_that_leads_to_its_usual_name_is_one_site(ingest, sitemap_id, found, internet):
    internet.names["www.shop.example"] = [[PUBLIC]]
    internet.web.answers["/sitemap.xml"] = redirect("http://www.shop.example/usual.xml")
    internet.web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /b\n")
    listed = [
        f"http://{host}/{page}" for host in ("www.shop.example", "x.example") for page in "ab"
    ]
    internet.web.answers["/usual.xml"] = sitemap(*listed)

    assert ingest(sitemap_id)["pages"] == 1
    assert found() == ["http://www.shop.example/a"]


def test_a_sitemap_of_nothing_but_forbidden_pages_ends(ingest, sitemap_id, internet, monkeypatch):
    monkeypatch.setattr(sitemaps, "MAX_LOOKED_AT", 2)
    internet.web.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /b\n")
    internet.web.answers["/sitemap.xml"] = sitemap("b1", "b2", "a")

    assert ingest(sitemap_id)["code"] == "sitemap_broken"


def test_a_sitemap_gives_so_many_pages_and_no_more(
    ingest, sitemap_id, found, internet, monkeypatch
):
    monkeypatch.setattr(sitemaps, "MAX_PAGES", 3)
    internet.web.answers["/sitemap.xml"] = sitemap(*map(str, range(9)))

    ingest(sitemap_id)

    assert found() == ["0", "1", "2"]


def test_a_plan_without_room_takes_as_many_pages_as_it_has_room_for(
    query, ingest, sitemap_id, found
):
    query("update plans set source_limit = 2")

    assert ingest(sitemap_id)["code"] == "sources_full"
    assert found() == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>no sitemap</body></html>",
        b"<urlset><url><loc>http://shop.example/a</loc>",
        b"\x1f\x8bnot packed",
        gzip.compress(bytes(30_000_000)),
        b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><urlset><u><loc>&e;</loc></u></urlset>',
    ],
)
def test_what_is_no_sitemap_says_so(ingest, sitemap_id, found, internet, body):
    internet.web.answers["/sitemap.xml"] = answer(body, content_type="application/xml")

    assert ingest(sitemap_id)["code"] in ("sitemap_broken", "document_too_large")
    assert found() == []


def test_a_sitemap_that_is_removed_takes_its_pages_with_it(query, conn, ingest, sitemap_id):
    ingest(sitemap_id)

    query("delete from sources where id = %s", sitemap_id)

    assert query("select count(*) from sources") == [(0,)]
