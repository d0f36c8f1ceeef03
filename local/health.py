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
WAITING = """
select count(*) filter (where due_at <= now()), count(*)
  from conversation_work where due_at is not null
"""


class Health:
    """`scheduler` is set once it runs."""

    def __init__(self, resource: dict, model: dict):
        self._resource = resource
        self._model = model
        self._model_checked: tuple[float, dict] = (0.0, {})
        self.schedules: list[str] = []

    @property
    def route(self) -> Route:
        return Route("/health", self._answer)

    def _answer(self, request: Request) -> JSONResponse:
        """Not async: it waits for the database, on a thread of its own."""
        database, waiting = self._check_database()
        parts = {"database": database, "model": self._checked_model()}
        is_well = all(part["status"] == "ok" for part in parts.values())
        status = "ok" if is_well else "failing"
        content = {"status": status, **parts, "schedules": self.schedules, "jobs_waiting": waiting}
        return JSONResponse(content, 200 if is_well else 503)

    def _check_database(self) -> tuple[dict, dict | None]:
        started = time.perf_counter()
        try:
            with connection_to(self._resource) as connection, connection.cursor() as cursor:
                cursor.execute(WAITING)
                due, all_ = cursor.fetchone()
        except psycopg2.Error as error:
            return {"status": "failing", "reason": first_line(error)}, None
        return ok_after(started), {"due": due, "later": all_ - due}

    def _checked_model(self) -> dict:
        """A vendor's model is asked now and then, not by every probe."""
        checked_at, answer = self._model_checked
        if not answer or time.monotonic() - checked_at > KEEP_MODEL_SECONDS:
            answer = check_model(self._model)
            self._model_checked = (time.monotonic(), answer)
        return answer


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
