"""Give the turn back and raise one alert, whatever broke."""

import f.chat.turns as turns
from f.chat.next_turn import start_when_due
from f.shared.db import connect
from f.shared.resources import postgresql


def main(
    db: postgresql,
    conversation_id: str,
    fence: int | None,
    step_id: str,
    error_name: str,
    alerts: bool,
) -> dict:
    """Only the error's name goes into the alert: its message may quote what a contact wrote."""
    with connect(db) as conn:
        wait_seconds = None
        if fence is not None:
            wait_seconds = turns.give_back(conn, conversation_id, fence)
        if alerts:
            raise_alert(conn, conversation_id, step_id, error_name)
    start_when_due(conversation_id, wait_seconds)
    return {"given_back": wait_seconds is not None, "error_name": error_name}


def raise_alert(conn, conversation_id: str, step_id: str, error_name: str) -> None:
    with conn.cursor() as cursor:
        cursor.execute(
            "select raise_conversation_alert(%s, 'error', 'step_failed', %s, %s)",
            (
                conversation_id,
                f"{step_id}:{error_name}",
                f"step {step_id} failed with {error_name} in conversation {conversation_id}",
            ),
        )
