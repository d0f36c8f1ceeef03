"""What ./chatmill chaos takes from its command line."""

import argparse
from dataclasses import dataclass

FAULTS = {
    "kill": "processes killed (-9) at the named boundaries",
    "freeze": "processes stopped (SIGSTOP) there, for less and for more than the lease",
    "database": "Postgres stopped or killed, for longer than the grace",
    "sends": "sends refused, or accepted with the answer lost or late",
    "receipts": "receipts doubled, late and out of order",
    "webhooks": "webhooks delivered one to three times and swapped",
    "model": "model calls that fail, or are paid and cut off",
    "hang": "model calls that take longer than the lease",
    "jobs": "flows that were started and never come",
}
FULL_RUN_MESSAGES = 10_000


@dataclass(frozen=True)
class Options:
    messages: int | None  # a scenario has its own number
    seed: int
    faults: frozenset[str]
    workers: int
    isolated: bool
    as_json: bool
    write: bool
    scenario: str | None
    database_stops: int
    untimed: bool
    command: str

    @property
    def grace_seconds(self) -> int:
        """Production waits 120 s for a receipt. A run's is longer than the stand-in's latest
        receipt and the way of its webhook, and shorter than every database stop."""
        return 12 if self.isolated else 3


def parse(arguments: list[str], scenarios: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="chatmill chaos",
        description="Drives the real steps while their processes, Postgres and the vendors fail,"
        " and counts what was lost, doubled or out of order in the stand-ins' logs.",
        epilog="Faults: " + "; ".join(f"{name}: {what}" for name, what in FAULTS.items()) + ".",
    )
    parser.add_argument("--messages", type=positive, help="how many (10000; 200 isolated)")
    parser.add_argument("--seed", type=int, default=7, help="the plan of faults (%(default)s)")
    parser.add_argument(
        "--faults", type=fault_list, default=frozenset(FAULTS), help="with commas; default: all"
    )
    parser.add_argument("--workers", type=positive, help="processes (10; 4 isolated)")
    parser.add_argument("--isolated", action="store_true", help="a process for every step")
    parser.add_argument("--database-stops", type=int, help="how often (one per 1000 messages)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="figures as JSON")
    parser.add_argument(
        "--write", action="store_true", help="write the run's section of docs/promises.md"
    )
    parser.add_argument("--scenario", choices=scenarios, help="another run than the mixed one")
    parser.add_argument(
        "--untimed",
        action="store_true",
        help="a busy machine: slow recoveries and late answers break nothing",
    )
    given = vars(parser.parse_args(arguments))
    if not given["scenario"]:
        given["messages"] = given["messages"] or (200 if given["isolated"] else FULL_RUN_MESSAGES)
    given["workers"] = given["workers"] or (4 if given["isolated"] else 10)
    if given["database_stops"] is None:
        given["database_stops"] = max(1, (given["messages"] or 0) // 1000)
    return Options(**given, command=" ".join(["./chatmill chaos", *arguments]))


def positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return int(text)


def fault_list(text: str) -> frozenset[str]:
    names = frozenset(text.split(",")) - {"", "none"}
    if unknown := names - FAULTS.keys():
        raise argparse.ArgumentTypeError(
            f"there is no fault {sorted(unknown)[0]!r}; there are {', '.join(FAULTS)}"
        )
    return names
