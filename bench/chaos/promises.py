"""docs/promises.md: the figures of the last full run, with what they were measured on."""

import time

from bench.answering import commit, machine
from bench.chaos.options import Options
from bench.chaos.report import LINES
from bench.chaos.stage import GRACE_SECONDS
from local.places import ROOT

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
            *EXPLANATIONS,
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


EXPLANATIONS = [
    f"- The grace for receipts was {GRACE_SECONDS} s (production: 120 s), so that every database"
    " stop was longer than it; vendors got 2 s to answer (production: 10 s).",
    "- Lost: acknowledged with 200, and neither answered nor ended in a visible row with an alert.",
    "- Doubled: a reference accepted twice, or a message answered in two replies.",
    "- Out of order: a message answered after one that was first posted when the earlier one was"
    " already acknowledged.",
    "- Paid in vain: calls that the model's stand-in answered less those in the store. The"
    " unavoidable window is from the call until its answer is stored.",
    "- Recovery: from a kill until a worker claimed that conversation again, where something was"
    " left to answer.",
    "- A conversation is hurt at most twice between two replies: five lost attempts are a poisoned"
    " message, which is buried on purpose.",
    "- The plan of faults follows from the seed and from stable keys (which message, which job of"
    " the conversation, which boundary). The timing of threads and processes is not replayable.",
]
