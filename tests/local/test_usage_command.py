"""./chatmill usage: an operator reads in 80 columns who used what."""

import json

import pytest

from local import usage
from local.__main__ import main as chatmill
from local.postgres import Postgres
from tests.conftest import ORGANIZATION_ID


@pytest.fixture
def used(owner, query, monkeypatch):
    monkeypatch.setattr(usage, "open_postgres", lambda state: Postgres(owner))
    query("update plans set cost_limit_microcents = 50000000000")
    query("select open_usage_period(%s, current_date)", ORGANIZATION_ID)
    query(
        "update usage_periods set messages_used = 79000, messages_reserved = 2000,"
        " tokens_used = 412345678, tokens_overrun = 1234, cost_microcents = 123456789"
    )


def test_a_month_is_shown_in_eighty_columns_with_what_was_alerted(used, capsys):
    assert chatmill(["usage"]) == 0

    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert "79,000      2,000          0         100,000  81 %" in told
    assert "123.46       0.00       0.00          50,000   0 %" in told
    assert "alerted: messages near limit, tokens near limit" in told


def test_the_same_figures_are_read_by_programs(used, capsys):
    assert chatmill(["usage", ORGANIZATION_ID, "--json"]) == 0

    (period,) = json.loads(capsys.readouterr().out)
    assert (period["messages_percent"], period["tokens_overrun"]) == (81, 1234)


def test_an_organization_that_used_nothing_is_shown_and_an_unknown_one_is_said(used, query, capsys):
    query("delete from usage_periods")

    assert chatmill(["usage"]) == 0
    assert chatmill(["usage", "00000000-0000-4000-8000-00000000000f"]) == 1

    told = capsys.readouterr()
    assert "nothing used yet" in told.out and "there is no organization" in told.err
