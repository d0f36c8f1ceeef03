"""Tell Slack what somebody should know."""

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep

import f.ops.slack as slack
from f.shared.db import connect
from f.shared.errors import Misconfigured, UpstreamError, UpstreamRefused
from f.shared.resources import postgresql
from f.shared.windmill import find_resource

RESOURCE = "f/ops/slack"
# A long queue waits in Postgres, not in a worker: the rest is for the next run.
RUN_SECONDS = 30
PAUSE_SECONDS = 1  # Slack takes one message a second


@dataclass(frozen=True)
class Claimed:
    """An alert, and until when nobody else may post."""

    held_until: datetime
    id: int
    organization_id: str | None
    severity: str
    code: str
    summary: str
    occurrences: int
    occurrences_told: int
    first_raised_at: datetime


def main(db: postgresql) -> dict:
    """Without the resource f/ops/slack alerts stay where they are. Raises Misconfigured when Slack
    refuses: a person must act, and this run is where they see it."""
    resource = find_resource(RESOURCE)
    posted = 0 if resource is None else post_due(db, str(resource.get("webhook_url")))
    with connect(db) as conn:
        waiting, problem = tidy(conn)
    state = "not configured" if resource is None else problem or "ok"
    return {"posted": posted, "waiting": waiting, "slack": state}


def post_due(db: postgresql, webhook_url: str) -> int:
    ends_at = monotonic() + RUN_SECONDS
    posted = 0
    while monotonic() < ends_at:
        with connect(db) as conn:
            alert = claim(conn)
        if alert is None or not post(db, webhook_url, alert):
            break
        posted += 1
        sleep(PAUSE_SECONDS)
    return posted


def post(db: postgresql, webhook_url: str, alert: Claimed) -> bool:
    """Marked after Slack took it: a crash in between tells it twice and loses nothing."""
    try:
        slack.post(webhook_url, alert.severity, *words(alert))
    except (UpstreamError, Misconfigured) as error:
        problem = problem_of(error)
        with connect(db) as conn:
            put_off(conn, alert, problem, getattr(error, "retry_after_seconds", None))
        if isinstance(error, UpstreamRefused | Misconfigured):
            sentence = f"Slack refused an alert ({problem}): look at the resource {RESOURCE}"
            raise Misconfigured(sentence) from None  # the cause may quote the address
        return False
    with connect(db) as conn:
        settle(conn, alert)
    return True


def words(alert: Claimed) -> tuple[str, str, str]:
    """Headline, text and footer: codes, ids and counts."""
    owner = f"organization {alert.organization_id}" if alert.organization_id else "installation"
    fresh = alert.occurrences - alert.occurrences_told
    since = alert.first_raised_at.astimezone(UTC)
    counts = f"{fresh} new, {alert.occurrences} since {since:%Y-%m-%d %H:%M} UTC"
    return f"{alert.severity}: {alert.code}", alert.summary, f"{owner}, {counts}"


def problem_of(error: UpstreamError | Misconfigured) -> str:
    if isinstance(error, Misconfigured):
        return "webhook_url_wrong"
    return error.code or (f"status_{error.status}" if error.status else "no_answer")


def claim(conn) -> Claimed | None:
    with conn.cursor() as cursor:
        cursor.execute(
            "select held_until, id, organization_id, severity, code, summary, occurrences,"
            " occurrences_told, first_raised_at from claim_alert()"
        )
        row = cursor.fetchone()
    return row and Claimed(*row)


def settle(conn, alert: Claimed) -> None:
    with conn.cursor() as cursor:
        arguments = (alert.held_until, alert.id, alert.occurrences)
        cursor.execute("select settle_alert(%s, %s, %s)", arguments)


def put_off(conn, alert: Claimed, problem: str, wait_seconds: int | None) -> None:
    with conn.cursor() as cursor:
        arguments = (alert.held_until, problem, wait_seconds)
        cursor.execute("select put_off_alerts(%s, %s, %s)", arguments)


def tidy(conn) -> tuple[dict[str, int], str | None]:
    """Forgets what is long told; how many alerts of each severity wait, and Slack's last word."""
    with conn.cursor() as cursor:
        cursor.execute("select forget_alerts()")
        cursor.execute("select waiting, problem from alerts_waiting()")
        return cursor.fetchone()
