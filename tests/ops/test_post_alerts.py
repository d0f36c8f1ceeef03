"""Posting alerts: each told once, none lost while Slack is away, no secret in any result."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from f.ops import post_alerts
from f.shared.errors import Misconfigured
from local.json_server import Reply
from local.slack_webhook import SlackWebhook

_numbers = itertools.count(1)


@pytest.fixture
def slack(windmill, query, monkeypatch):
    """The stand-in, configured; pauses pass by moving the time in the database."""
    monkeypatch.setattr(post_alerts, "sleep", lambda _: let_it_be_called(query))
    with SlackWebhook(seconds_between=0) as stand_in:
        windmill.resources["f/ops/slack"] = {"webhook_url": stand_in.url}
        yield stand_in


def let_it_be_called(query) -> None:
    query("update alert_outlet set next_post_at = now()")


def trouble(query, count: int = 1) -> None:
    for _ in range(count):
        query("select raise_alert(null, 'error', 'step_failed', %s, 'x')", str(next(_numbers)))


def headlines(slack) -> list[str]:
    return [posted.body["text"] for posted in slack.posted]


def test_what_somebody_should_know_is_posted_once(operations_database, query, slack):
    organization = "(select id from organizations)"
    query(f"select raise_alert({organization}, 'warning', 'usage_near_limit', 'x', '80 of 100')")

    results = [post_alerts.main(operations_database) for _ in range(2)]

    assert results[0] == {"posted": 1, "waiting": {}, "slack": "ok"}
    assert headlines(slack) == ["warning: usage_near_limit"]
    attachment = slack.posted[0].body["attachments"][0]
    assert attachment["text"] == "80 of 100"
    assert attachment["footer"].startswith("organization 0a000000-0000-4000-8000-000000000001, 1 ")


def test_without_slack_the_step_succeeds_and_alerts_wait(operations_database, query, windmill):
    trouble(query, 2)

    result = post_alerts.main(operations_database)

    assert result == {"posted": 0, "waiting": {"error": 2}, "slack": "not configured"}


SLACK_AWAY = [
    Reply(500, b"rollup_error"),
    Reply(503, b"<html>"),
    Reply(429, {"ok": False}, {"Retry-After": "30"}),
]


@pytest.mark.parametrize("fault", SLACK_AWAY, ids=lambda fault: fault.status)
def test_a09_what_slack_can_not_take_now_is_posted_after_it_recovered(
    operations_database, query, slack, fault
):
    slack.fault = fault
    for _ in range(4):
        trouble(query)
        assert post_alerts.main(operations_database)["posted"] == 0
        let_it_be_called(query)
    slack.fault = None

    result = post_alerts.main(operations_database)

    assert (result["posted"], result["waiting"], result["slack"]) == (4, {}, "ok")
    assert len(slack.posted) == 4


def test_a09_slack_out_of_reach_is_an_outcome_and_not_a_failure(
    operations_database, query, windmill, slack
):
    windmill.resources["f/ops/slack"] = {"webhook_url": "http://127.0.0.1:1/services/x"}
    trouble(query)

    result = post_alerts.main(operations_database)

    assert result == {"posted": 0, "waiting": {"error": 1}, "slack": "no_answer"}


def test_a09_slack_is_not_called_before_the_time_it_asked_for(operations_database, query, slack):
    slack.fault = Reply(429, {"ok": False}, {"Retry-After": "45"})
    trouble(query)

    for _ in range(3):
        post_alerts.main(operations_database)

    assert slack.calls == 1
    [(wait_seconds,)] = query("select extract(epoch from next_post_at - now()) from alert_outlet")
    assert 40 < wait_seconds <= 45


@pytest.mark.parametrize(
    ("status", "word"),
    [(404, "no_service"), (400, "invalid_payload"), (403, "action_prohibited"), (410, "x y")],
)
def test_a09_what_a_person_must_change_is_said_and_slack_is_not_hammered(
    operations_database, query, slack, status, word
):
    slack.fault = Reply(status, word.encode())
    trouble(query)
    expected = "status_410" if status == 410 else word

    with pytest.raises(Misconfigured, match=expected):
        post_alerts.main(operations_database)
    later = [post_alerts.main(operations_database) for _ in range(3)]

    assert later == [{"posted": 0, "waiting": {"error": 1}, "slack": expected}] * 3
    assert slack.calls == 1


def test_a09_a_wrong_webhook_that_is_mended_gets_all_that_waited(
    operations_database, query, windmill, slack, monkeypatch
):
    right = windmill.resources["f/ops/slack"]
    windmill.resources["f/ops/slack"] = {"webhook_url": f"{slack.base_url}/services/wrong"}
    trouble(query, 3)
    with pytest.raises(Misconfigured, match="no_service"):
        post_alerts.main(operations_database)

    windmill.resources["f/ops/slack"] = right
    let_it_be_called(query)
    monkeypatch.setattr("f.shared.windmill._kept", {})

    assert post_alerts.main(operations_database) == {"posted": 3, "waiting": {}, "slack": "ok"}


@pytest.mark.parametrize("url", ["", "http://elsewhere.example/SECRET", "https://[SECRET/x"])
def test_a09_an_address_that_is_none_is_said_without_showing_it(
    operations_database, query, windmill, slack, url
):
    windmill.resources["f/ops/slack"] = {"webhook_url": url}
    trouble(query)

    with pytest.raises(Misconfigured) as raised:
        post_alerts.main(operations_database)

    assert "webhook_url_wrong" in str(raised.value) and "SECRET" not in repr(raised.value)
    assert raised.value.__suppress_context__
    assert "SECRET" not in json.dumps(post_alerts.main(operations_database))


FIVE_THOUSAND_ERRORS = """
do $$ begin
  for number in 1..5000 loop
    perform raise_alert(null, 'error', 'step_failed', 'same', 'the same');
    commit;
  end loop;
end $$
"""


def test_a10_ten_thousand_equal_errors_are_one_message_in_ten_minutes(
    operations_database, query, slack
):
    for _ in range(2):
        query(FIVE_THOUSAND_ERRORS)
        post_alerts.main(operations_database)
        let_it_be_called(query)
    within_ten_minutes = len(slack.posted)
    query("update alerts set due_at = due_at - interval '10 minutes'")

    post_alerts.main(operations_database)

    counts = [posted.body["attachments"][0]["footer"] for posted in slack.posted]
    assert (within_ten_minutes, len(counts)) == (1, 2)
    assert "5000 new, 5000 since" in counts[0] and "5000 new, 10000 since" in counts[1]


def test_a10_workers_that_post_at_once_post_each_alert_once(operations_database, query, slack):
    trouble(query, 6)

    with ThreadPoolExecutor(4) as pool:
        while query("select count(*) from alerts where due_at is not null") != [(0,)]:
            list(pool.map(lambda _: post_alerts.main(operations_database), range(4)))
            let_it_be_called(query)

    assert len(slack.posted) == 6


def test_slack_gets_one_message_a_second(operations_database, query, windmill):
    with SlackWebhook(seconds_between=0.99) as slack:
        windmill.resources["f/ops/slack"] = {"webhook_url": slack.url}
        trouble(query, 2)

        result = post_alerts.main(operations_database)

    assert (result["posted"], slack.calls) == (2, 2)


def test_a_long_queue_is_left_to_the_next_run(operations_database, query, slack, monkeypatch):
    monkeypatch.setattr(post_alerts, "monotonic", iter([0, 1, 99]).__next__)
    trouble(query, 3)

    assert post_alerts.main(operations_database) == {
        "posted": 1,
        "waiting": {"error": 2},
        "slack": "ok",
    }


def test_a_post_whose_answer_was_lost_is_repeated_and_never_lost(
    operations_database, query, slack, monkeypatch
):
    slack.delay_seconds = 0.3
    trouble(query)
    with monkeypatch.context() as impatient:
        impatient.setattr("f.ops.slack.TIMEOUT_SECONDS", 0.1)
        first = post_alerts.main(operations_database)

    slack.delay_seconds = 0.0
    let_it_be_called(query)
    again = post_alerts.main(operations_database)

    assert (first["slack"], first["posted"], again["posted"]) == ("no_answer", 0, 1)
    assert len(slack.posted) == 2
