"""What happened in a run, as the stand-ins and the conductor saw it: all that the oracle judges."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Message:
    """One message of a contact. Times are seconds of the conductor's clock."""

    token: str
    contact: str
    number: int
    text: str
    posted_at: float | None = None
    acknowledged_at: float | None = None
    deliveries: int = 0


@dataclass(frozen=True)
class Accepted:
    """A reply that the vendor took: the contact would have received it."""

    reference: str
    contact: str
    tokens: tuple[str, ...]
    at: float


@dataclass
class Hurt:
    """A job whose process was killed or frozen.

    `recovered_seconds`: until a worker had its conversation again, whatever else went wrong;
    `undisturbed_seconds`: of these, what came after the last of the other faults on that way.
    """

    kind: str
    boundary: str
    path: str
    conversation_id: str | None
    contact: str | None
    in_window: bool
    at: float
    recovered_seconds: float | None = None
    undisturbed_seconds: float | None = None
    is_awaited: bool = False


@dataclass
class Journal:
    messages: dict[str, Message] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    refused_for_good: list[Accepted] = field(default_factory=list)
    hurts: list[Hurt] = field(default_factory=list)
    paid_calls: list[tuple[str, ...]] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    passed: Counter = field(default_factory=Counter)
    errors: Counter = field(default_factory=Counter)
    queued_seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    database_stops: list[tuple[float, float]] = field(default_factory=list)
    diary: defaultdict[str, list[tuple[float, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(self, conversation_id: str | None, words: str) -> None:
        """What the slowest recoveries are explained with."""
        self.diary[conversation_id or ""].append((time.monotonic(), words))

    def notes_between(self, conversation_id: str | None, begin: float, end: float) -> list[str]:
        """Each with its seconds since `begin`."""
        return [
            f"{at - begin:.1f} {words}"
            for at, words in self.diary[conversation_id or ""]
            if begin <= at <= end
        ]

    def hurts_of(self, kind: str) -> list[Hurt]:
        return [hurt for hurt in self.hurts if hurt.kind == kind]
