"""The schedule that asks every vendor: one that hangs must not keep the others from being asked."""

import socket
import time
from contextlib import closing

import pytest

from f.channels.checks import Problem
from f.ops import check_channels
from local.telegram_api import TelegramApi
from tests.channels.vendors import add_channel
from tests.conftest import SEALING_KEY


@pytest.fixture
def hanging():
    """An address that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_vendor_that_hangs_holds_up_no_other(query, operations_database, hanging, monkeypatch):
    monkeypatch.setattr(check_channels, "PATIENCE_SECONDS", 0.5)
    query("update channels set is_active = false")
    with TelegramApi("4242:AAbottoken") as api:
        add_channel(query, "telegram", "1", api_url=hanging)
        add_channel(query, "telegram", "4242", api_url=api.base_url)
        started = time.monotonic()

        result = check_channels.main(operations_database, SEALING_KEY)

    assert time.monotonic() - started < 5
    assert result == {"channels": 2, "problems": 2, "silent": 0}
    told = [summary.partition(": ")[2] for (summary,) in query("select summary from alerts")]
    assert sorted(told) == ["not_subscribed", "vendor_trouble no answer in 0.5 s"]


def test_channels_are_asked_beside_each_other_and_answered_in_their_order(monkeypatch):
    monkeypatch.setattr(check_channels, "AT_ONCE", 4)

    def ask(channel: str) -> list[Problem]:
        time.sleep(0.3 if channel == "a" else 0)
        return [Problem("no_origins", channel)]

    found = check_channels.asked_all(["a", "b", "c"], ask)

    assert [problems[0].details for problems in found] == ["a", "b", "c"]


def test_where_there_is_no_channel_nobody_is_asked():
    assert check_channels.asked_all([], lambda _: [Problem("no_origins")]) == []
