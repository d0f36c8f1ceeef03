"""/health tells what Slack could not be told, and is content without Slack."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from local.errors import CannotRun
from local.health import Health
from local.slack import slack_resources
from tests.local.test_commands import model_at


@pytest.fixture
def health(owner, httpserver, query):
    """health(has_slack) -> (status, its part `alerts`), with two alerts due for eleven minutes."""
    httpserver.expect_request("/v1/models").respond_with_json({"data": []})
    for severity in ("error", "warning"):
        query("select raise_alert(null, %s, 'step_failed', %s, 'x')", severity, severity)
    query("update alerts set due_at = now() - interval '11 minutes'")

    def ask(has_slack: bool):
        page = Health(owner, model_at(httpserver.url_for("/v1")), has_slack)
        answer = TestClient(Starlette(routes=[page.route])).get("/health")
        return answer.status_code, answer.json()["alerts"]

    return ask


def test_health_fails_when_slack_took_no_alert_for_ten_minutes(health, query):
    query("update alert_outlet set problem = 'no_service'")

    status, alerts = health(True)

    assert (status, alerts["status"], alerts["slack"]) == (503, "failing", "configured")
    assert alerts["waiting"] == {"error": 1, "warning": 1}
    assert "no_service" in alerts["reason"]


def test_health_is_well_while_a_long_queue_is_being_posted(health, query):
    query("update alerts set due_at = null, posted_at = now() where severity = 'error'")

    status, alerts = health(True)

    assert (status, alerts["waiting"]) == (200, {"warning": 1})


def test_an_alert_that_was_told_and_is_counted_does_not_wait(health, query):
    query("update alerts set due_at = now() + interval '1 minute'")

    assert health(True) == (200, {"status": "ok", "slack": "configured", "waiting": {}})


def test_an_installation_without_slack_is_well_and_shows_what_waits(health):
    status, alerts = health(False)

    assert status == 200
    assert alerts == {
        "status": "ok",
        "slack": "not configured",
        "waiting": {"error": 1, "warning": 1},
    }


def test_slacks_address_comes_from_the_environment():
    url = "https://hooks.slack.com/services/T0/B0/secret"

    assert slack_resources({}) == {}
    assert slack_resources({"SLACK_WEBHOOK_URL": url}) == {"f/ops/slack": {"webhook_url": url}}


def test_an_address_that_is_none_stops_the_start_without_being_shown():
    with pytest.raises(CannotRun) as raised:
        slack_resources({"SLACK_WEBHOOK_URL": "hooks.slack.com/SECRET"})

    assert "SECRET" not in str(raised.value)
