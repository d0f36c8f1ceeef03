"""One conversation hangs for a minute while a thousand others go on."""

import asyncio
from dataclasses import replace

from bench.chaos import stage
from bench.chaos.conductor import Conductor
from bench.chaos.figures import at, delays
from bench.chaos.options import Options
from bench.chaos.report import run_shown

OTHERS = 1000
HANG_SECONDS = 60
LONGEST_P95_SECONDS = 2.0
# On a busy machine everybody is late: then the others may be this much later than without it.
MOST_SHARE_LATER = 1.25


def hanging(options: Options) -> dict:
    """Measured twice, without the hanging conversation first."""
    chosen = replace(options, messages=options.messages or OTHERS, faults=frozenset())
    without, _ = measured(chosen, hang_seconds=0)
    beside, hung_seconds = measured(chosen, hang_seconds=HANG_SECONDS)
    report = {
        "others": chosen.messages,
        "hung_seconds": hung_seconds,
        "others_p50_seconds": at(beside, 50),
        "others_p95_seconds": at(beside, 95),
        "without_it_p50_seconds": at(without, 50),
        "without_it_p95_seconds": at(without, 95),
        "broken": [],
    }
    longest = max(LONGEST_P95_SECONDS, MOST_SHARE_LATER * report["without_it_p95_seconds"])
    report["promises"] = [
        f"A conversation that hangs for {HANG_SECONDS} s keeps nobody waiting: {chosen.messages}"
        f" others were answered after {report['others_p95_seconds']} s (p95), and after"
        f" {report['without_it_p95_seconds']} s in the same run without it."
    ]
    if hung_seconds is None:
        report["broken"].append("the conversation that hung was never answered")
    if len(beside) < chosen.messages:
        report["broken"].append(f"only {len(beside)} of {chosen.messages} others were answered")
    if report["others_p95_seconds"] > longest:
        report["broken"].append(
            f"others waited {report['others_p95_seconds']} s (p95) beside a hanging conversation,"
            f" and {report['without_it_p95_seconds']} s without it"
        )
    return report


def measured(options: Options, hang_seconds: float) -> tuple[list[float], float | None]:
    """Delays of the others, in order; and how long the hanging conversation's reply took."""
    with stage.set_up() as ready:
        run = Conductor(ready, options, story=everybody)
        run.hanging["m1"] = hang_seconds
        asyncio.run(run_shown(run))
    return sorted(delays(run, lambda token: token != "m1")), seconds_to_any_reply(run)


def seconds_to_any_reply(run: Conductor) -> float | None:
    """The model may have answered in time at last, or the agent has said that it could not."""
    message = run.journal.messages["m1"]
    replies = [one.at for one in run.journal.accepted if one.contact == message.contact]
    return round(replies[0] - message.acknowledged_at, 2) if replies else None


async def everybody(run: Conductor) -> None:
    """As many at a time as there are workers: nobody waits for another but through the system."""
    for number in range(run.options.messages + 1):
        await run.traffic.when_not_behind(run.options.workers)
        run.traffic.post_from(number)
    await run.traffic.all_acknowledged()
