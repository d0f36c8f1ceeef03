"""Run what a real Windmill server answered, flow by flow and route by route, and compare."""

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from runner import http_conformance
from runner.comparison import Compared, is_same, without_stacks
from runner.engine import Engine
from runner.workspace import load_workspace

# What the files' `about` says is there besides their workspace.
VARIABLES = {"f/t/v": "topsecret"}
DATABASE_PATH = "f/t/pg"
CASES_AT_ONCE = 4


def run_files(files: list[Path], isolated: bool, postgres: dict) -> int:
    """Print each difference and the counts; 0 when there is no difference."""
    passed = failed = 0
    for file in files:
        for compared in run_file(Path(file), isolated, postgres):
            passed += compared.is_equal
            failed += not compared.is_equal
            if not compared.is_equal:
                print(compared)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def run_file(file: Path, isolated: bool, postgres: dict) -> Iterator[Compared]:
    document = json.loads(file.read_text(encoding="utf-8"))
    cases = document["cases"]
    routes = [case for case in cases if "request" in case]
    flows = [case for case in cases if "request" not in case]
    with started_engine(document.get("workspace") or {}, isolated, postgres) as engine:
        with ThreadPoolExecutor(CASES_AT_ONCE) as pool:
            yield from pool.map(lambda case: run_case(engine, case), flows)
        if routes:
            yield from http_conformance.run_cases(engine, routes)


@contextmanager
def started_engine(files: dict[str, str], isolated: bool, postgres: dict) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="chatmill_conformance_") as directory:
        root = Path(directory)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        resources = {DATABASE_PATH: postgres}
        workspace = load_workspace(root)
        engine = Engine(workspace, variables=VARIABLES, resources=resources, isolated=isolated)
        engine.start("")
        try:
            yield engine
        finally:
            engine.stop(grace_seconds=1)


def run_case(engine: Engine, case: dict) -> Compared:
    with tempfile.TemporaryDirectory(prefix="chatmill_scratch_") as scratch:
        args = json.loads(json.dumps(case.get("args", {})).replace("$SCRATCH", scratch))
        outcome = engine.run_flow_value(case["value"], args)
    got = {"success": outcome.success, "result": without_stacks(outcome.result)}
    if outcome.status == "skipped":
        got["status"] = "skipped"
    return Compared(case["name"], case["expected"], got, is_same(case["expected"], got))
