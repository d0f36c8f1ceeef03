"""Every document that cannot be read is refused with a code, and a sentence for its uploader."""

import pytest

from f.knowledge import chunks, pdf, refusals
from f.knowledge.extraction import Extracted
from f.knowledge.sections import Section
from f.shared.errors import InputRefused
from tests.knowledge import sample_files
from tests.knowledge.reading_here import extract

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TEXT_OF_A_DOCX = b"<w:t>" + b"a" * 3_000_000


DOCUMENTS = {
    "nothing": ("a.txt", b"", "document_empty"),
    "white space": ("a.md", b" \n\t ", "document_empty"),
    "a page made by scripts": (
        "a.html",
        b"<html><body><div id=app></div><script>start()</script></body></html>",
        "document_empty",
    ),
    "a blank pdf": ("a.pdf", sample_files.pdf("", ""), "document_empty"),
    "a blank docx": ("a.docx", sample_files.docx(lambda document: None), "document_empty"),
    "10 MB and a byte": ("a.txt", b"a" * (10 * 1024 * 1024 + 1), "document_too_large"),
    "a scan": ("a.pdf", sample_files.scanned_pdf(), "document_scanned"),
    "a pdf with a password": ("a.pdf", sample_files.encrypted_pdf("x"), "document_encrypted"),
    "a docx with a password": (
        "a.docx",
        OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
        "document_encrypted",
    ),
    "half a pdf": ("a.pdf", sample_files.pdf("Hello")[:400], "document_broken"),
    "half a docx": (
        "a.docx",
        sample_files.docx(lambda document: document.add_paragraph("Hello"))[:9000],
        "document_broken",
    ),
    "an odd number of utf-16 bytes": ("a.txt", b"\xff\xfea", "document_broken"),
    "a program": ("a.txt", b"MZ\x90\x00\x03\x00\x00\x00\xff\xff\x00\x00", "document_type_unknown"),
    "a picture": ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "document_type_unknown"),
    "a drawing": ("a.svg", b"<svg><text>Hello</text></svg>", "document_type_unknown"),
    "rich text": ("a.rtf", b"{\\rtf1 Hello}", "document_type_unknown"),
    "an old doc": ("a.doc", OLE + b"\0" * 600, "document_type_unknown"),
    "a presentation": (
        "a.pptx",
        sample_files.zip_of({"ppt/presentation.xml": b"<x/>"}),
        "document_type_unknown",
    ),
    "a program named pdf": ("a.pdf", b"MZ\x90\x00 not a PDF", "document_type_mismatch"),
    "a page named docx": ("a.docx", b"<html><body>Hello</body></html>", "document_type_mismatch"),
    "a pdf named docx": ("a.docx", sample_files.pdf("Hello"), "document_type_mismatch"),
    "russian bytes": (
        "a.txt",
        "Мы открыты с девяти".encode("cp1251"),
        "document_encoding_unknown",
    ),
    "japanese bytes": (
        "a.txt",
        "日本語のテキスト".encode("shift_jis"),
        "document_encoding_unknown",
    ),
    "two encodings": (
        "a.txt",
        "Größe".encode() + "Größe".encode("cp1252"),
        "document_encoding_unknown",
    ),
    "an archive that unpacks to gigabytes": (
        "a.docx",
        sample_files.zip_of({"word/document.xml": TEXT_OF_A_DOCX}),
        "document_too_complex",
    ),
    "an archive of 2,001 files": (
        "a.docx",
        sample_files.zip_of({f"word/{n}": b"" for n in range(2001)}),
        "document_too_complex",
    ),
}


@pytest.mark.parametrize("name, content, code", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_cannot_be_read_is_refused(name, content, code):
    with pytest.raises(InputRefused) as refusal:
        extract(name, content)

    assert refusal.value.code == code
    assert str(refusal.value) == refusals.SENTENCES[code]


def test_a_pdf_that_only_forbids_printing_is_read():
    extracted = extract("a.pdf", sample_files.encrypted_pdf(user_password=""))

    assert extracted.sections[0].text == "Only for members."


def test_a_pdf_of_too_many_pages_is_refused(monkeypatch):
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)

    with pytest.raises(InputRefused, match="too large"):
        extract("a.pdf", sample_files.pdf("One", "Two", "Three"))


def test_a_document_of_too_many_passages_is_refused(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CHUNKS", 2)
    sections = [Section([f"Heading {number}"], None, "Text.") for number in range(3)]

    with pytest.raises(InputRefused, match="too large"):
        chunks.split(Extracted("Title", "text/markdown", sections))
