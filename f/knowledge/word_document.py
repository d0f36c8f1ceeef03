"""DOCX to sections: heading styles are their paths, tables become rows that name their columns.

Text in headers, footers, footnotes and comments is not read, nor is text marked as hidden.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile
from zlib import error as ZlibError

from docx import Document  # pin: python-docx==1.2.0
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from lxml.etree import XMLSyntaxError

import f.knowledge.tables as tables
from f.knowledge.refusals import refused
from f.knowledge.sections import Outline, Section, is_question

# What python-docx lets through on damaged files, found by tests/knowledge/test_hostile_files.py.
DAMAGE = (
    OpcError,
    BadZipFile,
    ZlibError,
    XMLSyntaxError,
    AttributeError,
    EOFError,
    KeyError,
    NotImplementedError,
    TypeError,
    ValueError,
)
MAX_SPAN = 50
MAX_LIST_DEPTH = 10
LIST_STYLE = re.compile(r"List (?:Bullet|Number|Paragraph)(?: (\d))?$")
HEADING_STYLE = re.compile(r"Heading ([1-9])$")
WHITESPACE = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# Word keeps a text box twice, the second time for readers of 2007; deleted text is no text.
LEFT_OUT = {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback", qn("w:del")}
HIDDEN_MARK = f"{qn('w:rPr')}/{qn('w:vanish')}"
WRAPPERS = {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins")}


def read(content: bytes) -> tuple[str, list[Section]]:
    try:
        document = Document(BytesIO(content))
        sections = read_body(document)
        headings = [heading for section in sections for heading in section.heading_path]
        return next(iter(headings), document.core_properties.title or ""), sections
    except RecursionError as exc:
        raise refused("document_too_complex") from exc
    except DAMAGE as exc:
        raise refused("document_broken") from exc


def read_body(document) -> list[Section]:
    outline = Outline()
    for element in blocks(document.element.body):
        if element.tag == qn("w:tbl"):
            for line in ["", *table_lines(element), ""]:
                outline.line(line)
        else:
            read_paragraph(outline, Paragraph(element, document))
    return outline.sections()


def read_paragraph(outline: Outline, paragraph: Paragraph) -> None:
    level = heading_level(paragraph)
    text = element_text(paragraph._p)
    mark = list_mark(paragraph)
    if level:
        outline.heading(level, text)
    elif is_question(text) and is_bold(paragraph._p):
        outline.question(text)
    else:
        # Between paragraphs of text an empty line, between items of a list none.
        outline.line(mark + text if mark else text + "\n")


def blocks(parent) -> Iterator:
    """Paragraphs and tables in reading order, also those inside content controls."""
    for element in parent:
        if element.tag in (qn("w:p"), qn("w:tbl")):
            yield element
        elif element.tag in WRAPPERS:
            yield from blocks(element)


def heading_level(paragraph: Paragraph) -> int:
    style = paragraph.style.name or "" if paragraph.style else ""
    if style == "Title":
        return 1
    # Below a title, "Heading 1" is a part of it; level 10 does not exist.
    found = HEADING_STYLE.match(style)
    return int(found[1]) + 1 if found else 0


def element_text(element) -> str:
    if element.tag in LEFT_OUT or is_hidden(element):
        return ""
    if element.tag == qn("w:t"):
        return element.text or ""
    return WHITESPACE.get(element.tag) or "".join(element_text(child) for child in element)


def is_hidden(element) -> bool:
    marks = element.iterfind(HIDDEN_MARK) if element.tag == qn("w:r") else ()
    return any(mark.get(qn("w:val")) not in ("0", "false", "off") for mark in marks)


def table_lines(table) -> list[str]:
    """A cell over several rows says the same in each of them; one over several columns, once."""
    rows: list[list[str]] = []
    for row in table.iterchildren(qn("w:tr")):
        above = rows[-1] if rows else []
        rows.append([])
        for cell in row.iterchildren(qn("w:tc")):
            place = len(rows[-1])
            goes_on = cell.xpath("./w:tcPr/w:vMerge[not(@w:val='restart')]")
            text = above[place] if goes_on and place < len(above) else cell_text(cell)
            spans = cell.xpath("./w:tcPr/w:gridSpan/@w:val")
            width = min(int(spans[0]), MAX_SPAN) if spans and spans[0].isdigit() else 1
            rows[-1] += [text, *[""] * (width - 1)]
    return tables.lines(rows)


def cell_text(cell) -> str:
    paragraphs = (element_text(paragraph) for paragraph in cell.iter(qn("w:p")))
    return " ".join(" ".join(paragraphs).split())


def list_mark(paragraph: Paragraph) -> str:
    """Numbers of a list are not in the file but counted by Word, so each item gets a dash."""
    levels = paragraph._p.xpath("./w:pPr/w:numPr/w:ilvl/@w:val")
    style = paragraph.style.name or "" if paragraph.style else ""
    if not levels and not paragraph._p.xpath("./w:pPr/w:numPr") and not LIST_STYLE.match(style):
        return ""
    named = LIST_STYLE.match(style)
    depth = int(levels[0]) if levels and levels[0].isdigit() else int((named and named[1]) or 1) - 1
    return "   " * min(depth, MAX_LIST_DEPTH) + "- "


def is_bold(element) -> bool:
    runs = [run for run in element.iterchildren(qn("w:r")) if element_text(run).strip()]
    return bool(runs) and all(run.xpath("./w:rPr/w:b[not(@w:val='0')]") for run in runs)


def warm_up() -> None:
    """python-docx reads its templates, and zipfile its codec, when they are first needed."""
    file = BytesIO()
    Document().save(file)
    read(file.getvalue())
