"""Whose rate a request of the web chat counts against."""

import pytest
from starlette.requests import Request

from local.web_limits import Limits


def address(host: str, *forwarded: str, proxies: int = 0) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    request = Request({"type": "http", "headers": headers, "client": (host, 1)})
    return Limits(None, "key", proxies)._address(request)


def test_a_proxy_that_adds_a_line_is_believed_and_not_the_line_of_the_client():
    assert address("10.0.0.1", "6.6.6.6", "203.0.113.9", proxies=1) == address("203.0.113.9")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("::ffff:203.0.113.1", "203.0.113.1", True),
        ("::ffff:203.0.113.1", "::ffff:203.0.113.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_one_connection_to_the_internet_is_one_address(one, other, is_same):
    assert (address(one) == address(other)) is is_same
