"""docs/promises.md: the figures of the last full run, with what they were measured on."""

import time
from pathlib import Path

from bench.answering import commit, machine
from bench.chaos.options import Options
from bench.chaos.report import LINES
from local.places import ROOT

HOW_TO_READ = Path(__file__).with_name("how_to_read.md")
FILE = ROOT / "docs" / "promises.md"


def write_promises(report: dict, options: Options) -> None:
    FILE.write_text(page(report, options))


def page(report: dict, options: Options) -> str:
    facts = machine()
    rows = [
        f"| {words.strip()} | {report[name]}{unit} |"
        for name, words, unit in LINES
        if report.get(name) is not None
    ]
    boundaries = report.get("boundaries", {})
    never = [name for name, (_, killed, _) in boundaries.items() if not killed]
    return "\n".join(
        [
            "# Promises",
            "",
            "Written by `./chatmill chaos`; nobody edits it. The real steps ran in worker processes"
            " while these faults were injected: " + ", ".join(sorted(options.faults)) + ".",
            "What was lost or doubled was counted in the stand-ins' logs, not in our tables.",
            "",
            f"Seed {options.seed}, commit {commit()}, {time.strftime('%Y-%m-%d', time.gmtime())},"
            f" {facts['cores']} cores, {facts['processor']}, Python {facts['python']},"
            f" {options.workers} workers{', a process for every step' * options.isolated}.",
            "",
            "| what | figure |",
            "|---|---|",
            *rows,
            "",
            "## How to read them",
            "",
            HOW_TO_READ.read_text().format(grace_seconds=options.grace_seconds).rstrip(),
            "",
            f"## Boundaries: {len(boundaries)} met, {len(boundaries) - len(never)} killed at",
            "",
            "| boundary | passed | killed | frozen |",
            "|---|---|---|---|",
            *(f"| {name} | {a} | {b} | {c} |" for name, (a, b, c) in boundaries.items()),
            "",
            "Broken promises: " + ("; ".join(report["broken"]) or "none") + ".",
            "",
        ]
    )
