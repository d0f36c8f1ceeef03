"""./chatmill chaos: one run or one scenario, its figures, and exit code 1 when a promise broke."""

import asyncio
import json
from dataclasses import replace

from bench.chaos import stage
from bench.chaos.conductor import Conductor
from bench.chaos.judged import judged
from bench.chaos.options import FULL_RUN_MESSAGES, Options, parse
from bench.chaos.promises import write_promises
from bench.chaos.report import print_report, run_shown
from bench.chaos.scenarios import SCENARIOS


def main(arguments: list[str]) -> int:
    options = parse(arguments, [*SCENARIOS, "all"])
    if options.scenario == "all":
        return max([run(replace(options, scenario=name)) for name in SCENARIOS])
    return run(options)


def run(options: Options) -> int:
    """The exit code."""
    is_full = not options.scenario and options.messages >= FULL_RUN_MESSAGES
    report = SCENARIOS[options.scenario](options) if options.scenario else mixed(options)
    if options.as_json:
        print(json.dumps(report, indent=2))
    else:
        print_report(report)
    if options.write or is_full:
        write_promises(report, options)
    return 1 if report["broken"] else 0


def mixed(options: Options) -> dict:
    with stage.set_up() as ready:
        return asyncio.run(mixed_run(Conductor(ready, options)))


async def mixed_run(run: Conductor) -> dict:
    await run_shown(run)
    return await judged(run)
