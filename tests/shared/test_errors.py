"""What an error class says of itself reaches the flow."""

import pytest

from f.shared.errors import AgentStuck, ChatmillError, StaleTurn, UpstreamBusy, UpstreamDown


@pytest.mark.parametrize(
    ("error", "published"),
    [
        (ChatmillError(), {"retryable": False, "alerts": True}),
        (StaleTurn(), {"retryable": False, "alerts": False}),
        (AgentStuck("time"), {"retryable": False, "alerts": True, "reason": "time"}),
    ],
)
def test_windmill_is_told_whether_to_retry_and_whether_to_alert(error, published):
    assert vars(error) == published


def test_a_vendor_that_is_busy_is_retried_in_silence_and_one_that_is_down_with_an_alert():
    busy, down = UpstreamBusy(status=429), UpstreamDown(status=503)

    assert (busy.retryable, busy.alerts) == (True, False)
    assert (down.retryable, down.alerts) == (True, True)


def test_an_error_without_words_says_what_its_class_is_for():
    assert str(StaleTurn()).startswith("Another worker has the conversation")
