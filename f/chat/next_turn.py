"""Start the flow that answers what arrived meanwhile."""

from f.shared.windmill import start_flow


def start_when_due(conversation_id: str, wait_seconds: float | None) -> None:
    """`wait_seconds`: what the turn store said; None when nothing waits."""
    if wait_seconds is not None:
        start_flow("f/chat/answer_message", {"conversation_id": conversation_id}, wait_seconds)
