"""S01-S17: nothing that somebody writes into an address lets them reach what is not public.

docs/reliability.md names the cases; whatever happens, the internal stand-in hears nothing.
"""

import gzip
import time

import pytest

from f.shared.addresses import is_this_machine
from f.shared.errors import InputRefused
from f.shared.fetch_refusals import SENTENCES
from f.shared.safe_fetch import Known, Rules, fetch
from tests.shared.fake_internet import PRIVATE, PUBLIC, FakeInternet, answer, redirect

QUICK = Rules(seconds=0.4)


@pytest.fixture
def internet(tmp_path):
    fake = FakeInternet(tmp_path)
    fake.names = {
        "shop.example": [[PUBLIC]],
        "media.example": [[PUBLIC]],
        "inside.example": [[PRIVATE]],
    }
    fake.web.answers["/"] = answer()
    yield fake
    fake.close()
    assert fake.internal.requests == []
    assert PRIVATE not in fake.opened


@pytest.fixture
def refusal(internet):
    """refusal(url, ...) -> the code it is refused with"""

    def run(url: str, rules: Rules = QUICK) -> str:
        with pytest.raises(InputRefused) as raised:
            fetch(url, rules, internet=internet)
        assert str(raised.value) == SENTENCES[raised.value.code]
        return raised.value.code

    return run


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


@pytest.mark.parametrize("host", ["169.254.169.254", "100.100.100.200", "[fd00:ec2::254]"])
def test_s01_the_clouds_metadata_is_blocked(refusal, host):
    assert refusal(f"http://{host}/latest/meta-data/") == "url_blocked"


@pytest.mark.parametrize(
    "host",
    [
        *("127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0", "0x7f000001", "127.0.0.1."),
        *("127.0.0.1", "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "127%2e0.0.1"),
    ],
)
def test_s02_another_spelling_of_a_private_address_is_blocked(refusal, host):
    assert refusal(f"http://{host}/") == "url_blocked"


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "a.localhost", "localhost.", "windmill_server", "postgres"),
        *("db.internal", "printer.local", "chatmill.default.svc", "chat.example", "inside.example"),
    ],
)
def test_s03_names_of_this_installation_and_its_network_are_blocked(
    internet, refusal, monkeypatch, host
):
    internet.names["chat.example"] = [[PUBLIC]]
    monkeypatch.setenv("WM_BASE_URL", "https://chat.example")

    assert refusal(f"http://{host}/") == "url_blocked"


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "192.0.0.8"),
        *("198.18.0.1", "198.19.255.255", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1"),
        *("240.0.0.1", "255.255.255.255", "192.0.2.1", "192.88.99.1"),
    ],
)
def test_s04_private_ipv4_is_blocked_as_an_address_and_behind_a_name(internet, refusal, address):
    internet.names["evil.example"] = [[address]]

    assert refusal(f"http://{address}/") == "url_blocked"
    assert refusal("http://evil.example/") == "url_blocked"


@pytest.mark.parametrize(
    "address",
    [
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "3fff::1"),
        *("5f00::1", "2001:db8::1", "fec0::1", "100::1", "2001:2::1", "4000::1"),
    ],
)
def test_s05_private_ipv6_is_blocked_as_an_address_and_behind_a_name(internet, refusal, address):
    internet.names["evil.example"] = [[address]]

    assert refusal(f"http://[{address}]/") == "url_blocked"
    assert refusal("http://evil.example/") == "url_blocked"


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1"])
def test_s06_ipv4_written_as_ipv6_is_blocked(internet, refusal, address):
    internet.names["evil.example"] = [[address]]

    assert refusal(f"http://[{address}]/") == "url_blocked"
    assert refusal("http://evil.example/") == "url_blocked"


@pytest.mark.parametrize(
    "address",
    ["64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a9fe:a9fe::", "2001:0:4136:e378:8000:63bf::1"],
)
def test_s07_ipv4_carried_inside_ipv6_is_blocked(internet, refusal, address):
    internet.names["evil.example"] = [[address]]

    assert refusal(f"http://[{address}]/") == "url_blocked"
    assert refusal("http://evil.example/") == "url_blocked"


@pytest.mark.parametrize("answers", [[PUBLIC, PRIVATE], [PRIVATE, PUBLIC], [PUBLIC, "fd00::1"]])
def test_s08_one_private_answer_among_public_ones_blocks_the_name(internet, refusal, answers):
    internet.names["evil.example"] = [answers]

    assert refusal("http://evil.example/") == "url_blocked"
    assert internet.opened == []


def test_s09_a_name_that_changes_after_the_check_is_asked_only_once(internet):
    internet.names["evil.example"] = [[PUBLIC], [PRIVATE]]

    assert fetch("http://evil.example/", internet=internet).content == b"Hello"
    assert internet.opened == [PUBLIC]
    assert internet.names["evil.example"] == [[PRIVATE]]


def test_s09_a_name_that_changes_between_two_hops_is_blocked_at_the_second(internet, refusal):
    internet.names["evil.example"] = [[PUBLIC], [PRIVATE]]
    internet.web.answers["/"] = redirect("http://evil.example/again")

    assert refusal("http://evil.example/") == "url_blocked"
    assert internet.opened == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        *("http://127.0.0.1/", "http://inside.example/", "http://[::1]/", "//127.0.0.1/"),
        *("file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "http://shop.example:22/", ""),
        *("http://shop.example@127.0.0.1/", "http://loc\xe4lhost/", "http://[", "//["),
    ],
)
def test_s10_a_redirect_is_checked_like_the_first_address(internet, refusal, location):
    internet.web.answers["/"] = redirect(location).replace("ä".encode(), b"\xe4")

    assert refusal("http://shop.example/") == "url_blocked"


def test_s10_three_redirects_are_followed_and_a_fourth_is_not(internet, refusal):
    for hop in range(4):
        internet.web.answers[f"/{hop}"] = redirect(f"/{hop + 1}")
    internet.web.answers["/4"] = answer()

    assert fetch("http://shop.example/1", internet=internet).url == "http://shop.example/4"
    assert refusal("http://shop.example/0") == "url_blocked"


def test_s10_a_refresh_written_into_a_page_is_not_followed(internet):
    page = b'<meta http-equiv="refresh" content="0; url=http://127.0.0.1/">'
    internet.web.answers["/"] = answer(page, content_type="text/html")

    assert fetch("http://shop.example/", internet=internet).content == page
    assert len(internet.web.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://shop.example/",
            "gopher://shop.example/",
            "data:text/plain,x",
        ),
        *("jar:http://shop.example/!/", "//shop.example/", "http://", "http:///etc", "http:/x", ""),
        *("shop.example", "javascript:alert(1)", "http://.", "http://[", "http://shop.example:x/"),
    ],
)
def test_s11_anything_but_a_whole_http_address_is_blocked(refusal, url):
    assert refusal(url) == "url_blocked"


@pytest.mark.parametrize(
    "url",
    [
        *("http://user@shop.example/", "http://a:b@shop.example/", "http://@shop.example/"),
        *("http://shop.example#@127.0.0.1/", "http://127.0.0.1#@shop.example/"),
        *("http://shop.example\\@127.0.0.1/", "http://127.0.0.1\\.shop.example/"),
        *("http://shop.example/\r\nHost: x", "http://shop.example/a b", "http://shop.example/\t"),
        *("http://shop.example/" + "a" * 3000, "http://bücher.example/", " http://shop.example/"),
        *("http://shop.example/\0", "http://shop..example/", "http://-shop.example/"),
    ],
)
def test_s12_an_address_that_two_programs_may_read_in_two_ways_is_blocked(refusal, url):
    assert refusal(url) == "url_blocked"


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 8000, 0, 65536, 443])
def test_s13_only_the_ports_of_the_web_are_reached(refusal, port):
    assert refusal(f"http://shop.example:{port}/") == "url_blocked"


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


@pytest.mark.parametrize("address", [PRIVATE, "10.0.0.1", "::1", "169.254.169.254"])
def test_s17_no_port_of_the_internal_network_is_tried_so_none_can_be_told_by_time(
    internet, refusal, address
):
    internet.names["evil.example"] = [[address]]

    assert refusal("http://evil.example/") == "url_blocked"
    assert refusal("https://evil.example/") == "url_blocked"
    assert internet.opened == []


def test_s17_a_public_address_of_this_machine_is_not_the_internet():
    assert is_this_machine(PRIVATE)
    assert not is_this_machine("8.8.8.8")


def test_s17_what_is_not_there_reads_like_what_is_forbidden(internet, refusal):
    internet.names["gone.example"] = [["8.8.8.8"]]
    internet.open = lambda *_: (_ for _ in ()).throw(ConnectionRefusedError())

    assert refusal("http://gone.example/") == "url_blocked"
    assert refusal("http://unknown.example/") == "url_blocked"
