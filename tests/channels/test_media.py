"""Files of contacts over the internet: from the vendor's hosts, with its secrets to those alone."""

import pytest

import f.shared.safe_fetch as safe_fetch
from f.channels.registry import media_library
from f.shared.errors import InputRefused, UpstreamDown
from tests.channels.vendors import CREDENTIALS
from tests.shared.fake_internet import PUBLIC, FakeInternet, answer, redirect

MEGABYTE = 1024 * 1024
FILE_HOSTS = ("api.twilio.com", "mms.twiliocdn.com", "scontent.xx.fbcdn.net", "lookaside.fbsbx.com")


@pytest.fixture
def internet(tmp_path, monkeypatch):
    found = FakeInternet(tmp_path)
    found.names = {name: [[PUBLIC]] for name in (*FILE_HOSTS, "api.telegram.org", "evil.example")}
    monkeypatch.setattr(safe_fetch, "INTERNET", found)
    yield found
    found.close()


def _fetch(kind: str, url: str, max_bytes: int = MEGABYTE) -> bytes:
    credentials = {**CREDENTIALS[kind], "account_id": "1", "api_url": None}
    said = {"url": url, "provider_media_id": None, "size_bytes": None, "sha256": None}
    return media_library(kind).fetch_media(credentials, said, max_bytes)


def _authorizations(site) -> list[bool]:
    return ["authorization: " in request.lower() for request in site.requests]


def test_twilios_token_does_not_follow_its_redirect(internet):
    cdn = "https://mms.twiliocdn.com/file"
    internet.secure_web.answers = {"/Media/1": redirect(cdn), "/file": answer(b"chairs")}

    assert _fetch("twilio", "https://api.twilio.com/Media/1") == b"chairs"

    assert _authorizations(internet.secure_web) == [True, False]


@pytest.mark.parametrize(
    "location", ["https://evil.example/", "http://169.254.169.254/", "https://127.0.0.1/"]
)
def test_a_redirect_away_from_the_vendor_is_not_followed(internet, location):
    internet.secure_web.answers = {"/Media/1": redirect(location)}

    with pytest.raises(UpstreamDown):
        _fetch("twilio", "https://api.twilio.com/Media/1")

    assert len(internet.secure_web.requests) == 1 and internet.web.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://fbcdn.net.evil.example/x",
        "http://127.0.0.1/latest",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_that_is_not_the_vendors_is_not_fetched(internet, url):
    with pytest.raises(UpstreamDown):
        _fetch("messenger", url)

    assert internet.opened == []


def test_a_file_larger_than_it_may_be_is_left(internet):
    internet.secure_web.answers = {"/x": answer(bytes(2000))}

    with pytest.raises(InputRefused) as refused:
        _fetch("messenger", "https://scontent.xx.fbcdn.net/x", max_bytes=1000)

    assert refused.value.code == "media_too_large"


def test_whatsapps_token_goes_to_its_host_of_files_and_no_other(internet, monkeypatch):
    told = {"url": "https://lookaside.fbsbx.com/file"}
    monkeypatch.setattr("f.channels.graph.call", lambda *_: told)
    elsewhere = redirect("https://scontent.xx.fbcdn.net/file2")
    internet.secure_web.answers = {"/file": elsewhere, "/file2": answer(b"pixels")}

    assert _fetch("whatsapp", "") == b"pixels"

    assert _authorizations(internet.secure_web) == [True, False]


def test_other_bytes_than_were_announced_are_no_file(internet, monkeypatch):
    monkeypatch.setattr("f.channels.graph.call", lambda *_: {"url": "https://x.fbcdn.net/file"})
    internet.names["x.fbcdn.net"] = [[PUBLIC]]
    internet.secure_web.answers = {"/file": answer(b"pixels")}
    said = {"provider_media_id": "1", "sha256": "of something else"}

    with pytest.raises(UpstreamDown):
        media_library("whatsapp").fetch_media(
            {**CREDENTIALS["whatsapp"], "account_id": "1"}, said, 100
        )


def test_telegrams_token_is_in_no_error(internet, monkeypatch):
    told = {"result": {"file_path": "documents/file_1.pdf"}}
    monkeypatch.setattr("f.channels.telegram_media.call", lambda *_: told)

    with pytest.raises(UpstreamDown) as raised:
        _fetch("telegram", "")

    assert "AAbottoken" in internet.secure_web.requests[0]
    assert "AAbottoken" not in f"{raised.value!r} {raised.value.__cause__!r}"
