"""GET /health: can this installation answer, and is anything left waiting?"""

import time

import psycopg2
import urllib3
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.migrations import connection_to
from local.postgres import first_line

KEEP_MODEL_SECONDS = 30
# For so long an alert may wait for Slack before this page tells it in Slack's place.
ALERT_PATIENCE_SECONDS = 600
# Conversations: to be answered now, to be answered later, and stuck for so long that it is alerted.
WAITING = """
select count(*) filter (where due_at <= now()), count(*) filter (where due_at > now()),
       count(*) filter (where due_at <= now() - stuck_after())
  from conversation_work where due_at is not null
"""


ALERTS = "select waiting, overdue_seconds, problem from alerts_waiting()"


class Health:
    """`schedules` is set once they run."""

    def __init__(self, resource: dict, model: dict, has_slack: bool = False):
        self._resource = resource
        self._model = model
        self._has_slack = has_slack
        self._model_checked: tuple[float, dict] = (0.0, {})
        self.schedules: list[str] = []

    @property
    def route(self) -> Route:
        return Route("/health", self._answer)

    def _answer(self, request: Request) -> JSONResponse:
        """Not async: it waits for the database, on a thread of its own."""
        parts, waiting = self._check_database()
        parts["model"] = self._checked_model()
        is_well = all(part["status"] == "ok" for part in parts.values())
        status = "ok" if is_well else "failing"
        content = {"status": status, **parts, "schedules": self.schedules, "jobs_waiting": waiting}
        return JSONResponse(content, 200 if is_well else 503)

    def _check_database(self) -> tuple[dict, dict | None]:
        started = time.perf_counter()
        try:
            with connection_to(self._resource) as connection, connection.cursor() as cursor:
                cursor.execute(WAITING)
                waiting = dict(zip(("due", "later", "stuck"), cursor.fetchone(), strict=True))
                cursor.execute(ALERTS)
                alerts = check_alerts(self._has_slack, *cursor.fetchone())
        except psycopg2.Error as error:
            return {"database": {"status": "failing", "reason": first_line(error)}}, None
        return {"database": ok_after(started), "alerts": alerts}, waiting

    def _checked_model(self) -> dict:
        """A vendor's model is asked now and then, not by every probe."""
        checked_at, answer = self._model_checked
        if not answer or time.monotonic() - checked_at > KEEP_MODEL_SECONDS:
            answer = check_model(self._model)
            self._model_checked = (time.monotonic(), answer)
        return answer


def check_alerts(
    has_slack: bool, waiting: dict, overdue_seconds: int | None, problem: str | None
) -> dict:
    """`waiting`: alerts to be posted, by severity. Without Slack nobody promised to post them."""
    part = {"status": "ok", "slack": "configured" if has_slack else "not configured"}
    if has_slack and (overdue_seconds or 0) > ALERT_PATIENCE_SECONDS:
        part["status"] = "failing"
        part["reason"] = f"none was posted for {overdue_seconds} s ({problem or 'none was tried'})"
    return {**part, "waiting": waiting}


def check_model(model: dict) -> dict:
    started = time.perf_counter()
    url = f"{model['base_url'].rstrip('/')}/models"
    headers = {"authorization": f"Bearer {model['api_key']}"}
    try:
        status = urllib3.request("GET", url, headers=headers, timeout=5, retries=False).status
    except urllib3.exceptions.HTTPError as error:
        return {"status": "failing", "reason": type(error).__name__}
    # Some endpoints do not list their models: any answer but a refusal of the key will do.
    if status in (401, 403) or status >= 500:
        return {"status": "failing", "reason": f"answered {status}"}
    return ok_after(started)


def ok_after(started: float) -> dict:
    return {"status": "ok", "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
