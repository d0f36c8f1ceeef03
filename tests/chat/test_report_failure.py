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
