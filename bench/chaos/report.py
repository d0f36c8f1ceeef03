"""A run's figures on a terminal of 80 columns, and what it says while it goes on."""

import asyncio
import json
import sys

from local.terminal import heading, wrapped

INTERVAL_SECONDS = 5
LINES = (
    ("messages", "messages", ""),
    ("replies", "replies accepted by the vendor", ""),
    ("kills", "kills (-9)", ""),
    ("freezes", "freezes (SIGSTOP)", ""),
    ("database_stops", "database stops, longer than the grace", ""),
    ("lost", "lost", ""),
    ("doubled", "doubled", ""),
    ("out_of_order", "out of order within a conversation", ""),
    ("unknown", "ended as a visible unknown, with an alert", ""),
    ("refused_by_vendor", "refused for good by the vendor, with an alert", ""),
    ("extra_model_calls", "model calls paid in vain", ""),
    ("killed_in_unavoidable_window", "  kills in the unavoidable window", ""),
    ("paid_answers_cut", "  paid answers whose connection was cut", ""),
    ("answers_lost_to_errors", "  answers lost to a database stop or a fence", ""),
    ("fenced_writes", "writes refused because another worker had the turn", ""),
    ("dropped_drafts", "drafts dropped because a message came meanwhile", ""),
    ("recovery_p50_seconds", "recovery after a kill, p50", " s"),
    ("recovery_p95_seconds", "  p95", " s"),
    ("recovery_through_further_faults_p95_seconds", "  p95, further faults included", " s"),
    ("recovery_max_seconds", "  longest, further faults included", " s"),
    ("reply_p50_seconds", "reply after its message was acknowledged, p50", " s"),
    ("reply_p95_seconds", "  p95", " s"),
    ("reply_max_seconds", "  longest", " s"),
    ("seconds", "the run took", " s"),
)


async def run_shown(run) -> None:
    """Runs it, and says every few seconds how far it is."""
    task = asyncio.create_task(run.run())
    while not task.done():
        await asyncio.wait([task], timeout=INTERVAL_SECONDS)
        journal = run.journal
        kills, stops = len(journal.hurts_of("kill")), len(journal.database_stops)
        queued = sum(len(queue) for queue in run.hub.queues.values()) if run.hub else 0
        print(
            f"  {len(journal.messages):>6} written {len(journal.accepted):>6} replies"
            f" {kills:>5} kills {stops:>3} database stops {queued:>5} queued",
            file=sys.stderr,
            flush=True,
        )
    await task


def print_report(report: dict) -> None:
    heading("Chaos")
    known = {name: (words, unit) for name, words, unit in LINES}
    for name, value in report.items():
        if name in known:
            words, unit = known[name]
            print(f"  {words:<58}{value!s:>10}{unit}")
        elif isinstance(value, int | float | str):
            print(f"  {name.replace('_', ' '):<58}{value!s:>10}")
    for sentence in report["promises"]:
        print(wrapped(f"- {sentence}"))
    if "boundaries" in report:
        print_boundaries(report["boundaries"])
    for one in report.get("histories", []):
        print(wrapped(json.dumps(one)))
    heading("Broken promises" if report["broken"] else "Every promise held")
    for sentence in report["broken"]:
        print(wrapped(f"- {sentence}"))


def print_boundaries(boundaries: dict[str, list[int]]) -> None:
    heading("Boundaries: passed, killed, frozen")
    for name, (passed, killed, frozen) in boundaries.items():
        print(f"  {name:<52}{passed:>8}{killed:>7}{frozen:>7}")
