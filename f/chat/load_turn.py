"""Claim the conversation and gather what waits into one turn, or say why not."""

import f.chat.turns as turns
from f.shared.db import connect
from f.shared.resources import postgresql
from f.shared.windmill import start_flow


def main(db: postgresql, conversation_id: str) -> dict:
    with connect(db) as conn:
        result = load(conn, conversation_id)
    if result["reason"] == "too_early":
        start_flow(
            "f/chat/answer_message", {"conversation_id": conversation_id}, result["wait_seconds"]
        )
    return result


def load(conn, conversation_id: str) -> dict:
    claimed = turns.claim(conn, conversation_id)
    if claimed.outcome != "claimed":
        return {
            "decision": "wait" if claimed.outcome == "too_early" else "ignore",
            "reason": claimed.outcome,
            "wait_seconds": claimed.wait_seconds,
        }
    gathered = turns.gather(conn, conversation_id, claimed)
    return {
        "decision": gathered.decision,
        "reason": gathered.reason,
        "turn_id": gathered.turn_id,
        "fence": claimed.fence,
    }
