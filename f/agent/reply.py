"""What a contact reads after the agent thought: its words if they may be sent, else ours."""

from dataclasses import dataclass

import f.agent.loop as loop
from f.agent.guards import guard


@dataclass(frozen=True)
class OwnWords:
    """What the chatbot's owner wrote, in its language, for when the model has no words."""

    unknown_reply: str
    handoff_reply: str
    failure_notice: str


@dataclass(frozen=True)
class Reply:
    """`handoff`: why a person takes over after it; None: nobody does."""

    text: str
    verdict: str
    handoff: str | None = None


def reply_to(thought: loop.Answer, words: OwnWords, allowed_text: str) -> Reply:
    """A vendor that is slow or refuses us is our trouble, not a reason to keep the chatbot silent
    from now on: only the other ways of being stuck end in a handoff."""
    if thought.stuck in ("time", "refused"):
        return Reply(words.failure_notice, f"model_{thought.stuck}")
    if thought.stuck:
        return Reply(words.handoff_reply, f"out_of_{thought.stuck}", f"out_of_{thought.stuck}")
    text, verdict = guard(thought.text, words.unknown_reply, allowed_text)
    return Reply(text, verdict)
