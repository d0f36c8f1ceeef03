"""Frozen twins: processes stopped for less and for more than the lease wake up beside others."""

import asyncio
from dataclasses import replace

from bench.chaos import stage
from bench.chaos.conductor import Conductor, Rates
from bench.chaos.judged import judged
from bench.chaos.options import Options
from bench.chaos.report import run_shown

MESSAGES = 400
WORKERS = 24  # many of them sleep
FREEZE_RATE = 0.02


def frozen_twins(options: Options) -> dict:
    """Nothing doubled, and some late writes really refused."""
    chosen = replace(
        options,
        messages=options.messages or MESSAGES,
        workers=WORKERS,
        faults=frozenset({"freeze"}),
    )
    with stage.set_up() as ready:
        report = asyncio.run(freeze(Conductor(ready, chosen, Rates(freeze=FREEZE_RATE))))
    report["promises"] = [
        "A process that was frozen and wakes up beside another that took its work over does no"
        f" harm: {report['freezes']} freezes, {report['fenced_writes']} late writes refused,"
        f" {report['doubled']} replies doubled, {report['lost']} messages lost."
    ]
    if report["fenced_writes"] == 0:
        report["broken"].append("no write was refused: nobody woke up beside another")
    return report


async def freeze(run: Conductor) -> dict:
    await run_shown(run)
    return await judged(run)
