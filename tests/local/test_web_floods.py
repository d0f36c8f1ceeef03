"""Nobody floods the web chat's server, and nobody is slowed down for another."""

from contextlib import closing

from tests.local.web_chat import SHOP, Page, read_stream, serving


def test_one_visitor_holds_so_many_connections_and_no_more(served, page, monkeypatch):
    monkeypatch.setattr("local.web_api.MOST_WAITING", 1)
    with closing(read_stream(page, last_event_id="0")) as events:
        next(events)

        assert page.poll("?wait=1").code == "too_many_requests"


def test_a_flood_is_slowed_down_and_says_for_how_long(page, query):
    answers = [page.say() for _ in range(12)]

    assert [answer.status for answer in answers].count(202) == 10
    assert (answers[-1].code, answers[-1].headers["retry-after"]) == ("too_many_requests", "2")
    assert answers[-1].headers["access-control-allow-origin"] == SHOP
    assert query("select count(*) from inbound_messages") == [(10,)]


def test_one_visitors_flood_is_not_anothers(page, stranger):
    for _ in range(11):
        page.say()

    assert stranger.say().status == 202


def test_sessions_cannot_be_opened_without_end_from_one_address(address, query):
    statuses = [Page(address).start().status for _ in range(22)]

    assert statuses.count(201) == 20 and 429 in statuses
    assert not query("select from rate_buckets where subject like '%%127.0.0.1%%'")


def test_tokens_cannot_be_tried_without_end(page):
    page.token = "A" * 43

    assert [page.poll().status for _ in range(130)].count(429) > 0


def test_what_a_client_says_of_its_address_is_not_believed(address):
    statuses = [
        Page(address, headers={"x-forwarded-for": f"203.0.113.{n}"}).start().status
        for n in range(22)
    ]

    assert 429 in statuses


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    databases, windmill, query, tmp_path
):
    query("""update channels set settings = '{"origins": ["shop.example"]}' where kind = 'web'""")
    with serving(tmp_path, proxies=1) as served:
        address = served.on(databases)
        statuses = [
            Page(address, headers={"x-forwarded-for": f"6.6.6.6, 203.0.113.{n}"}).start().status
            for n in range(22)
        ]

    assert statuses == [201] * 22
