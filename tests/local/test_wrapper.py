"""./chatmill: one command on any machine, and a sentence that says what to do where it can't."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from local.places import ROOT

TOOLS = "awk cat cut date df dirname flock grep head mkdir mv readlink rm sh sha256sum sleep tail"

# Stands in for Python, venv and pip: notes what it was asked, and fails as a test wants.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) echo "${FAKE_VERSION:-3.12}" ;;
  *ensurepip*) [ -z "${FAKE_WITHOUT_VENV:-}" ] ;;
  "-Im venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *"pip install"*)
    echo "$*" >>"$FAKE_LOG"
    sleep "${FAKE_PIP_SECONDS:-0}"
    case "$*" in *no-deps*) [ -z "${FAKE_WITHOUT_MODEL:-}" ] ;; *)
      [ -z "${FAKE_PIP_SAYS:-}" ] || { echo "$FAKE_PIP_SAYS"; exit 1; } ;;
    esac ;;
  *) shift; printf '<%s>' "$@" ;;
esac
"""


class Project:
    """A checkout of the wrapper's files, on a machine with few programs."""

    def __init__(self, folder: Path):
        self.root = folder / "with a space"
        self.programs = folder / "bin"
        self.pip_log = folder / "pip.log"
        self.root.mkdir()
        self.programs.mkdir()
        (self.root / "local").mkdir()
        for file in [ROOT / "chatmill", *ROOT.glob("requirements*.txt")]:
            shutil.copy(file, self.root)
        for tool in [*TOOLS.split(), "chmod", "cp", "env", "uname"]:
            (self.programs / tool).symlink_to(shutil.which(tool))

    def has_python(self) -> None:
        python = self.programs / "python3"
        python.write_text(FAKE_PYTHON)
        python.chmod(0o755)

    def start(self, *arguments: str, program: Path | None = None, **fakes) -> subprocess.Popen:
        return subprocess.Popen(
            [program or self.root / "chatmill", *arguments],
            env={"PATH": str(self.programs), "FAKE_LOG": str(self.pip_log), **fakes},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **more) -> tuple[int, str, str]:
        process = self.start(*arguments, **more)
        out, err = process.communicate()
        return process.returncode, out, err

    def installs(self) -> int:
        return len(self.pip_log.read_text().splitlines()) if self.pip_log.exists() else 0


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def machine(project):
    project.has_python()
    return project


def test_the_first_start_installs_and_runs_the_command(machine):
    code, out, err = machine.run("ask", "two words", "")

    assert (code, out) == (0, "<local><ask><two words><>")
    assert "Install the packages" in err


def test_the_second_start_installs_nothing(machine):
    machine.run("ask")
    installs = machine.installs()

    code, out, err = machine.run("ask")

    assert (code, out, err) == (0, "<local><ask>", "")
    assert machine.installs() == installs == 2


def test_changed_requirements_are_installed_into_the_same_environment(machine):
    machine.run("ask")
    kept = machine.root / ".venv" / "kept"
    kept.touch()
    (machine.root / "requirements.txt").write_text("other==1\n")

    code, _, err = machine.run("ask")

    assert (code, machine.installs(), kept.exists()) == (0, 4, True)
    assert "requirements changed" in err


def test_another_version_of_python_gets_a_new_environment(machine):
    machine.run("ask")
    kept = machine.root / ".venv" / "kept"
    kept.touch()

    machine.run("ask", FAKE_VERSION="3.13")

    assert not kept.exists()


def test_a_half_made_environment_is_made_again(machine):
    (machine.root / ".venv" / "lib").mkdir(parents=True)

    code, out, _ = machine.run("ask")

    assert (code, out) == (0, "<local><ask>")
    assert not (machine.root / ".venv" / "lib").exists()


def test_it_runs_through_a_link_from_another_folder(machine, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("with a space/chatmill")

    assert machine.run("ask", program=link)[:2] == (0, "<local><ask>")


@pytest.mark.parametrize("has_flock", [True, False])
def test_of_two_at_once_the_second_waits_for_the_first(machine, has_flock):
    if not has_flock:
        (machine.programs / "flock").unlink()

    both = [machine.start("ask", FAKE_PIP_SECONDS="0.3") for _ in range(2)]
    outputs = [process.communicate() for process in both]

    assert [out for out, _ in outputs] == ["<local><ask>"] * 2
    assert machine.installs() == 2
    assert sum("waiting for it" in err for _, err in outputs) == 1


def test_a_lock_whose_owner_is_gone_is_taken_over(machine):
    (machine.programs / "flock").unlink()
    (machine.root / ".chatmill" / "installing").mkdir(parents=True)
    (machine.root / ".chatmill" / "installing" / "pid").write_text("999999999\n")

    assert machine.run("ask")[:2] == (0, "<local><ask>")


def test_a_killed_install_does_not_break_the_next_start(machine):
    process = machine.start("ask", FAKE_PIP_SECONDS="1")
    while not machine.installs():
        time.sleep(0.01)
    process.kill()
    process.communicate()

    assert machine.run("ask")[:2] == (0, "<local><ask>")


def test_without_the_model_the_hashing_embedder_takes_over(machine):
    code, out, err = machine.run("ask", FAKE_WITHOUT_MODEL="1")

    assert (code, out) == (0, "<local><ask>")
    assert "hashing embedder takes over" in err


def test_help_needs_no_install(machine):
    (machine.root / "local" / "overview.txt").write_text("what it is\n")

    assert machine.run()[:2] == (0, "what it is\n")
    assert machine.run("--help")[:2] == (0, "what it is\n")
    assert machine.installs() == 0


def test_the_overview_fits_eighty_columns():
    lines = (ROOT / "local" / "overview.txt").read_text().splitlines()

    assert max(map(len, lines)) <= 80


def test_no_python_is_said_with_what_to_install(project):
    code, _, err = project.run("ask")

    assert code == 1
    assert "no Python was found" in err and "apt-get install -y python3" in err


@pytest.mark.parametrize("version", ["2.7", "3.9", "3.10"])
def test_an_old_python_is_said_with_its_version(machine, version):
    code, _, err = machine.run("ask", FAKE_VERSION=version)

    assert code == 1
    assert f"Python {version} is too old: 3.11 or newer" in err


def test_a_python_without_venv_names_debians_package(machine):
    code, _, err = machine.run("ask", FAKE_WITHOUT_VENV="1")

    assert code == 1
    assert "apt-get install -y python3-venv" in err


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        ("NewConnectionError: Failed to establish a new connection", "no network?"),
        ("Temporary failure in name resolution", "no network?"),
        ("[Errno 28] No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found for x==1", "Name another Python"),
        ("something else", "The whole log is in"),
    ],
)
def test_a_failed_install_says_what_to_do_and_the_next_start_goes_on(machine, pip_says, sentence):
    code, _, err = machine.run("ask", FAKE_PIP_SAYS=pip_says)

    assert code == 1
    assert sentence in err and pip_says in err
    assert machine.run("ask")[:2] == (0, "<local><ask>")


def test_a_folder_that_cannot_be_written_is_said(machine):
    (machine.root / ".chatmill").touch()

    code, _, err = machine.run("ask")

    assert code == 1
    assert f"cannot write to {machine.root}" in err


def test_a_disk_without_room_is_said_before_anything_is_fetched(machine):
    (machine.programs / "df").unlink()
    (machine.programs / "df").write_text("#!/bin/sh\nprintf 'h\\nd 1 1 2048 1 /\\n'\n")
    (machine.programs / "df").chmod(0o755)

    code, _, err = machine.run("ask")

    assert code == 1
    assert "has 2 MB free" in err
    assert machine.installs() == 0


def test_state_is_the_owners_alone(machine):
    machine.run("ask")

    assert os.stat(machine.root / ".chatmill").st_mode & 0o777 == 0o700
