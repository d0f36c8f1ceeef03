"""Ten thousand webhooks in half a minute, whether or not they are acknowledged in time."""

import asyncio
import time
from dataclasses import replace

from bench.chaos import evidence, stage
from bench.chaos.conductor import Conductor
from bench.chaos.figures import at, some
from bench.chaos.options import Options
from bench.chaos.oracle import judge
from bench.chaos.report import run_shown

WEBHOOKS = 10_000
SECONDS = 30
CONTACTS = 1000


def burst(options: Options) -> dict:
    chosen = replace(options, messages=options.messages or WEBHOOKS, faults=frozenset())
    with stage.set_up() as ready:
        return asyncio.run(burst_run(Conductor(ready, chosen, story=at_once)))


async def burst_run(run: Conductor) -> dict:
    await run_shown(run)
    verdict = judge(run.journal, await evidence.unknown_tokens(run.database))
    messages = run.journal.messages.values()
    waits = sorted(one.acknowledged_at - one.posted_at for one in messages)
    report = {
        "webhooks": len(waits),
        "posted_in_seconds": round(max(one.posted_at for one in messages) - run.started_at, 1),
        "acknowledged_after_seconds": round(
            max(one.acknowledged_at for one in messages) - run.started_at, 1
        ),
        "acknowledgement_p50_seconds": at(waits, 50),
        "acknowledgement_p99_seconds": at(waits, 99),
        "replies": len(run.journal.accepted),
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "out_of_order": len(verdict.out_of_order),
        "seconds": round(run.ended_at - run.started_at, 1),
        "broken": [],
    }
    report["promises"] = [
        f"{len(waits)} webhooks posted in {report['posted_in_seconds']} s are all kept:"
        f" {report['lost']} lost, {report['doubled']} doubled, {report['out_of_order']} out of"
        f" order; acknowledged after {report['acknowledgement_p50_seconds']} s (p50) and"
        f" {report['acknowledgement_p99_seconds']} s (p99), all answered after"
        f" {report['seconds']} s."
    ]
    for name in ("lost", "doubled", "out_of_order"):
        if tokens := getattr(verdict, name):
            report["broken"].append(f"messages were {name.replace('_', ' ')}: {some(tokens)}")
    if not run.is_settled:
        report["broken"].append("work was left when nobody had anything to wait for")
    return report


async def at_once(run: Conductor) -> None:
    started, count = time.monotonic(), run.options.messages
    for number in range(count):
        await asyncio.sleep(started + SECONDS * number / count - time.monotonic())
        run.traffic.post_from(number % CONTACTS)
    await run.traffic.all_acknowledged()
