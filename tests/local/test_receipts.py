"""A turn explains itself, and can be answered again without anybody being told."""

import json

import pytest

from f.chat import load_turn, run_agent
from local.errors import CannotRun
from local.receipt import read_latest, read_receipt, report_latest
from local.receipt import report as print_receipt
from local.rehearsal import Stage
from local.replay import replay, report
from tests.chat.tools import MODEL, approve
from tests.conftest import CHATBOT_ID, SEALING_KEY
from tests.scripted_model import calls, says

PASSAGE = {
    "chunk_id": "0d000000-0000-4000-8000-000000000001",
    "title": "Refunds",
    "heading_path": "Refunds > How long",
    "score": 0.71,
}


class Found:
    """The knowledge tool of an organization with one passage."""

    name = "knowledge"
    links_are_known = True
    description = "Search."
    parameters = {"type": "object", "properties": {"query": {"type": "string"}}}

    def __init__(self, *_):
        pass

    def run(self, arguments):
        text = "Refunds take five working days."
        return json.dumps({"passages": [{"source": 1, "text": text}]}), {"passages": [PASSAGE]}


@pytest.fixture
def turn_id(database, windmill, arrive, query, model, monkeypatch):
    """A turn that looked something up, cited it, and handed over."""
    monkeypatch.setattr("f.agent.tool_kinds.KnowledgeTool", Found)
    model.will(
        calls("knowledge", query="refunds"),
        calls("hand_off", reason="complaint"),
        says("Five working days [1]. I have passed this on to a colleague."),
    )
    _, conversation_id, _ = arrive("How long do refunds take?")
    turn = load_turn.main(database, MODEL, conversation_id)
    run_agent.main(database, model.resource, turn["turn_id"], turn["fence"])
    return turn["turn_id"]


@pytest.fixture
def stage(owner, model, windmill):
    return Stage(owner, model.resource, SEALING_KEY, CHATBOT_ID)


def test_a_receipt_tells_what_was_found_called_decided_and_paid(owner, turn_id, capsys):
    receipt = read_receipt(owner, turn_id)
    print_receipt(receipt)

    printed = capsys.readouterr().out
    assert [one["tool"] for one in receipt["tool_calls"]] == ["knowledge", "hand_off"]
    assert [one["state"] for one in receipt["effects"]] == ["done"]
    assert [(one["number"], one["title"]) for one in receipt["citations"]] == [(1, "Refunds")]
    assert len(receipt["prompt_sha256"]) == 64
    for part in ("0.7100", PASSAGE["chunk_id"], "complaint", "100 + 20 tokens", "route auto"):
        assert part in printed


def test_a_receipt_adds_up_to_what_the_turn_is_charged(
    owner, database, turn_id, query, windmill, capsys
):
    query("insert into prices values ('scripted', '2026-01-01', 2, 10), ('x', '2026-01-01', 7, 7)")
    lost = "select book_lost_call(%s, 1, 0, gen_random_uuid(), 'x', 30, 20, false)"
    query("update conversation_work set fence = 2")
    query(lost, turn_id)
    before = read_receipt(owner, turn_id)
    query("select charge_turn(%s, 2)", turn_id)
    query(lost, turn_id)

    receipt = read_receipt(owner, turn_id)
    print_receipt(receipt)

    calls_made = receipt["model_calls"]
    assert sum(call["cost_microcents"] for call in calls_made) == receipt["cost_microcents"]
    assert sum(call["input_tokens"] for call in calls_made) == receipt["input_tokens"] == 360
    assert before["model_calls"] == calls_made[:-1]
    assert "360 + 100 tokens" in capsys.readouterr().out


def test_the_latest_turns_are_listed_with_the_ids_that_a_receipt_asks_for(owner, turn_id, capsys):
    latest = read_latest(owner)
    report_latest(latest, as_json=False)

    assert [turn["id"] for turn in latest] == [turn_id]
    printed = capsys.readouterr().out
    assert turn_id in printed and "How long do refunds take?" in printed
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_where_nobody_was_answered_a_receipt_says_so(owner, capsys):
    report_latest(read_latest(owner), as_json=False)

    assert capsys.readouterr().out == "Nobody was answered yet.\n"


def test_a_receipt_of_no_turn_is_a_sentence(owner):
    with pytest.raises(CannotRun):
        read_receipt(owner, "00000000-0000-4000-8000-000000000000")


def test_a_replay_changes_nothing_and_shows_the_difference(
    owner, stage, turn_id, query, model, capsys
):
    tables = ("turns", "handoffs", "tool_effects", "outbound_messages", "model_calls", "alerts")
    before = [query(f"select * from {table} order by 1") for table in tables]
    model.will(
        calls("knowledge", query="refunds"),
        calls("hand_off", reason="complaint"),
        says("Three working days. I have passed this on to a colleague."),
    )

    then = read_receipt(owner, turn_id)
    now = replay(stage, then)
    report(then, now)

    assert [query(f"select * from {table} order by 1") for table in tables] == before
    assert now["tokens"] == (300, 60)
    assert "Three working days" in capsys.readouterr().out


def test_a_replay_calls_nothing_outside(stage, owner, turn_id, query, model, windmill):
    approve(query, class_="read")
    model.will(calls("cancel_order", number="12"), says("I can't see that."))

    now = replay(stage, read_receipt(owner, turn_id))

    assert (now["tools"], windmill.scripts) == (["cancel_order"], [])


def test_a_replay_with_the_same_answer_shows_none(owner, stage, turn_id, model, capsys):
    model.will(
        calls("knowledge", query="refunds"),
        calls("hand_off", reason="complaint"),
        says("Five working days [1]. I have passed this on to a colleague."),
    )

    then = read_receipt(owner, turn_id)
    report(then, replay(stage, then))

    assert capsys.readouterr().out.rstrip().endswith("none")
