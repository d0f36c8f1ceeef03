"""docs/promises.md: each run writes its own section and leaves the others as they are."""

import pytest

from bench.chaos import promises
from bench.chaos.options import parse


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(promises, "FILE", tmp_path / "promises.md")
    return promises.FILE


def write(scenario: str, sentence: str, broken=()) -> None:
    options = parse([f"--scenario={scenario}"], ["takeover", "burst"])
    promises.write_promises({"promises": [sentence], "broken": list(broken)}, options)


def test_a_run_replaces_its_own_section_only(page):
    write("burst", "All are kept.")
    write("takeover", "Nothing is said.")

    write("takeover", "Not a word is said.")

    text = page.read_text()
    assert "All are kept." in text and "Not a word is said." in text
    assert "Nothing is said." not in text
    assert text.index("## A teammate takes over") < text.index("## Ten thousand webhooks")


def test_a_promise_that_broke_is_told_on_the_page(page):
    write("burst", "All are kept.", broken=["messages were lost: m1"])

    assert "**Broken in this run:** messages were lost: m1." in page.read_text()


def test_a_section_says_how_it_was_measured(page):
    write("burst", "All are kept.")

    assert "`./chatmill chaos --scenario=burst`, seed 7, commit " in page.read_text()
