"""docs/promises.md: what holds, in sentences with their figures, and what they were measured on."""

import os
import time
from pathlib import Path

from bench.answering import commit, machine
from bench.chaos.options import Options
from bench.chaos.report import LINES
from local.places import ROOT

HOW_TO_READ = Path(__file__).with_name("how_to_read.md")
FILE = ROOT / "docs" / "promises.md"
HEAD = """# Promises

Written by `./chatmill chaos`, a section by each of its runs; nobody edits it. The real steps ran in
worker processes against stand-ins of the vendor and the model. What was lost, doubled or said was
counted in the stand-ins' logs, not in our tables.
"""
# In the order of the page.
TITLES = {
    "": "While everything fails",
    "isolated": "While everything fails, a process for every step",
    "frozen-twins": "Frozen twins",
    "takeover": "A teammate takes over",
    "hanging": "One conversation hangs",
    "burst": "Ten thousand webhooks in half a minute",
    "finished-rows": "A million finished rows",
    "quota": "The last of a plan",
    "isolation": "Nothing of another organization",
}


def write_promises(report: dict, options: Options) -> None:
    name = options.scenario or ("isolated" if options.isolated else "")
    sections = read_sections()
    sections[TITLES[name]] = section(report, options)
    pages = [f"## {title}\n\n{sections[title]}\n" for title in TITLES.values() if title in sections]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join([HEAD, *pages]))


def read_sections() -> dict[str, str]:
    """By title, as earlier runs wrote them."""
    if not FILE.exists():
        return {}
    _, *parts = FILE.read_text().split("\n## ")
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in parts)}


def section(report: dict, options: Options) -> str:
    lines = [f"- {sentence}" for sentence in report["promises"]]
    if report["broken"]:
        lines += ["", "**Broken in this run:** " + "; ".join(report["broken"]) + "."]
    lines += ["", conditions(options), ""]
    if "boundaries" in report:
        lines += [*figures(report), "", read_me(options), "", *boundaries(report["boundaries"])]
    return "\n".join(lines).strip()


def conditions(options: Options) -> str:
    facts = machine()
    workers = f", {options.workers} workers" if options.workers else ""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"`{options.command}`, seed {options.seed}, commit {commit()},"
        f" {time.strftime('%Y-%m-%d', time.gmtime())}, {facts['cores']} cores,"
        f" {facts['processor']}, Python {facts['python']}{workers}; load average at its end {load}."
    )


def figures(report: dict) -> list[str]:
    rows = [
        f"| {words.strip()} | {report[name]}{unit} |"
        for name, words, unit in LINES
        if report.get(name) is not None
    ]
    return ["| what | figure |", "|---|---|", *rows]


def read_me(options: Options) -> str:
    return HOW_TO_READ.read_text().format(grace_seconds=options.grace_seconds).rstrip()


def boundaries(met: dict[str, list[int]]) -> list[str]:
    killed_at = sum(killed > 0 for _, killed, _ in met.values())
    return [
        f"Boundaries: {len(met)} met, {killed_at} of them killed at.",
        "",
        "| boundary | passed | killed | frozen |",
        "|---|---|---|---|",
        *(f"| {name} | {a} | {b} | {c} |" for name, (a, b, c) in met.items()),
    ]
