"""Judges a run by the stand-ins' logs: what was lost, doubled or out of order."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from bench.chaos.journal import Accepted, Journal, Message


@dataclass(frozen=True)
class Verdict:
    """Lists of tokens; `invisible` of them is what nobody can see: the others have an alert."""

    lost: list[str]
    doubled: list[str]
    out_of_order: list[str]
    refused_for_good: list[str]
    unknown: list[str]


def judge(journal: Journal, unknown: set[str]) -> Verdict:
    """`unknown`: tokens whose reply ended as a visible `unknown` with an alert."""
    replies = by_token(journal.accepted)
    refused = {token for one in journal.refused_for_good for token in one.tokens}
    missing = [token for token in journal.messages if token not in replies]
    return Verdict(
        lost=[token for token in missing if token not in refused | unknown],
        doubled=doubled(journal.accepted),
        out_of_order=out_of_order(journal.messages, replies),
        refused_for_good=[token for token in missing if token in refused],
        unknown=[token for token in missing if token in unknown - refused],
    )


def by_token(accepted: list[Accepted]) -> dict[str, list[Accepted]]:
    found = defaultdict(list)
    for reply in accepted:
        for token in reply.tokens:
            found[token].append(reply)
    return found


def doubled(accepted: list[Accepted]) -> list[str]:
    """One reference taken twice, or one message answered in two replies."""
    references = Counter(reply.reference for reply in accepted)
    twice = {token for one in accepted if references[one.reference] > 1 for token in one.tokens}
    twice |= {token for token, replies in by_token(accepted).items() if len(replies) > 1}
    return sorted(twice, key=number_of)


def out_of_order(messages: dict[str, Message], replies: dict[str, list[Accepted]]) -> list[str]:
    """Messages answered after one that was first posted when they were already acknowledged.

    Two that were under way at the same time have no order that the receiver could know.
    """
    by_contact = defaultdict(list)
    for token, found in replies.items():
        by_contact[messages[token].contact].append((messages[token], found[0].at))
    return [
        earlier.token
        for answered in by_contact.values()
        for earlier, earlier_at in answered
        if any(
            earlier.acknowledged_at < later.posted_at and later_at < earlier_at
            for later, later_at in answered
        )
    ]


def number_of(token: str) -> int:
    return int(token[1:])
