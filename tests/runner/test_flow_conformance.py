"""Flows end as they ended on a real Windmill server, case by case, in both modes."""

import json
from pathlib import Path

import pytest

from runner import conformance

CASES_FILE = Path(__file__).parent / "cases" / "flow_conformance.json"
RECORDED = json.loads(CASES_FILE.read_text(encoding="utf-8"))
SHARED = Path(__file__).parents[3] / "shared" / "windmill"


@pytest.fixture(scope="module")
def server_database(postgres) -> dict:
    return {**postgres.resource, "dbname": "postgres"}


@pytest.fixture(scope="module")
def engine(server_database):
    with conformance.started_engine(RECORDED["workspace"], False, server_database) as engine:
        yield engine


# Some cases' own code leaves files open.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["name"])
def test_a_flow_ends_as_on_the_server(engine, case):
    compared = conformance.run_case(engine, case)

    assert compared.is_equal, str(compared)


def test_every_flow_ends_as_on_the_server_with_a_process_a_step(server_database):
    compared = list(conformance.run_file(CASES_FILE, True, server_database))

    assert [str(each) for each in compared if not each.is_equal] == []
    assert len(compared) == len(RECORDED["cases"])


def test_a_difference_is_printed_and_counted(server_database, tmp_path, capsys):
    case = {**RECORDED["cases"][0], "expected": {"success": True, "result": True}}
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"workspace": {}, "cases": [case]}))

    exit_code = conformance.run_files([file], True, server_database)

    printed = capsys.readouterr().out
    assert exit_code == 1
    assert '"result": true' in printed and '"result": 1' in printed
    assert printed.endswith("0 passed, 1 failed\n")


@pytest.mark.parametrize("name", ["flow_conformance.json", "http_conformance.json"])
def test_the_copied_cases_are_the_shared_ones(name):
    if not SHARED.exists():
        pytest.skip("../shared is not beside this clone")

    copy = CASES_FILE.parent / name

    assert copy.read_bytes() == (SHARED / name).read_bytes()
