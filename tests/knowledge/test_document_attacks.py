"""F04-F09 of docs/reliability.md: files made to harm whoever reads them, as they are uploaded."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from f.knowledge import sandbox
from f.knowledge.extraction import extract
from f.shared.errors import InputRefused
from tests.knowledge import sample_files
from tests.knowledge.outcomes import outcome

MEGABYTE = 1024 * 1024
LETTER = sample_files.docx(lambda document: document.add_paragraph("Hello there"))
SHEET = sample_files.xlsx({"A": [["Hello", "there"], ["a", "b"]]})


def with_parts(content: bytes, **changed: bytes | None) -> bytes:
    """An archive with other parts: `__` in a name stands for a slash, `_xml` for its ending."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = {name: archive.read(name) for name in archive.namelist()}
    named = {
        name.replace("__", "/").replace("_xml", ".xml"): part for name, part in changed.items()
    }
    return sample_files.zip_of({**parts, **named})


def pdf_with(stream: bytes, filters: str = "/FlateDecode", more: str = "") -> bytes:
    parts = [
        f"<< /Type /Catalog /Pages 2 0 R {more} >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /Font << "
        b"/F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >> >> >> >>",
        b"<< /Length %d /Filter %s >> stream\n%s\nendstream"
        % (len(stream), filters.encode(), stream),
        b"<< /Title (a) /Parent 5 0 R /First 5 0 R /Next 5 0 R /Last 5 0 R >>",
    ]
    body = b"".join(b"%d 0 obj %s endobj\n" % one for one in enumerate(parts, 1))
    return b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF"


def zeros() -> bytes:
    return zlib.compress(bytes(200 * MEGABYTE), 1)


# Made when they are read: every worker imports this file.
PDF_BOMBS = {
    "flate": lambda: pdf_with(zeros()),
    "twice flate": lambda: pdf_with(zlib.compress(zeros()), "[/FlateDecode /FlateDecode]"),
    "run length": lambda: pdf_with(b"\x81\0" * 2_000_000, "/RunLengthDecode"),
    "lzw": lambda: pdf_with(bytes(4 * MEGABYTE), "/LZWDecode"),
    "many filters": lambda: pdf_with(b"x", "[" + "/ASCIIHexDecode " * 1000 + "]"),
    "characters": lambda: pdf_with(zlib.compress(b"<0000> <ffff> <0000>\n" * 500_000)),
    "outline": lambda: pdf_with(zlib.compress(b"BT /F 1 Tf (x) Tj ET"), more="/Outlines 5 0 R"),
    "cross references": lambda: (
        b"%PDF-1.4\nxref\n0 0\ntrailer << /Prev 9 /Root 1 0 R >>\nstartxref\n9\n"
    ),
    "pages": lambda: (
        b"%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages "
        b"/Kids [2 0 R 2 0 R] /Count 9 >> endobj\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF"
    ),
}


@pytest.mark.parametrize("name", PDF_BOMBS)
def test_f04_a_pdf_that_unpacks_without_end_is_refused_in_time(name, monkeypatch):
    monkeypatch.setattr(sandbox, "LIMITS", sandbox.Limits(cpu_seconds=1))

    assert outcome("a.pdf", PDF_BOMBS[name]()) in {
        *("document_too_complex", "document_too_slow", "document_broken", "document_empty"),
        *(["read"] if name == "outline" else []),
    }


def test_f05_a_docx_that_unpacks_to_far_more_is_refused():
    bomb = sample_files.zip_of({"word/document.xml": bytes(30 * MEGABYTE)})

    assert outcome("a.docx", bomb) == "document_too_complex"


def test_f05_a_declared_size_that_lies_is_not_believed():
    content = bytearray(sample_files.zip_of({"word/document.xml": b"<x>" + b" " * 9_000_000}))
    place = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 24, 1000)

    assert outcome("a.docx", bytes(content)) == "document_broken"


def overlapping() -> bytes:
    content = bytearray(with_parts(LETTER, extra=b"x" * 100))
    first, last = content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02")
    content[last + 42 : last + 46] = content[first + 42 : first + 46]
    return bytes(content)


ARCHIVES = {
    "many entries": (b"PK\x03\x04" + b"PK\x01\x02" * 3000, "document_too_complex"),
    "an archive inside": (with_parts(LETTER, **{"inner.zip": LETTER}), "document_type_unknown"),
    "overlapping entries": (overlapping(), "document_too_complex"),
    "no entries": (b"PK\x03\x04", "document_broken"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_f06_an_archive_that_is_no_document_is_refused(name):
    content, code = ARCHIVES[name]

    assert outcome("a.docx", content) == code


@pytest.mark.parametrize(
    "name", ["../../escaped", "/tmp/escaped", "C:\\escaped", "a/../../escaped"]
)
def test_f07_names_in_an_archive_are_never_paths(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert outcome("a.docx", with_parts(LETTER, **{name: b"x"})) == "read"
    assert outcome("a.xlsx", with_parts(SHEET, **{name: b"x"})) == "read"
    assert list(tmp_path.iterdir()) == [] and not Path("/tmp/escaped").exists()


DISGUISED = {
    "a program as pdf": ("a.pdf", b"MZ\x90\0" + bytes(200)),
    "a page as docx": ("a.docx", b"<html><body>Hello</body></html>"),
    "a docx as xlsx": ("a.xlsx", LETTER),
    "a pdf that is an archive too": ("a.pdf", sample_files.pdf("Hello") + LETTER),
    "a drawing": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><text>Hi</text></svg>"),
    "a docx with macros": ("a.docx", with_parts(LETTER, **{"word/vbaProject.bin": b"x"})),
    "an xlsx with macros": ("a.xlsx", with_parts(SHEET, **{"xl/vbaProject.bin": b"x"})),
    "a program as text": ("a.txt", b"\x7fELF\2\1\1" + bytes(200)),
}


@pytest.mark.parametrize("case", DISGUISED)
def test_f08_a_file_is_what_its_bytes_say(case):
    assert outcome(*DISGUISED[case]) in ("document_type_mismatch", "document_type_unknown")


ENTITY = b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
LAUGHS = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
DTD = b'<!DOCTYPE d SYSTEM "http://127.0.0.1/evil.dtd">'


@pytest.mark.parametrize(
    "start", [ENTITY, b'<!DOCTYPE d [<!ENTITY e0 "ha">' + LAUGHS + b'<!ENTITY e "&e9;">]>', DTD]
)
def test_f09_entities_are_neither_read_from_files_nor_multiplied(start):
    secret = Path("/etc/hostname").read_text().strip()
    body = zipfile.ZipFile(io.BytesIO(LETTER)).read("word/document.xml")
    body = start + body.split(b"?>", 1)[1].replace(b"there", b"&e;")
    sheet = zipfile.ZipFile(io.BytesIO(SHEET)).read("xl/worksheets/sheet1.xml")
    sheet = start + sheet.replace(b"there", b"&e;")

    for name, content in (
        ("a.docx", with_parts(LETTER, word__document_xml=body)),
        ("a.xlsx", with_parts(SHEET, xl__worksheets__sheet1_xml=sheet)),
        ("a.html", start + b"<html><body>Hello &e;</body></html>"),
    ):
        try:
            assert secret not in str(extract(name, content).sections)
        except InputRefused as refusal:
            assert refusal.code in ("document_broken", "document_type_unknown", "document_empty")
