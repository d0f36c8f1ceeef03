"""What may be added to the agent with one file and one line; and that its files stay short."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from f.agent.model_slot import MODELS, ModelSlot, model_of
from f.agent.tool_kinds import APPROVED, tools_of
from local.places import ROOT

FILES = sorted((ROOT / "f" / "agent").glob("*.py"))
CONTEXT = SimpleNamespace(
    open_transaction=None,
    model={},
    organization_id="o",
    source_tags=[],
    files=(),
    business_hours={},
)


@pytest.fixture
def new_file(monkeypatch):
    """new_file(name, member) -> where a registry's line finds it."""

    def add(name, member):
        module = ModuleType(name)
        module.Added = member
        monkeypatch.setitem(sys.modules, name, module)
        return name, "Added"

    return add


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_file_of_the_agent_is_longer_than_two_hundred_lines(path):
    assert len(path.read_text().splitlines()) <= 200


def test_a_model_of_another_kind_is_one_file_and_one_line(new_file, monkeypatch):
    monkeypatch.setitem(MODELS, "echo", new_file("f.agent.echo_model", lambda slot, most: most))

    assert model_of(ModelSlot("1", "echo", "m", None, "key"), 300) == 300


def test_a_tool_of_another_kind_is_one_file_and_one_line(new_file, monkeypatch):
    row = SimpleNamespace(kind="fax", name="send_fax")
    monkeypatch.setitem(APPROVED, "fax", new_file("f.agent.fax_tool", lambda tool, context: tool))

    assert row in tools_of(CONTEXT, [row])
