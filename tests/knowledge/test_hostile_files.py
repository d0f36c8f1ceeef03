"""Damaged and hostile files: an answer for their uploader, never a traceback."""

import io
import random
import zipfile

import pytest

from f.knowledge import web_page
from f.knowledge.chunks import split
from f.shared.errors import InputRefused
from tests.knowledge.reading_here import extract
from tests.knowledge.sample_files import docx, encrypted_pdf, pdf, pdf_table, zip_of

FILES = {
    "text.pdf": pdf("Hello there.\nA second line.", "Another page."),
    "table.pdf": pdf_table([["a", "b", "c"]] * 10),
    "locked.pdf": encrypted_pdf(user_password=""),
    "letter.docx": docx(lambda document: document.add_heading("Hello").add_run("there")),
}


def outcome(name: str, content: bytes) -> str:
    try:
        extract(name, content)
    except InputRefused as refusal:
        return refusal.code
    return "read"


def damaged(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    noise = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20)))
    return chance.choice(
        [
            content[:place],
            content[:place] + noise + content[place:],
            content[:place] + noise + content[place + len(noise) :],
            content[:place] + content[place + chance.randrange(1, 200) :],
        ]
    )


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused(name):
    chance = random.Random(name)

    outcomes = {outcome(name, damaged(FILES[name], chance)) for _ in range(150)}

    assert "document_broken" in outcomes


def test_a_docx_with_a_damaged_part_is_read_or_refused():
    chance = random.Random(7)
    archive = zipfile.ZipFile(io.BytesIO(FILES["letter.docx"]))
    parts = {name: archive.read(name) for name in archive.namelist()}

    outcomes = set()
    for _ in range(60):
        part = chance.choice(sorted(parts))
        content = zip_of({**parts, part: damaged(parts[part], chance)})
        outcomes.add(outcome("letter.docx", content))

    assert outcomes == {"read", "document_broken"}


def test_a_docx_cannot_read_files_of_this_machine(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret")
    archive = zipfile.ZipFile(io.BytesIO(FILES["letter.docx"]))
    parts = {name: archive.read(name) for name in archive.namelist()}
    body = parts["word/document.xml"].split(b"?>", 1)[1].replace(b"there", b"&secret; there")
    entity = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY secret SYSTEM "file://{secret}">]>'

    extracted = extract("a.docx", zip_of({**parts, "word/document.xml": entity.encode() + body}))

    assert "the-secret" not in str(extracted)


def test_entities_that_multiply_do_not_grow():
    archive = zipfile.ZipFile(io.BytesIO(FILES["letter.docx"]))
    parts = {name: archive.read(name) for name in archive.namelist()}
    body = parts["word/document.xml"].split(b"?>", 1)[1].replace(b"there", b"&e9;")
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "laugh">{entities}]>'

    assert outcome("a.docx", zip_of({**parts, "word/document.xml": head.encode() + body})) in (
        "read",
        "document_broken",
    )


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
