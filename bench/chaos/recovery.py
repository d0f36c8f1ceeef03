"""Who was hurt when, and how long it took until a worker had the conversation again."""

import time
from collections import Counter, defaultdict

from bench.chaos.jobs import Job
from bench.chaos.journal import Hurt, Journal

# Between two replies of a conversation; a turn is buried after five attempts.
MOST_HURTS = 2
LEASE_SECONDS = 5


class Recovery:
    """`contacts` maps a conversation's id to its contact, once somebody looked it up."""

    def __init__(self, journal: Journal):
        self._journal = journal
        self.contacts: dict[str, str] = {}
        self._conversations: dict[str, str] = {}
        self._hurts_since_reply: Counter = Counter()
        self._awaited: defaultdict[str, list[Hurt]] = defaultdict(list)
        self.unanswered: defaultdict[str, set[str]] = defaultdict(set)
        self._answered: set[str] = set()
        self._last_fault_at: dict[str | None, float] = {}
        self._database_up_at = 0.0

    def may_be_hurt(self, conversation_id: str | None) -> bool:
        return self._hurts_since_reply[conversation_id] < MOST_HURTS

    def hurt(self, kind: str, event: dict, job: Job | None) -> None:
        conversation_id = job.conversation_id if job else None
        contact = self.contacts.get(conversation_id)
        found = Hurt(
            kind,
            event["boundary"],
            job.path if job else "",
            conversation_id,
            contact,
            event["in_window"],
            time.monotonic(),
            is_awaited=bool(self.unanswered[contact]),
        )
        self._journal.hurts.append(found)
        if not conversation_id:
            return
        self._journal.note(conversation_id, f"{kind} at {event['boundary']}")
        self.disturbed(conversation_id)
        if kind == "kill":
            self._awaited[conversation_id].append(found)
        if kind == "kill" or event["seconds"] > LEASE_SECONDS:
            self._hurts_since_reply[conversation_id] += 1

    def disturbed(self, conversation_id: str | None) -> None:
        """Something that was to work at the conversation is gone."""
        self._last_fault_at[conversation_id] = time.monotonic()

    def database_is_back(self) -> None:
        self._database_up_at = time.monotonic()

    def claimed(self, conversation_id: str | None) -> None:
        now = time.monotonic()
        last_fault_at = max(self._last_fault_at.get(conversation_id, 0), self._database_up_at)
        for hurt in self._awaited.pop(conversation_id, []):
            hurt.recovered_seconds = now - hurt.at
            hurt.undisturbed_seconds = now - max(hurt.at, last_fault_at)

    def message_acknowledged(self, contact: str, token: str) -> None:
        """What was hurt with nothing left to answer is not measured by a later message."""
        if token not in self._answered:  # a reply may be faster than the answer to its webhook
            self.unanswered[contact].add(token)
        conversation_id = self._conversations.get(contact, "")
        kept = [hurt for hurt in self._awaited[conversation_id] if hurt.is_awaited]
        self._awaited[conversation_id] = kept

    def replied(self, contact: str, tokens: tuple[str, ...]) -> None:
        conversation_id = self._conversations.get(contact)
        self._answered |= set(tokens)
        self.unanswered[contact] -= set(tokens)
        self._hurts_since_reply[conversation_id] = 0
        self._journal.note(conversation_id, f"the vendor had {' '.join(tokens)}")
        if not self.unanswered[contact]:
            # Answered without another claim: who was killed did not have the conversation.
            self._awaited.pop(conversation_id, None)

    def known(self, conversation_id: str, contact: str) -> None:
        self.contacts[conversation_id] = contact
        self._conversations[contact] = conversation_id
