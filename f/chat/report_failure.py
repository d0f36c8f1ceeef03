"""Give the turn back and raise one alert, whatever broke."""

from uuid import UUID

import f.chat.turns as turns
from f.shared.db import connect
from f.shared.resources import postgresql


def main(
    db: postgresql,
    conversation_id: str | None,
    fence: int | None,
    step_id: str | None,
    error_name: str | None,
    alerts: bool,
) -> dict:
    """Only the error's name goes into the alert: its message may quote what a contact wrote.

    The engine's own errors name no step, and a flow can be started with anything for an id.
    """
    known_id = as_uuid(conversation_id)
    wait_seconds = None
    with connect(db) as conn:
        if fence is not None and known_id is not None:
            wait_seconds = turns.give_back(conn, known_id, fence)
        if alerts:
            raise_alert(conn, known_id, step_id, error_name)
    turns.start_when_due(conversation_id, wait_seconds)
    return {"given_back": wait_seconds is not None, "error_name": error_name}


def as_uuid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def raise_alert(
    conn, conversation_id: str | None, step_id: str | None, error_name: str | None
) -> None:
    what = f"step {step_id}" if step_id else "answer_message"
    with conn.cursor() as cursor:
        cursor.execute(
            "select raise_conversation_alert(%s, 'error', 'step_failed', %s, %s)",
            (
                conversation_id,
                f"{step_id or 'flow'}:{error_name or 'unnamed'}",
                f"{what} failed with {error_name or 'an error without a name'}",
            ),
        )
