"""Remember both sides of the turn."""

import f.chat.turns as turns
from f.shared.resources import postgresql


def main(db: postgresql, conversation_id: str, turn_id: str, fence: int) -> dict:
    with turns.transaction(db, turn_id, fence) as conn:
        with conn.cursor() as cursor:
            cursor.execute("select save_turn_messages(%s)", (turn_id,))
        wait_seconds = turns.complete(conn, turn_id, fence, "saved")
    turns.start_when_due(conversation_id, wait_seconds)
    return {"turn_id": turn_id}
