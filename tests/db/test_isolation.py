"""X01, X10, X11: a hundred thousand hostile statements as the real roles see no foreign row."""

from bench.isolation import attack, overhead
from tests.conftest import LOGIN_KEY


def test_x01_x10_x11_a_hundred_thousand_hostile_statements_see_no_foreign_row(owner):
    report = attack(owner, LOGIN_KEY, 100_000, seed=7)

    assert report["findings"] == []
    assert report["queries"] >= 100_000
    assert report["own_rows_seen"] > 1000, "nothing was let in: the attacks tried nothing"


def test_a_hole_in_one_policy_is_found(owner, query):
    query("create policy hole on messages using (true)")

    report = attack(owner, LOGIN_KEY, 8_000, seed=7)

    assert report["foreign_rows"] > 0


def test_what_the_policies_cost_can_be_printed(owner):
    attack(owner, LOGIN_KEY, 2, seed=1)

    assert all(times["with_us"] > 0 for times in overhead(owner, LOGIN_KEY).values())
