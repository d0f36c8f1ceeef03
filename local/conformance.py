"""./chatmill conformance: run what a real Windmill server answered, and compare."""

import argparse
import json
from pathlib import Path

from local.errors import CannotRun
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
    for file in options.files:
        check_form(file)
    with open_postgres(STATE) as postgres:
        # The cases were recorded on a database of this name, and one asks for it.
        return run_files(options.files, options.isolated, postgres.database("postgres"))


def check_form(file: Path) -> None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CannotRun(f"{file} is not JSON: {error}.") from error
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list) or not all(is_case(case) for case in cases):
        raise CannotRun(
            f"{file} is not a file of cases: an object with `cases`, each with a name and either"
            " value and expected, or request and response."
        )


def is_case(case: object) -> bool:
    forms = ({"name", "value", "expected"}, {"name", "request", "response"})
    return isinstance(case, dict) and any(form <= case.keys() for form in forms)


def existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path
