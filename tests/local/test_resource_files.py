"""./chatmill resources: Windmill's database resources, ready to push."""

import json
import os

import psycopg2
import pytest

from local import resource_files
from local.__main__ import main as chatmill
from local.postgres import Postgres, data_source_name
from local.secrets_file import load_secrets


@pytest.fixture
def installed(owner, tmp_path, monkeypatch):
    monkeypatch.setattr(resource_files, "open_postgres", lambda state: Postgres(owner))
    monkeypatch.setattr(resource_files, "STATE", tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://owner@db/chatmill")
    return tmp_path / "resources"


def test_each_role_gets_a_resource_that_opens_the_database_and_only_we_can_read(installed):
    assert chatmill(["resources"]) == 0

    files = sorted(installed.glob("*.resource.json"))
    assert [file.name.split(".")[0] for file in files] == [
        "app_database",
        "ingress_database",
        "knowledge_database",
        "operations_database",
    ]
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        psycopg2.connect(data_source_name(json.loads(file.read_text())["value"])).close()


def test_the_commands_to_push_are_printed_and_no_password_with_them(installed, capsys):
    chatmill(["resources", "--host", "db.internal", "--port", "6432"])

    told = capsys.readouterr().out
    value = json.loads((installed / "app_database.resource.json").read_text())["value"]
    assert f"{installed}/app_database.resource.json f/chat/app_database" in told
    assert value["password"] not in told
    assert (value["host"], value["port"]) == ("db.internal", 6432)


def test_the_sealing_key_goes_with_them_and_only_we_can_read_it(installed, capsys):
    chatmill(["resources"])

    told = capsys.readouterr().out
    file = installed / "sealing_key.variable.json"
    variable = json.loads(file.read_text())
    assert f"variable push --plain-secrets {file} f/chat/sealing_key" in told
    assert variable["value"] == load_secrets(installed.parent).sealing_key
    assert variable["is_secret"] and variable["value"] not in told
    assert file.stat().st_mode & 0o077 == 0


def test_without_a_database_of_ones_own_it_says_what_to_set(monkeypatch, capsys):
    monkeypatch.delenv("DATABASE_URL", raising=False)

    assert chatmill(["resources"]) == 1
    assert "set DATABASE_URL" in capsys.readouterr().err
    assert "DATABASE_URL" not in os.environ
