"""What a website answers is fetched whole or not at all; S14-S16: too much, too slow, not its own.

docs/reliability.md names the cases; which addresses are reached is in test_fetch_addresses.py.
"""

import gzip
import time

import pytest

from f.shared.safe_fetch import Known, Rules, fetch
from tests.shared.fake_internet import PUBLIC, answer, redirect


def test_a_public_page_is_fetched(internet):
    internet.web.answers["/help?a=1"] = answer(
        b"Hi", content_type="text/html; charset=UTF-8", etag='"1"'
    )

    found = fetch("http://Shop.Example/help?a=1#part", internet=internet)

    assert found.url == "http://shop.example/help?a=1"
    assert (found.content, found.media_type, found.charset) == (b"Hi", "text/html", "utf-8")
    assert found.etag == '"1"'


def test_a_page_that_did_not_change_is_not_sent_again(internet):
    internet.web.answers["/"] = answer(b"", "304 Not Modified", content_type="")

    found = fetch("http://shop.example/", known=Known(etag='"1"'), internet=internet)

    assert found.is_unchanged
    assert 'if-none-match: "1"' in internet.web.requests[0].lower()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("404 Not Found", "url_not_found"),
        ("403 Forbidden", "url_needs_login"),
        ("503 Busy", "url_failed"),
        ("304 Not Modified", "url_failed"),  # of nothing that we have
    ],
)
def test_what_a_public_website_answers_is_told(internet, refusal, status, code):
    internet.web.answers["/"] = answer(b"", status)

    assert refusal("http://shop.example/") == code


def endless(connection) -> None:
    connection.sendall(answer(b"", transfer_encoding="chunked", content_length=""))
    while True:
        connection.sendall(b"100000\r\n" + bytes(0x100000) + b"\r\n")


TOO_MUCH = {
    "11 MB": (answer(bytes(11 * 1024 * 1024)), "url_too_large"),
    "a length of 11 MB": (answer(b"", content_length=str(11 * 1024 * 1024)), "url_too_large"),
    "no length": (answer(bytes(11 * 1024 * 1024), content_length=""), "url_too_large"),
    "no end": (endless, "url_too_large"),
    "a length that is too small": (answer(b"Hello", content_length="2"), None),
    "a length that is too great": (answer(b"Hello", content_length="9"), "url_blocked"),
    "a length below zero": (answer(b"Hello", content_length="-9"), None),
    "a gzip bomb": (
        answer(gzip.compress(bytes(50_000_000)), content_encoding="gzip"),
        "url_type_refused",
    ),
    "a picture": (answer(content_type="image/png"), "url_type_refused"),
    "a type with a zero": (answer(content_type="text/pl\0ain"), "url_type_refused"),
    "a type of a thousand letters": (
        answer(content_type="text/" + "a" * 1000),
        "url_type_refused",
    ),
    "no type": (answer(content_type=""), "url_type_refused"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_s14_a_body_of_another_size_or_kind_than_agreed_is_refused(internet, refusal, name):
    internet.web.answers["/"], code = TOO_MUCH[name]
    rules = Rules(seconds=10)

    if code:
        assert refusal("http://shop.example/", rules) == code
    else:
        assert fetch("http://shop.example/", rules, internet=internet).content in (b"He", b"Hello")


def drip(text: bytes):
    def send(connection) -> None:
        for place in range(len(text)):
            connection.sendall(text[place : place + 1])
            time.sleep(0.03)

    return send


def hang(connection) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    "site", [hang, drip(answer()), drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 99)]
)
def test_s15_a_website_that_never_ends_its_answer_is_left(internet, refusal, site):
    internet.web.answers["/"] = site

    assert refusal("http://shop.example/") == "url_too_slow"


def test_s15_a_handshake_that_never_ends_is_left(internet, refusal):
    internet.secure_web.is_silent = True

    assert refusal("https://shop.example/") == "url_too_slow"


def test_s15_a_name_server_that_never_answers_is_left(internet, refusal, monkeypatch):
    monkeypatch.setattr(internet, "look_up", lambda host: time.sleep(1) or [PUBLIC])

    assert refusal("http://shop.example/") == "url_too_slow"
    assert internet.opened == []


MEDIA = Rules(
    media_types=("image/",),
    allowed_hosts=frozenset({"shop.example", ".cdn.example"}),
    secret_headers={"shop.example": {"authorization": "Bearer the-token"}},
)


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example/photo",
        "https://shop.example.media.example/photo",
        "https://notcdn.example/photo",
        "https://127.0.0.2/photo",
    ],
)
def test_s16_media_comes_from_the_vendors_hosts_only(refusal, url):
    assert refusal(url, MEDIA) == "url_blocked"


def test_s16_a_token_goes_to_its_host_and_over_tls_only(internet):
    internet.names["a.cdn.example"] = [[PUBLIC]]
    internet.secure_web.answers["/photo"] = redirect("http://a.cdn.example/photo")
    internet.web.answers["/photo"] = answer(b"x", content_type="image/png")

    fetch("https://shop.example/photo", MEDIA, internet=internet)

    assert "the-token" in internet.secure_web.requests[0]
    assert "the-token" not in internet.web.requests[0]


def test_s16_a_certificate_of_another_name_is_refused(internet, refusal):
    internet.names["other.example"] = [[PUBLIC]]

    assert refusal("https://other.example/") == "url_blocked"
    assert internet.secure_web.requests == []
