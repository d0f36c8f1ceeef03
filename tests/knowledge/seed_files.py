"""Files of every format that mutation starts from, and the ways it damages them."""

import io
import random
import zipfile

from pypdf import PdfReader, PdfWriter

from tests.knowledge.sample_files import (
    docx,
    encrypted_pdf,
    pdf,
    pdf_table,
    scanned_pdf,
    written,
    xlsx,
    zip_of,
)

TEXT = "How long does it take?\nThree days, sometimes four.\n\nPrices\nCup 2.50, plate 3.90.\n"
ROWS = [["Question", "Answer", "Since"], ["Open?", "At nine.", 2020], ["Closed?", "At six.", 2021]]
PAGE = (
    "<!doctype html><html><head><meta charset={}><title>Help</title></head><body><main><h1>Help"
    "</h1><p>Größe</p><details><summary>Why?</summary>So.</details><table><tr><th>A<th>B<tr><td "
    "rowspan=2>1<td>2<tr><td>3</table><ul><li>x<ul><li>y</ul></ul><dl><dt>T<dd>D</dl></main></body>"
)
STYLED = (
    "<html><head><style>/*a*/.x{display:none}#y:hover,p>b~i{font:0/0 a!important}@media screen and "
    "(min-width:9em){[a^='b']{left:-9999px}.z{color:#fff;&.x{clip:rect(0 0 0 0)}}}\\78{opacity:0"
    "}</style></head><body bgcolor=white><div class='x z'>A<p id=y style='color:rgb(1,2,3)'><b>B"
    "</b><i a=bc>C</i></div><button>Why?</button><div class=x>So.</div></body></html>"
)
MARKDOWN = (
    "# A\n\nText **bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Why?\n\n1. x\n   - y\n"
    "```\nz\n```"
)


def seeds() -> dict[str, bytes]:
    return {**texts(), **tables(), **pages(), **pdfs(), **docx_files()}


def texts() -> dict[str, bytes]:
    named = {
        f"text-{codec}.txt": f"{TEXT}Größe".encode(codec)
        for codec in ("utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le")
    }
    more = {
        "questions.txt": f"Q: {TEXT}A: {TEXT}".encode() * 5,
        "long-line.txt": TEXT.replace("\n", " ").encode() * 100,
        "emoji.txt": "\U0001f469\u200d\U0001f4bb e\u0301 \u05d0\u05d1 ".encode() * 20,
        "plain.md": MARKDOWN.encode(),
        "quotes.md": b"> quoted\n> > twice\n\n- [ ] a task\n- [x] done\n\nTitle\n=====\n",
        "code.md": b"~~~\n# no heading\n~~~\n\n```py\nx = 1\n```\n\n### C# ###\n",
        "cyrillic.txt": "\u041c\u044b \u043e\u0442\u043a\u0440\u044b\u0442\u044b.\n".encode() * 9,
        "deep.md": "\n".join("#" * (n % 6 + 1) + f" Heading {n}\ntext" for n in range(60)).encode(),
        "table.md": b"|a|b|\n|-|-|\n" + b"|1|2|\n" * 50,
    }
    return named | more


def tables() -> dict[str, bytes]:
    lines = [",".join(map(str, row)) for row in ROWS]
    wide = [[f"C{n}" for n in range(20)], *[[n * m for n in range(20)] for m in range(20)]]
    return {
        "faq.csv": "\n".join(lines).encode(),
        "semicolon.csv": "\r\n".join(lines).replace(",", ";").encode("cp1252"),
        "quoted.csv": b'a,b\n"x, ""y""\nz",2\n' * 10,
        "tabs.tsv": "\n".join(lines).replace(",", "\t").encode(),
        "faq.xlsx": xlsx({"FAQ": ROWS}),
        "sheets.xlsx": xlsx({"One": ROWS, "Two": [["x", 1.5]], "Three": []}, hidden="Two"),
        "merged.xlsx": xlsx({"M": ROWS}, merged="A2:A3"),
        "wide.xlsx": xlsx({"W": wide}),
    }


def pages() -> dict[str, bytes]:
    return {
        "help.html": PAGE.format("utf-8").encode(),
        "latin.html": PAGE.format("windows-1252").encode("cp1252"),
        "menu.html": (PAGE.format("utf-8") + "<li><a href=x>y</a></li>" * 50).encode(),
        "definitions.html": b"<main><dl><dt>Why?<dd>So.<dt>Cup<dd>2.50</dl><pre>a\n b</pre></main>",
        "word.htm": "<html><body lang=ES><h1>Prices</h1><p>Coffee: 2 €.</p>".encode(),
        "nested.html": ("<html><body>" + "<table><tr><td>" * 20 + "x").encode(),
        "styled.html": STYLED.encode(),
        "xhtml.html": b'<?xml version="1.0"?><html><body><p>Hello&nbsp;you</p></body></html>',
    }


def pdfs() -> dict[str, bytes]:
    packed = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(*[TEXT] * 3))))
    packed.compress_identical_objects()
    for page in packed.pages:
        page.compress_content_streams()
    outlined = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("One", "Two", "Three"))))
    outlined.add_outline_item(title="Top", page_number=0)
    return {
        "text.pdf": pdf(TEXT, "Another page."),
        "many.pdf": pdf(*[f"Handbook\n{TEXT}Page {n}" for n in range(12)]),
        "table.pdf": pdf_table([["Country", "Days", "Price"]] + [["Spain", "3", "4.90"]] * 9),
        "locked.pdf": encrypted_pdf(user_password=""),
        "password.pdf": encrypted_pdf(user_password="secret"),
        "scan.pdf": scanned_pdf(),
        "packed.pdf": written(packed),
        "outline.pdf": written(outlined),
    }


def docx_files() -> dict[str, bytes]:
    def headings(document):
        for level in range(6):
            document.add_heading(f"Level {level}", level=level)
            document.add_paragraph(TEXT)

    def table(document):
        cells = document.add_table(rows=4, cols=3)
        for number, cell in enumerate(cells._cells):
            cell.text = f"cell {number}"
        cells.cell(0, 0).merge(cells.cell(1, 1))

    def lists(document):
        for style in ("List Bullet", "List Bullet 2", "List Number"):
            document.add_paragraph("item", style=style)

    fills = {"headings": headings, "table": table, "lists": lists}
    named = {f"{name}.docx": docx(fill) for name, fill in fills.items()}
    questions = docx(lambda document: document.add_paragraph().add_run("Why?"))
    return {**named, "questions.docx": questions, "empty.docx": docx(lambda document: None)}


def mutated(content: bytes, others: list[bytes], chance: random.Random) -> bytes:
    if content.startswith(b"PK") and chance.random() < 0.7:
        return repacked(content, others, chance)
    for _ in range(chance.choice([1, 1, 2, 8])):
        content = damaged(content, others, chance)
    return content


def repacked(content: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Damage inside of an archive, which its checksums would otherwise stop at the door."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(parts))
    return zip_of({**parts, name: damaged(parts[name], others, chance)})


def damaged(content: bytes, others: list[bytes], chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    end = min(len(content), place + chance.randrange(1, 200))
    noise = chance.randbytes(chance.randrange(1, 20))
    other = chance.choice(others)
    number = chance.choice([b"0", b"-1", b"65536", b"4294967295", b"99999999999999999999"])
    flipped = bytearray(content)
    for _ in range(min(len(content), 8)):
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return chance.choice(
        [
            content[:place],
            content[:place] + noise + content[place:],
            content[:place] + noise + content[place + len(noise) :],
            content[:place] + content[end:],
            content[:place] + content[place:end] * chance.choice([2, 50, 2000]) + content[end:],
            content[:place] + other[: chance.randrange(1, 4000)] + content[place:],
            content[:place] + number + content[place + len(number) :],
            bytes(flipped),
        ]
    )
