"""What the installation keeps is its owner's alone, and one instance runs at a time."""

import subprocess
import sys

import pytest

from local.errors import CannotRun
from local.places import ROOT, only_instance, private_folder
from local.secrets_file import load_secrets


def test_secrets_are_drawn_once_and_readable_by_their_owner_only(tmp_path):
    first = load_secrets(tmp_path / "state")
    second = load_secrets(tmp_path / "state")

    assert first == second
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_two_installations_have_different_secrets(tmp_path):
    one, other = load_secrets(tmp_path / "one"), load_secrets(tmp_path / "other")

    assert not set(vars(one).values()) & set(vars(other).values())


def test_secrets_are_in_no_representation(tmp_path):
    secrets = load_secrets(tmp_path)

    assert not any(value in repr(secrets) for value in vars(secrets).values())


def test_a_damaged_secrets_file_is_said_and_not_replaced(tmp_path):
    (tmp_path / "secrets.json").write_text("{")

    with pytest.raises(CannotRun, match="Restore it from a backup"):
        load_secrets(tmp_path)

    assert (tmp_path / "secrets.json").read_text() == "{"


def test_a_second_instance_is_refused_while_the_first_runs(tmp_path):
    with only_instance(tmp_path, "serve"):
        with pytest.raises(CannotRun, match="another instance of `./chatmill serve`"):
            with only_instance(tmp_path, "serve"):
                pass

    with only_instance(tmp_path, "serve"):
        pass


def test_a_killed_instance_leaves_nothing_that_stops_the_next(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from local.places import only_instance\n"
        "with only_instance(Path(sys.argv[1]), 'serve'): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT)

    with only_instance(tmp_path, "serve"):
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(CannotRun, match="cannot write to"):
        private_folder(tmp_path / "file" / "state")
