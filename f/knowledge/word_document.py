"""DOCX to sections: heading styles are their paths, tables become rows of cells.

Text in headers, footers, footnotes and comments is not read.
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

from f.knowledge.refusals import refused
from f.knowledge.sections import Outline, Section

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
HEADING_STYLE = re.compile(r"Heading ([1-9])$")
WHITESPACE = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# Word keeps a text box twice, the second time for readers of 2007; deleted text is no text.
LEFT_OUT = {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback", qn("w:del")}
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
            outline.line("\n" + table_text(element) + "\n")
        else:
            level = heading_level(Paragraph(element, document))
            text = element_text(element)
            outline.heading(level, text) if level else outline.line(text + "\n")
    return outline.sections()


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
    if element.tag in LEFT_OUT:
        return ""
    if element.tag == qn("w:t"):
        return element.text or ""
    return WHITESPACE.get(element.tag) or "".join(element_text(child) for child in element)


def table_text(table) -> str:
    """As a Markdown table, so that rows stay together when the text is split."""
    rows = [
        [cell_text(cell) for cell in row.iterchildren(qn("w:tc"))]
        for row in table.iterchildren(qn("w:tr"))
    ]
    lines = ["| " + " | ".join(row) + " |" for row in rows if any(row)]
    if lines:
        lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def cell_text(cell) -> str:
    paragraphs = (element_text(paragraph) for paragraph in cell.iter(qn("w:p")))
    return " ".join(" ".join(paragraphs).replace("|", "/").split())


def warm_up() -> None:
    """python-docx reads its templates, and zipfile its codec, when they are first needed."""
    file = BytesIO()
    Document().save(file)
    read(file.getvalue())
