"""Workspace files, as the CLI syncs them, become scripts, flows, triggers, values."""

from pathlib import Path

import pytest

from runner.engine import Engine, NotFound
from runner.workspace import Flow, load_workspace
from runner.yaml_files import parse_yaml
from tests.runner.serving import write_files

CANONICAL = Path(__file__).parents[3] / "shared" / "windmill" / "canonical"

FLOW = """
summary: Say
value:
  modules:
    - id: say
      value: {type: rawscript, language: python3, content: '!inline say.py'}
schema: {type: object}
"""


def load(tmp_path: Path, files: dict[str, str]):
    write_files(tmp_path, files)
    return load_workspace(tmp_path)


def test_the_cli_s_own_files_are_read():
    if not CANONICAL.exists():
        pytest.skip("../shared is not beside this clone")

    workspace = load_workspace(CANONICAL)

    assert workspace.unreadable == []
    assert workspace.scripts["f/canon/save_turn"].language == "postgresql"
    assert workspace.scripts["f/canon/load_turn"].metadata["kind"] == "script"
    assert [trigger.path for trigger in workspace.http_triggers] == ["f/canon/whatsapp"]
    assert workspace.schedules[0].metadata["schedule"] == "*/30 * * * * *"
    assert workspace.variables == {"f/canon/greeting": "hello"}
    assert workspace.resources["f/canon/db"]["password"] == "$var:f/canon/db_password"
    assert list(workspace.resource_types) == ["c_model"]


def test_a_flows_inline_scripts_are_read_into_its_value(tmp_path):
    files = {"f/t/say__flow/flow.yaml": FLOW, "f/t/say__flow/say.py": "def main(): ..."}

    flow = load(tmp_path, files).flows["f/t/say"]

    assert isinstance(flow, Flow)
    assert flow.value["modules"][0]["value"]["content"] == "def main(): ..."
    assert flow.metadata["summary"] == "Say" and "value" not in flow.metadata


def test_a_flows_and_an_apps_own_files_are_no_scripts(tmp_path):
    files = {
        "f/t/say__flow/say.py": "",
        "f/t/console__raw_app/backend/list.py": "",
        "f/t/real.py": "",
    }

    assert list(load(tmp_path, files).scripts) == ["f/t/real"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("f/t/x.variable.yaml", "value: [", "expected"),
        ("f/t/x.schedule.yaml", "a: 1\na: 2\n", "'a' occurs more than once"),
        ("f/t/x.resource.yaml", "- 1\n", "a mapping is expected"),
        ("f/t/x__flow/flow.yaml", FLOW, "say.py"),
    ],
)
def test_a_file_that_cannot_be_understood_is_reported(tmp_path, name, text, words):
    workspace = load(tmp_path, {name: text})

    assert [each.file for each in workspace.unreadable] == [tmp_path / name]
    assert words in workspace.unreadable[0].sentence


def test_a_file_that_is_not_utf8_is_reported(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "x.py").write_bytes(b"\xff")

    assert len(load_workspace(tmp_path).unreadable) == 1


def test_yaml_is_read_as_the_cli_reads_it():
    text = "a: on\nb: 2024-01-01\nc: 12:30\nd: 010\ne: 1e3\nf: ~\ng: yes\nh: 0x1F\ni: true\nj:\n"

    assert parse_yaml(text) == {
        "a": "on",
        "b": "2024-01-01",
        "c": "12:30",
        "d": 10,
        "e": 1000.0,
        "f": None,
        "g": "yes",
        "h": 31,
        "i": True,
        "j": None,
    }


@pytest.fixture
def values(tmp_path) -> Engine:
    files = {
        "f/t/v.variable.yaml": "value: from file\n",
        "f/t/r.resource.yaml": "value: {v: '$var:f/t/v', deep: [{r: '$res:f/t/other'}]}\n",
        "f/t/other.resource.yaml": "value: 7\n",
        "f/t/round.resource.yaml": "value: '$res:f/t/round'\n",
        "f/t/broken.resource.yaml": "value: '$var:f/t/none'\n",
    }
    return Engine(load(tmp_path, files), variables={"f/t/v": "set"})


def test_values_given_to_the_engine_win_and_resources_name_each_other(values):
    assert values.variable("f/t/v") == "set"
    assert values.resource("f/t/r") == {"v": "set", "deep": [{"r": 7}]}


@pytest.mark.parametrize("path", ["f/t/none", "f/t/round", "f/t/broken"])
def test_a_resource_that_leads_nowhere_is_not_found(values, path):
    with pytest.raises(NotFound):
        values.resource(path)
