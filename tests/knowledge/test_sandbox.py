"""F20: a reader that a file has taken over reaches nothing and ends within its limits."""

import platform
from pathlib import Path

import pytest

from f.knowledge import sandbox
from f.knowledge.sandbox import Limits, run
from f.shared.errors import InputRefused, Misconfigured

HOSTILE = "tests.knowledge.hostile_reader"
on_linux = pytest.mark.skipif(
    platform.system() != "Linux", reason="elsewhere only the limits hold: see sandbox.py"
)
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="its numbers of system calls")


def what_happens(act: str) -> str:
    return run(HOSTILE, act.encode())["sections"][0]["text"]


@on_linux
@pytest.mark.parametrize(
    "act",
    [
        *("secrets of the parent", "read", "write", "list", "connect", "pair", "pipe"),
        *("fork", "run", "execute", "kill"),
    ],
)
def test_f20_a_reader_reaches_neither_files_nor_network_nor_processes(act):
    assert what_happens(act).startswith("refused: ")
    assert not Path("/tmp/chatmill_was_here").exists()


@on_linux
@on_x86
@pytest.mark.parametrize("name", ["clone", "socket", "ptrace"])
def test_f20_not_even_by_calling_the_kernel_itself(name):
    assert what_happens(f"system call {name}") == "did: 'Operation not permitted'"


def test_f20_a_reader_inherits_no_environment(monkeypatch):
    monkeypatch.setenv("WM_TOKEN", "the-token")

    assert "WM_TOKEN" not in what_happens("environment")


QUICK = Limits(wall_seconds=1.5)
BUSY = Limits(cpu_seconds=1)
SMALL = Limits(output_bytes=1_000_000)


@pytest.mark.parametrize(
    ("act", "limits", "code"),
    [
        ("memory", SMALL, "document_too_complex"),
        ("time", BUSY, "document_too_slow"),
        ("sleep", QUICK, "document_too_slow"),
        ("flood", SMALL, "document_too_large"),
        ("crash", SMALL, "document_too_complex"),
        ("fail", SMALL, "document_broken"),
    ],
)
def test_f20_a_reader_that_does_not_end_well_refuses_its_file(act, limits, code):
    with pytest.raises(InputRefused) as refusal:
        run(HOSTILE, act.encode(), limits)

    assert refusal.value.code == code


def test_f20_a_failing_reader_says_where_and_quotes_nothing(capsys):
    with pytest.raises(InputRefused):
        run(HOSTILE, b"fail")

    printed = capsys.readouterr().out
    assert "KeyError at " in printed and "hostile_reader.py:" in printed
    assert "a word of the document" not in printed


def test_f20_no_process_is_left(monkeypatch):
    started = []
    start = sandbox.start
    monkeypatch.setattr(sandbox, "start", lambda *a: started.append(start(*a)) or started[-1])

    with pytest.raises(InputRefused):
        run(HOSTILE, b"sleep", QUICK)

    assert started[0].returncode is not None
    assert not Path(f"/proc/{started[0].pid}").exists()


def test_a_sandbox_that_cannot_start_is_not_blamed_on_the_file():
    with pytest.raises(Misconfigured, match="could not start"):
        run("f.knowledge.there_is_no_such_reader", b"Hello")


def test_an_answer_in_any_script_comes_back_whole():
    text = "Größe \u65e5\u672c \U0001f600"

    found = run("f.knowledge.plain_text", text.encode())

    assert [section["text"] for section in found["sections"]] == [text]
