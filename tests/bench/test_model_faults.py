"""A few turns while the vendors of models fail; `./chatmill bench agent --faults` runs 1,000."""

from dataclasses import replace

import pytest

from bench.model_faults import turns
from bench.model_faults.command import broken, figures_of
from bench.model_faults.turns import Seen, run
from local.progress import Progress
from local.secrets_file import load_secrets
from tests.conftest import LOGIN_KEY

SOON_OVER = {"throttled": 0.03, "failed": 0.04, "cut": 0.04, "garbled": 0.04}


def test_l03_l05_l14_turns_are_answered_once_and_whole_while_every_vendor_fails(
    owner, tmp_path, monkeypatch
):
    monkeypatch.setattr(turns, "KILL_EVERY_SECONDS", 2)
    secrets = replace(load_secrets(tmp_path), login_key=LOGIN_KEY)

    seen = run(owner, secrets, 10, 3, Progress(), SOON_OVER)

    figures = figures_of(seen)
    assert figures["turns"] == figures["answered_by_the_chain"] == 10
    assert seen.faults["killed"] > 0
    assert broken(figures) == []
    assert figures["orders_cancelled"] == 5


@pytest.mark.parametrize(
    ("spoiled", "name"),
    [
        ({"turns": [("does 1", "Order 1 is canc", 1.0)]}, "half_replies"),
        ({"turns": [("does 1", None, 1.0)]}, "unanswered"),
        ({"cancelled": {"1": 2}}, "duplicate_effects"),
        ({"accepted": {("1", "Hi"): 2}}, "duplicate_replies"),
        ({"turns": [("does 1", "Sorry.", 1.0)], "own_words": {"Sorry."}}, "answered"),
        ({"turns": [("does 1", "Sorry.", 61.0)], "own_words": {"Sorry."}}, "the slowest turn"),
    ],
)
def test_what_breaks_a_promise_is_said(spoiled, name):
    seen = Seen(**{"turns": [("asks 1", None, 1.0)], **spoiled})

    assert any(sentence.startswith(name) for sentence in broken(figures_of(seen)))
