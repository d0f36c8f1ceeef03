"""What the bench of a turn's own cost prints, with and without what it is compared with."""

from bench.agent import report
from bench.model_faults.command import headline

OURS = {"chatmill": {"turns": 300, "p50_ms": 1.2, "p95_ms": 2.0}}


def test_without_langchain_it_is_said_how_to_have_its_row(capsys):
    report(OURS, False)

    told = capsys.readouterr().out
    assert "p50     1.2 ms" in told
    assert ".venv/bin/pip install -r bench/requirements-agent.txt" in told


def test_with_langchain_its_row_is_beside_ours(capsys):
    report({**OURS, "langchain": {"turns": 300, "p50_ms": 4.5, "p95_ms": 6.0}}, False)

    told = capsys.readouterr().out
    assert "langchain  p50     4.5 ms" in told
    assert "pip install" not in told


def test_the_promised_figures_of_failing_vendors_stand_in_one_sentence():
    figures = {
        "turns": 1000,
        "answered_share": 0.998,
        "duplicate_effects": 0,
        "half_replies": 0,
        "turn_seconds": {"max": 31.2},
    }

    told = headline(figures)

    assert told.startswith("99.8% of 1000 turns answered by the chain (at least 99.5%)")
    assert "0 duplicate effects" in told and "0 half replies" in told
    assert "slowest turn 31.2 s (at most 60 s)" in told
