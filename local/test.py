"""./chatmill test: linters, migrations, workspace, tests and chaos, with the time of each."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.migrations import MIGRATIONS
from local.places import ROOT
from local.progress import duration
from local.terminal import heading, paint
from local.windmill_cli import Unavailable, lint_command


@dataclass(frozen=True)
class Phase:
    name: str
    command: Callable[[], list[str]]
    output_is_shown: bool = False


@dataclass(frozen=True)
class Done:
    name: str
    outcome: str
    seconds: float


def main(arguments: list[str]) -> int:
    options, pytest_arguments = parse(arguments)
    chosen = pytest_arguments or SIDE_BY_SIDE
    phases = [Phase("pytest", lambda: [*python("pytest"), *chosen], True)]
    if not options.fast:
        phases = [*LINTERS, *phases]
    if not (options.fast or pytest_arguments):
        phases.append(CHAOS)
    done = [run(phase) for phase in phases]
    print_summary(done)
    return 1 if any(one.outcome == "failed" for one in done) else 0


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="chatmill test",
        description="Linters, migrations, workspace, tests, and a short run of chaos. Other"
        " arguments go to pytest, and then there is no chaos.",
    )
    parser.add_argument("--fast", action="store_true", help="only the tests")
    return parser.parse_known_args(arguments)


def python(module: str) -> list[str]:
    return [sys.executable, "-Pm", module]


def squawk() -> list[str]:
    forward = sorted(
        path for path in MIGRATIONS.glob("*.sql") if not path.name.endswith(".rollback.sql")
    )
    program = Path(sys.executable).parent / "squawk"
    return [str(program), *(str(path) for path in forward)]


# A file's tests, which share servers, stay together until a core has nothing left to do.
SIDE_BY_SIDE = ("-n", str(min(4, os.cpu_count() or 1)), "--dist", "worksteal")
LINTERS = [
    Phase("ruff check", lambda: [*python("ruff"), "check"]),
    Phase("ruff format", lambda: [*python("ruff"), "format", "--check"]),
    Phase("squawk", squawk),
    Phase("wmill lint", lint_command),
]
SHORT_RUN = ("chaos", "--messages", "1000", "--untimed")
CHAOS = Phase("chaos", lambda: [*python("local"), *SHORT_RUN], True)


def run(phase: Phase) -> Done:
    heading(phase.name)
    started = time.perf_counter()
    try:
        outcome = outcome_of(phase)
    except Unavailable as reason:
        print(f"  skipped: {reason}")
        # Continuous integration is there to find what a machine without Node lets through.
        outcome = "failed" if os.environ.get("CI") == "true" else "skipped"
    return Done(phase.name, outcome, time.perf_counter() - started)


def outcome_of(phase: Phase) -> str:
    finished = subprocess.run(
        phase.command(),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=None if phase.output_is_shown else subprocess.PIPE,
        stderr=None if phase.output_is_shown else subprocess.STDOUT,
        text=True,
    )
    if finished.returncode == 0:
        return "passed"
    print(finished.stdout or "", end="")
    return "failed"


def environment() -> dict[str, str]:
    """Forbidden to keep what they compile, all workers would rewrite all tests at each start."""
    return {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}


def print_summary(done: list[Done]) -> None:
    heading("Summary")
    colours = {"passed": "green", "failed": "red", "skipped": "dim"}
    for one in done:
        outcome = paint(f"{one.outcome:<8}", colours[one.outcome])
        print(f"  {one.name:<14} {outcome} {duration(one.seconds):>9}")
