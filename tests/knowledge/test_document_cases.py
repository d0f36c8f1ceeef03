"""F01-F03, F10-F14 of docs/reliability.md, as they are uploaded: read in the sandbox, or refused.

Files that are made to do harm are in test_document_attacks.py.
"""

import random

import pytest

from f.knowledge import extraction, pdf, sandbox
from f.knowledge.chunks import split
from f.knowledge.extraction import READERS, extract
from f.knowledge.refusals import SENTENCES
from f.shared.errors import InputRefused
from tests.knowledge import many_files_reader, sample_files
from tests.knowledge.outcomes import outcome
from tests.knowledge.reading_here import extract as extract_here
from tests.knowledge.seed_files import mutated, seeds

MEGABYTE = 1024 * 1024


def test_f01_a_byte_too_many_is_refused_before_anything_is_read():
    assert outcome("a.txt", b"a" * (10 * MEGABYTE + 1)) == "document_too_large"


def test_f01_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)

    many = sample_files.pdf("One", "Two", "Three")

    assert outcome("a.pdf", many, extract_here) == "document_too_large"


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\t\r\n ", b"\xef\xbb\xbf", "\u200b".encode()])
def test_f02_a_file_without_text_is_refused(content):
    assert outcome("a.txt", content) == "document_empty"


def test_f02_pictures_of_pages_ask_for_text_recognition():
    assert outcome("a.pdf", sample_files.scanned_pdf()) == "document_scanned"
    assert "OCR" in SENTENCES["document_scanned"]


def test_f03_only_a_password_to_open_keeps_a_document_from_being_read():
    assert outcome("a.pdf", sample_files.encrypted_pdf("secret")) == "document_encrypted"
    assert outcome("a.pdf", sample_files.encrypted_pdf("")) == "read"


def outcomes_together(files: list[tuple[str, bytes]]) -> list[str]:
    """As `outcome` of each; one that takes its sandbox down is found among halves."""
    told = [(READERS[extraction.tell(name, content)].__name__, content) for name, content in files]
    try:
        found = sandbox.run(many_files_reader.__name__, many_files_reader.packed(told))
    except InputRefused as refusal:
        if len(files) == 1:
            return [refusal.code]
        half = len(files) // 2
        return outcomes_together(files[:half]) + outcomes_together(files[half:])
    return [section["text"] for section in found["sections"]]


def test_f10_two_hundred_damaged_files_are_read_or_refused(capsys):
    files, names = seeds(), sorted(seeds()) * 5
    contents = [
        mutated(files[name], list(files.values()), random.Random(number))
        for number, name in enumerate(names[:200])
    ]

    at_the_door = [outcome(*file, extraction.tell) for file in zip(names, contents, strict=False)]
    let_in = [
        (name, content)
        for name, content, at_door in zip(names, contents, at_the_door, strict=False)
        if at_door == "read"
    ]
    inside = outcomes_together(let_in)

    assert {"document_type_mismatch"} <= set(at_the_door) <= {"read", *SENTENCES}
    assert {"read", "document_broken"} <= set(inside) <= {"read", *SENTENCES}
    assert len(inside) == len(let_in) > 100
    # What the lock on files or the missing warm-up of a package would look like.
    assert not {"ImportError", "ModuleNotFoundError", "OSError"} & set(
        capsys.readouterr().out.split()
    )


WESTERN = "Die Größe: 5 cm für 5 €, schön"
CHARSETS = {
    **{codec: WESTERN.encode(codec) for codec in ("utf-8", "utf-8-sig", "utf-16", "cp1252")},
    **{codec: WESTERN.encode(codec) for codec in ("utf-16-le", "utf-16-be")},
}
UNKNOWN_CHARSETS = {
    "cyrillic": "Мы открыты с девяти до шести".encode("cp1251"),
    "koi8": "Мы открыты с девяти до шести".encode("koi8-r"),
    "greek": "Είμαστε ανοιχτά".encode("cp1253"),
    "shift_jis": "日本語のテキスト".encode("shift_jis"),
    "euc-jp": "日本語のテキスト".encode("euc_jp"),
    "gbk": "我们九点开门".encode("gbk"),
    "mixed": "Größe".encode() + "Größe".encode("cp1252"),
    "utf-7": "Größe für schön".encode("utf-7"),
}


@pytest.mark.parametrize("codec", CHARSETS)
def test_f11_text_is_read_in_its_encoding(codec):
    assert extract("a.txt", CHARSETS[codec]).sections[0].text == WESTERN


@pytest.mark.parametrize("name", UNKNOWN_CHARSETS)
def test_f11_an_encoding_that_cannot_be_told_is_never_guessed(name):
    assert outcome("a.txt", UNKNOWN_CHARSETS[name]) == "document_encoding_unknown"


@pytest.mark.parametrize("codec", ["windows-1251", "shift_jis", "gbk", "iso-8859-7", "euc-kr"])
def test_f11_a_page_that_declares_its_encoding_is_read_in_it(codec):
    word = {"shift_jis": "日本語", "gbk": "我们", "iso-8859-7": "ώρα", "euc-kr": "한국"}
    text = word.get(codec, "Мы")
    page = f'<html><head><meta charset="{codec}"></head><body><p>{text}</p></body></html>'

    assert extract("a.html", page.encode(codec)).sections[0].text == text


PAGES = {
    "one line of 5 MB": (b"<html><body><p>" + b"Hello you. " * 450_000, {"read"}),
    "very deep": (
        b"<html><body>" + b"<div>" * 100_000 + b"Hello",
        {"read", "document_too_complex"},
    ),
    "unclosed": (b"<html><body><p>Hello<table><tr><td>x<div><li>y", {"read"}),
    "only scripts": (b"<html><body><div id=app></div><script>x()</script>", {"document_empty"}),
    "pictures": (b"<html><body><img src='data:x," + b"A" * 5_000_000 + b"'>Hello", {"read"}),
}


@pytest.mark.parametrize("name", PAGES)
def test_f12_a_strange_page_is_read_for_its_text_only(name):
    content, allowed = PAGES[name]

    assert outcome("a.html", content) in (
        allowed | {"document_empty"} if "deep" in name else allowed
    )


STORMS = {
    "one word": "a" * 2_000_000,
    "emoji": "\U0001f469\u200d\U0001f4bb" * 150_000,
    "right to left": "\u05e9\u05dc\u05d5\u05dd " * 200_000,
    "combining marks": "e" + "\u0301\u0327" * 100_000,
    "one line": "word " * 400_000,
    "words never seen twice": " ".join(f"w{number:x}" for number in range(150_000)),
}


@pytest.mark.parametrize("name", STORMS)
def test_f13_every_chunk_of_strange_text_is_one_that_postgres_indexes(query, name):
    chunks = split(extract("a.txt", STORMS[name].encode()))

    contents = [max((chunk.content for chunk in chunks), key=len), chunks[-1].content]
    lengths = query(
        "select length(to_tsvector('english', one)) from unnest(%s::text[]) one", contents
    )
    assert len(chunks) > 100 and len(lengths) == 2


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/x",
        "a\0.txt",
        "a" * 300,
        "\U0001f600.txt",
        "con.txt",
        "<b>a</b>",
        "$var:f/a/b",
        "",
    ],
)
def test_f14_a_file_name_is_a_title_and_never_a_path(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    extracted = extract(name, b"Hello")

    assert extracted.sections[0].text == "Hello"
    assert 0 < len(extracted.title) <= 200 and "/" not in extracted.title.replace("</b>", "")
    assert list(tmp_path.iterdir()) == []
