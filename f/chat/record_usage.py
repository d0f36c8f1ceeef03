"""Settle the turn's reservation with what it really used."""

import f.chat.turns as turns
from f.shared.db import connect
from f.shared.resources import postgresql


def main(db: postgresql, conversation_id: str, turn_id: str, fence: int) -> dict:
    with connect(db) as conn:
        cost_microcents = charge(conn, turn_id, fence)
        wait_seconds = turns.complete(conn, turn_id, fence, "charged")
    turns.start_when_due(conversation_id, wait_seconds)
    return {"turn_id": turn_id, "cost_microcents": cost_microcents}


def charge(conn, turn_id: str, fence: int) -> int | None:
    """Microcents; None when no price of the model is known."""
    with conn.cursor() as cursor:
        cursor.execute("select charge_turn(%s, %s)", (turn_id, fence))
        return cursor.fetchone()[0]
