"""Damaged and hostile files: an answer for their uploader, never a traceback."""

import io
import random
import zipfile

import pytest

from f.knowledge import web_page
from f.knowledge.chunks import split
from f.shared.errors import InputRefused
from tests.knowledge.outcomes import outcome
from tests.knowledge.reading_here import extract
from tests.knowledge.sample_files import zip_of
from tests.knowledge.seed_files import mutated, seeds

FILES = seeds()
LETTER = FILES["headings.docx"]


@pytest.mark.parametrize("name", ["text.pdf", "table.pdf", "locked.pdf", "headings.docx"])
def test_a_damaged_file_is_read_or_refused(name):
    chance = random.Random(name)
    others = list(FILES.values())

    outcomes = {outcome(name, mutated(FILES[name], others, chance), extract) for _ in range(150)}

    assert {"read", "document_broken"} <= outcomes


def test_a_docx_cannot_read_files_of_this_machine(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret")
    archive = zipfile.ZipFile(io.BytesIO(LETTER))
    parts = {name: archive.read(name) for name in archive.namelist()}
    body = parts["word/document.xml"].split(b"?>", 1)[1].replace(b"Level 1", b"&secret; Level 1")
    entity = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY secret SYSTEM "file://{secret}">]>'

    extracted = extract("a.docx", zip_of({**parts, "word/document.xml": entity.encode() + body}))

    assert "the-secret" not in str(extracted)


def test_entities_that_multiply_do_not_grow():
    archive = zipfile.ZipFile(io.BytesIO(LETTER))
    parts = {name: archive.read(name) for name in archive.namelist()}
    body = parts["word/document.xml"].split(b"?>", 1)[1].replace(b"Level 1", b"&e9;")
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "laugh">{entities}]>'
    file = zip_of({**parts, "word/document.xml": head.encode() + body})

    assert outcome("a.docx", file, extract) in ("read", "document_broken")


@pytest.mark.parametrize(
    "name, text",
    [
        ("comments.html", "<!---->" * 290 + "<x"),
        ("deep.html", "<html><body>" + "<div>" * 50_000 + "Hello"),
        ("spaces.md", "# " + " " * 1_000_000 + "x"),
        ("word.txt", "a" * 1_000_000),
        ("marks.txt", "e" + "\u0301\u0327" * 300_000),
        ("emoji.txt", "\U0001f469\u200d" * 20_000),
        ("quotes.md", "> " * 20_000),
        ("lists.md", "\n".join(" " * depth + "- x" for depth in range(300))),
    ],
)
def test_text_that_takes_naive_code_hours_is_done_at_once(name, text):
    try:
        chunks = split(extract(name, text.encode()))
    except InputRefused as refusal:
        assert refusal.code in ("document_empty", "document_type_unknown")
    else:
        assert chunks


def test_a_page_cannot_choose_any_codec_of_python():
    assert web_page.DECLARED.search(b'<meta charset="punycode">') is None
