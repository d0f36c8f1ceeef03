"""--document reads what has an end, and not too much of it."""

import os

import pytest

from local.documents import MAX_BYTES, add_document, read_document
from local.errors import CannotRun
from tests.conftest import ORGANIZATION_ID


def test_a_file_is_read_under_its_name(tmp_path):
    (tmp_path / "a.md").write_bytes(b"# A")

    assert read_document(str(tmp_path / "a.md")) == {"a.md": b"# A"}


def test_what_has_no_end_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(CannotRun, match="is not a file"):
            read_document(str(path))


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path):
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(MAX_BYTES * 100)

    with pytest.raises(CannotRun, match="larger than 10 MB"):
        read_document(str(tmp_path / "big.txt"))


def test_a_file_that_is_written_to_meanwhile_is_not_taken_half(tmp_path, monkeypatch):
    path = tmp_path / "growing.txt"
    path.write_text("The first line.\n")
    look = os.fstat

    def look_and_write(number: int):
        found = look(number)
        with path.open("a") as file:
            file.write("Another line.\n")
        return found

    monkeypatch.setattr(os, "fstat", look_and_write)

    with pytest.raises(CannotRun, match="changed while it was read"):
        read_document(str(path))


def test_a_plan_without_room_is_told(owner, query):
    query("update plans set source_bytes_limit = 1")

    with pytest.raises(CannotRun, match="a.md was refused .source_bytes_full.: The plan has no"):
        add_document(None, owner, {}, ORGANIZATION_ID, "a.md", b"We open at nine.")
