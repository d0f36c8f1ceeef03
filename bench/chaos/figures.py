"""The figures of a run, and the promises that they break."""

import statistics
from collections.abc import Callable

from bench.chaos.conductor import Conductor
from bench.chaos.oracle import Verdict

LONGEST_RECOVERY_P95_SECONDS = 10
LONGEST_RECOVERY_SECONDS = 60
MOST_NAMED = 5


def figures_of(run: Conductor, verdict: Verdict, stored: dict) -> dict:
    """`stored`: sums from the run's database."""
    journal = run.journal
    kills = journal.hurts_of("kill")
    freezes = journal.hurts_of("freeze")
    recovered = sorted(one.recovered_seconds for one in kills if one.recovered_seconds is not None)
    undisturbed = sorted(
        one.undisturbed_seconds for one in kills if one.undisturbed_seconds is not None
    )
    waits = sorted(delays(run))
    window = sum(one.in_window for one in kills)
    cut = journal.counts["model is paid, answer cut"]
    refused = journal.counts["answers lost to errors"] + stored["lost_model_calls"]
    return {
        "messages": len(journal.messages),
        "deliveries": sum(one.deliveries for one in journal.messages.values()),
        "replies": len(journal.accepted),
        "kills": len(kills),
        "freezes": len(freezes),
        "database_stops": len(journal.database_stops),
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "out_of_order": len(verdict.out_of_order),
        "unknown": len(verdict.unknown),
        "refused_by_vendor": len(verdict.refused_for_good),
        "paid_model_calls": len(journal.paid_calls),
        "needed_model_calls": stored["needed_model_calls"],
        "extra_model_calls": len(journal.paid_calls) - stored["needed_model_calls"],
        "dropped_drafts": stored["dropped_drafts"],
        "fenced_writes": journal.counts["fenced writes"],
        "killed_in_unavoidable_window": window,
        "paid_answers_cut": cut,
        "answers_lost_to_errors": refused,
        "unavoidable_model_calls": window + cut + refused,
        "recovered_kills": len(recovered),
        "recovery_p50_seconds": at(undisturbed, 50),
        "recovery_p95_seconds": at(undisturbed, 95),
        "recovery_through_further_faults_p95_seconds": at(recovered, 95),
        "recovery_max_seconds": at(recovered, 100),
        "reply_p50_seconds": at(waits, 50),
        "reply_p95_seconds": at(waits, 95),
        "reply_max_seconds": at(waits, 100),
        "queued_p95_seconds": at(sorted(journal.queued_seconds["runner"]), 95),
        "settled": run.is_settled,
        "seconds": round(run.ended_at - run.started_at, 1),
        "seed": run.options.seed,
    }


def delays(run: Conductor, is_meant: Callable[[str], bool] = bool) -> list[float]:
    """From a message's acknowledgement to its reply; `is_meant` chooses by tokens."""
    messages = run.journal.messages
    return [
        max(0.0, reply.at - messages[token].acknowledged_at)
        for reply in run.journal.accepted
        for token in reply.tokens
        if is_meant(token) and messages[token].acknowledged_at
    ]


def at(ordered: list[float], percent: int) -> float | None:
    if not ordered:
        return None
    if percent == 100 or len(ordered) == 1:
        return round(ordered[-1], 2)
    return round(statistics.quantiles(ordered, n=100, method="inclusive")[percent - 1], 2)


def broken_promises(figures: dict, verdict: Verdict, is_timed: bool) -> list[str]:
    """Sentences with their evidence; empty when all held."""
    unavoidable = figures["unavoidable_model_calls"]
    p95, longest = figures["recovery_p95_seconds"] or 0, figures["recovery_max_seconds"] or 0
    checks = {
        f"messages were lost: {some(verdict.lost)}": not verdict.lost,
        f"messages were answered twice: {some(verdict.doubled)}": not verdict.doubled,
        "messages were answered after later ones of their conversation: "
        f"{some(verdict.out_of_order)}": not verdict.out_of_order,
        "work was left when nobody had anything to wait for": figures["settled"],
        f"{figures['extra_model_calls']} model calls were paid in vain, where only {unavoidable}"
        " could not be helped": (
            # Where processes starve, an answer comes after its worker gave up waiting.
            figures["extra_model_calls"] <= unavoidable or not is_timed
        ),
        f"recovery took {p95} s (p95), longer than {LONGEST_RECOVERY_P95_SECONDS} s": (
            p95 <= LONGEST_RECOVERY_P95_SECONDS or not is_timed
        ),
        f"one recovery took {longest} s, longer than {LONGEST_RECOVERY_SECONDS} s": (
            longest <= LONGEST_RECOVERY_SECONDS or not is_timed
        ),
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def promises(figures: dict) -> list[str]:
    """What held, in sentences."""
    messages, replies = figures["messages"], figures["replies"]
    return [
        f"Nothing that was acknowledged is lost: {figures['lost']} of {messages} messages, while"
        f" processes were killed {figures['kills']} times, frozen {figures['freezes']} times, and"
        f" Postgres was stopped or killed {figures['database_stops']} times for longer than the"
        " grace.",
        f"Nothing is answered twice: {figures['doubled']} of {replies} replies.",
        f"Answers keep the order of the questions: {figures['out_of_order']} out of order.",
        f"Where nobody can know what became of a reply, it says so and alerts:"
        f" {figures['unknown']} ended as `unknown`.",
        f"No model call is paid in vain but what can't be helped: {figures['extra_model_calls']} of"
        f" {figures['paid_model_calls']}, where {figures['unavoidable_model_calls']} could not be"
        " helped.",
        "A conversation whose worker was killed goes on by itself: after"
        f" {figures['recovery_p95_seconds']} s (p95), the longest after"
        f" {figures['recovery_max_seconds']} s.",
    ]


def some(tokens: list[str]) -> str:
    more = f" and {len(tokens) - MOST_NAMED} more" if len(tokens) > MOST_NAMED else ""
    return ", ".join(tokens[:MOST_NAMED]) + more
