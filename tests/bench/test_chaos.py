"""The chaos run itself: that it finds a broken rule, and what its judge calls lost and doubled."""

import asyncio
from dataclasses import replace

import pytest

from bench.chaos import graph, receipts
from bench.chaos.command import mixed_run
from bench.chaos.conductor import Conductor
from bench.chaos.journal import Accepted, Journal, Message
from bench.chaos.options import parse
from bench.chaos.oracle import judge
from bench.chaos.stage import Stage
from local.installation import DEMO_ORGANIZATION
from local.secrets_file import load_secrets
from tests.conftest import LOGIN_KEY


@pytest.fixture
def stage(owner, tmp_path) -> Stage:
    secrets = replace(load_secrets(tmp_path), login_key=LOGIN_KEY)
    return Stage(tmp_path, owner, secrets, [DEMO_ORGANIZATION])


def test_a_grace_that_nobody_waits_for_is_found_as_doubled_messages(stage, query, monkeypatch):
    monkeypatch.setattr(graph, "FATES", {"accepted, connection cut": 0.7})
    monkeypatch.setattr(receipts, "USUAL_SECONDS", (12, 12))
    query(
        "create or replace function grace_left_seconds(p_message outbound_messages)"
        " returns numeric as $$ select 0::numeric $$ language sql stable"
    )

    report = asyncio.run(mixed_run(Conductor(stage, options("--messages=12 --faults=sends"))))

    assert report["doubled"] > 0
    assert any(
        sentence.startswith("messages were answered twice: m") for sentence in report["broken"]
    )


def options(text: str):
    return parse(text.split(), [])


@pytest.fixture
def journal() -> Journal:
    """Ada wrote twice, the second time when the first message was long acknowledged."""
    return Journal(
        messages={
            "m1": Message("m1", "ada", 1, "Hi", posted_at=1, acknowledged_at=2),
            "m2": Message("m2", "ada", 2, "Hello?", posted_at=3, acknowledged_at=4),
        }
    )


def accepted(at: float, *tokens: str, reference: str = "r1") -> Accepted:
    return Accepted(reference, "ada", tokens, at)


def test_a_message_that_nobody_answered_is_lost(journal):
    journal.accepted = [accepted(5, "m1")]

    assert judge(journal, unknown=set()).lost == ["m2"]


def test_a_message_with_a_visible_end_is_not_lost(journal):
    journal.refused_for_good = [accepted(5, "m2")]

    verdict = judge(journal, unknown={"m1"})

    assert (verdict.lost, verdict.unknown, verdict.refused_for_good) == ([], ["m1"], ["m2"])


@pytest.mark.parametrize("references", [("r1", "r1"), ("r1", "r2")])
def test_a_message_in_two_replies_is_doubled(journal, references):
    first, second = references
    journal.accepted = [
        accepted(5, "m1", reference=first),
        accepted(6, "m1", "m2", reference=second),
    ]

    assert "m1" in judge(journal, unknown=set()).doubled


def test_an_answer_before_that_of_an_earlier_message_is_out_of_order(journal):
    journal.accepted = [accepted(5, "m2", reference="r1"), accepted(6, "m1", reference="r2")]

    assert judge(journal, unknown=set()).out_of_order == ["m1"]


def test_two_messages_that_were_under_way_at_once_have_no_order(journal):
    journal.messages["m2"].posted_at = 1.5
    journal.accepted = [accepted(5, "m2", reference="r1"), accepted(6, "m1", reference="r2")]

    assert judge(journal, unknown=set()).out_of_order == []
