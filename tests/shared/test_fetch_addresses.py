"""S01-S13, S17: nothing that somebody writes into an address lets them reach what is not public.

docs/reliability.md names the cases; whatever happens, the internal stand-in hears nothing.
"""

import pytest

from f.shared.addresses import is_this_machine
from f.shared.safe_fetch import fetch
from tests.shared.fake_internet import PRIVATE, PUBLIC, answer, redirect


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
