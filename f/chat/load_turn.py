"""Claim the conversation and gather what waits into one turn, or say why not."""

import f.chat.turns as turns
from f.shared.db import connect
from f.shared.resources import c_model, postgresql


def main(db: postgresql, model: c_model, conversation_id: str) -> dict:
    with connect(db) as conn:
        result = load(conn, conversation_id, model["model"])
    turns.start_when_due(conversation_id, result["wait_seconds"])
    return result


def load(conn, conversation_id: str, model: str) -> dict:
    """`model`: whose prices a reservation assumes.

    `wait_seconds`: when the next flow of this conversation starts, where one is needed.
    """
    claimed = turns.claim(conn, conversation_id)
    if claimed.outcome != "claimed":
        is_early = claimed.outcome == "too_early"
        return {
            "decision": "wait" if is_early else "ignore",
            "reason": claimed.outcome,
            "wait_seconds": claimed.wait_seconds,
            "has_files": False,
        }
    gathered = turns.gather(conn, conversation_id, claimed, model)
    return {
        "decision": gathered.decision,
        "reason": gathered.reason,
        "turn_id": gathered.turn_id,
        "fence": claimed.fence,
        "wait_seconds": gathered.wait_seconds,
        "has_files": gathered.decision == "answer"
        and turns.has_unread_files(conn, gathered.turn_id),
    }
