"""./chatmill conformance: run what a real Windmill server answered, and compare."""

import argparse
from pathlib import Path

from local.places import STATE
from local.postgres import open_postgres
from runner.conformance import run_files


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="chatmill conformance",
        description="Run flow or HTTP cases recorded from a real Windmill server, and compare.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=existing_file)
    parser.add_argument("--isolated", action="store_true", help="a process for every step")
    options = parser.parse_args(arguments)
    with open_postgres(STATE) as postgres:
        # The cases were recorded on a database of this name, and one asks for it.
        return run_files(options.files, options.isolated, postgres.database("postgres"))


def existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path
