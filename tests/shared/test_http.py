"""The HTTP client: statuses in our words, bodies for who knows the vendor, no secrets published."""

import time

import pytest
from werkzeug import Response

from f.shared.errors import (
    DeliveryUnknown,
    Misconfigured,
    UpstreamBusy,
    UpstreamDown,
    UpstreamRefused,
)
from f.shared.http import request


@pytest.mark.parametrize(
    ("status", "error"), [(500, UpstreamDown), (429, UpstreamBusy), (404, UpstreamRefused)]
)
def test_a_status_becomes_the_class_of_who_acts_next(httpserver, status, error):
    httpserver.expect_request("/x").respond_with_data("details", status=status)

    with pytest.raises(error) as raised:
        request("GET", httpserver.url_for("/x"))

    assert (raised.value.status, raised.value.body) == (status, b"details")


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30), ("", None), ("soon", None), ("9" * 40, None), ("-1", None)]
)
def test_how_long_a_vendor_asks_us_to_wait_comes_with_the_error(httpserver, header, seconds):
    httpserver.expect_request("/x").respond_with_data("", 429, {"retry-after": header})

    with pytest.raises(UpstreamBusy) as raised:
        request("GET", httpserver.url_for("/x"))

    assert raised.value.retry_after_seconds == seconds


def test_a_vendors_body_is_not_published_with_the_error(httpserver):
    httpserver.expect_request("/x").respond_with_data("a name", status=404)

    with pytest.raises(UpstreamRefused) as raised:
        request("GET", httpserver.url_for("/x"))

    # Windmill shows an exception's __dict__ as `error.extra`.
    assert set(vars(raised.value)) == {"retryable", "alerts", "status", "code"}


def test_a_server_that_is_not_there_was_surely_not_reached():
    with pytest.raises(UpstreamDown):
        request("GET", "http://127.0.0.1:1/x")


def test_a_call_cut_off_after_it_was_sent_is_unknown(httpserver):
    def hang(_):
        time.sleep(0.5)
        return Response("late")

    httpserver.expect_request("/x").respond_with_handler(hang)

    with pytest.raises(DeliveryUnknown):
        request("POST", httpserver.url_for("/x"), json={}, timeout_seconds=0.1)


def test_a_redirect_is_not_followed(httpserver):
    httpserver.expect_request("/x").respond_with_data("", 302, {"location": "/y"})

    assert request("GET", httpserver.url_for("/x")).status == 302


@pytest.mark.parametrize("url", ["", "graph.example/x y", "http://[::1/x", "ftp://a.example/"])
def test_an_address_that_is_no_url_is_a_setting_to_mend(url):
    with pytest.raises(Misconfigured):
        request("GET", url)
