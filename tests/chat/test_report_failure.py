"""The report of a failure: whatever broke, and whoever started the flow, it is made."""

import pytest

from f.chat import report_failure
from tests.conftest import ORGANIZATION_ID

ALERTS = "select organization_id::text, code, summary from alerts"


def test_an_error_of_the_engine_names_no_step_and_is_reported(database, query, windmill, arrive):
    _, conversation_id, _ = arrive("Hi")

    report_failure.main(database, conversation_id, None, None, None, True)

    assert query(ALERTS) == [
        (
            ORGANIZATION_ID,
            "step_failed",
            "answer_message failed with an error without a name in conversation " + conversation_id,
        )
    ]


@pytest.mark.parametrize(
    "conversation_id",
    ["Hi, where is my order?", "", None, "00000000-0000-4000-8000-000000000000"],
)
def test_a_conversation_that_is_none_is_not_named_and_breaks_no_report(
    database, query, windmill, conversation_id
):
    result = report_failure.main(database, conversation_id, 1, "load_turn", "DataRefused", True)

    assert result["given_back"] is False
    assert query(ALERTS) == [(None, "step_failed", "step load_turn failed with DataRefused")]


def test_a_failure_before_any_claim_only_alerts(database, query, windmill, arrive):
    _, conversation_id, _ = arrive("Hi")

    result = report_failure.main(database, conversation_id, None, "load_turn", "UpstreamDown", True)

    assert (result["given_back"], windmill.started) == (False, [])
    assert query("select code from alerts") == [("step_failed",)]


def test_k12_a_failed_step_gives_the_turn_back_with_one_alert(database, query, windmill, loaded):
    conversation_id, turn = loaded

    for _ in range(2):
        report_failure.main(
            database, conversation_id, turn["fence"], "run_agent", "UpstreamDown", True
        )

    assert windmill.started[0] == (
        "f/chat/answer_message",
        {"conversation_id": conversation_id},
        2,
    )
    assert query("select code, occurrences from alerts") == [("step_failed", 2)]


def test_a_worker_that_lost_the_conversation_gives_nothing_back(database, query, windmill, loaded):
    conversation_id, turn = loaded

    result = report_failure.main(
        database, conversation_id, turn["fence"] - 1, "run_agent", "StaleTurn", False
    )

    assert result["given_back"] is False
    assert query("select lease_until is not null from conversation_work") == [(True,)]
    assert (windmill.started, query("select count(*) from alerts")) == ([], [(0,)])
