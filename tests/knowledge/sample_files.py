"""Small files of every format, made as their programs would."""

import io
import zipfile
from xml.sax.saxutils import escape

from docx import Document
from pypdf import PdfReader, PdfWriter

PAGE = """\
{page} 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]
/Resources << /Font << /F1 3 0 R >> >> /Contents {content} 0 R >> endobj
{content} 0 obj << /Length {length} >> stream
{stream}
endstream endobj
"""


def pdf(*pages: str) -> bytes:
    """One page for each text; a line for each of its lines."""
    kids = " ".join(f"{number} 0 R" for number in range(4, 4 + 2 * len(pages), 2))
    body = [
        "%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n",
        f"2 0 obj << /Type /Pages /Kids [{kids}] /Count {len(pages)} >> endobj\n",
        "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
        " /Encoding /WinAnsiEncoding >> endobj\n",
    ]
    for number, text in zip(range(4, 4 + 2 * len(pages), 2), pages, strict=True):
        stream = page_stream(text)
        values = {"page": number, "content": number + 1, "stream": stream, "length": len(stream)}
        body.append(PAGE.format(**values))
    return with_cross_references(body)


def page_stream(text: str) -> str:
    lines = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").splitlines()
    shown = "".join(f"({line}) Tj T*\n" for line in lines)
    return f"BT /F1 12 Tf 14 TL 72 770 Td\n{shown}ET"


def pdf_table(rows: list[list[str]]) -> bytes:
    """A page whose cells stand in columns, as a printed price list does."""
    cells = [
        f"1 0 0 1 {72 + 170 * column} {770 - 20 * row} Tm ({cell}) Tj"
        for row, texts in enumerate(rows)
        for column, cell in enumerate(texts)
    ]
    drawn = "BT /F1 12 Tf\n" + "\n".join(cells) + "\nET"
    return pdf("placeholder").replace(page_stream("placeholder").encode(), drawn.encode())


def with_cross_references(body: list[str]) -> bytes:
    content = "".join(body).encode("cp1252")
    count = content.count(b" 0 obj")
    places = [content.index(f"\n{number} 0 obj".encode()) + 1 for number in range(1, count + 1)]
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        content
        + (
            f"xref\n0 {count + 1}\n0000000000 65535 f \n{table}"
            f"trailer << /Size {count + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
        ).encode()
    )


def scanned_pdf() -> bytes:
    """A page that is a picture: one white pixel."""
    picture = (
        "<< /Font << /F1 3 0 R >> /XObject << /Im1 6 0 R >> >> /Contents 5 0 R >> endobj\n"
        "6 0 obj << /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray"
        " /BitsPerComponent 8 /Length 1 >> stream\nx\nendstream endobj\n"
    )
    page = "<< /Font << /F1 3 0 R >> >> /Contents 5 0 R >> endobj\n"
    return pdf("").replace(page.encode(), picture.encode())


def encrypted_pdf(user_password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("Only for members."))))
    writer.encrypt(user_password, owner_password="owner", algorithm="AES-256")
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def docx(fill) -> bytes:
    """`fill(document)` writes into an empty python-docx document."""
    document = Document()
    fill(document)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def zip_of(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


SHEET_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsx(sheets: dict[str, list[list]], merged: str = "", hidden: str = "") -> bytes:
    """Text cells stand inline; `merged` is a range such as A2:A3 of every sheet."""
    entries = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": relationships([("officeDocument", "xl/workbook.xml")]),
        "xl/_rels/workbook.xml.rels": relationships(
            [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(sheets) + 1)]
        ),
        "xl/workbook.xml": workbook(list(sheets), hidden),
    }
    for number, rows in enumerate(sheets.values(), 1):
        entries[f"xl/worksheets/sheet{number}.xml"] = worksheet(rows, merged)
    return zip_of({name: text.encode() for name, text in entries.items()})


def relationships(targets: list[tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{rows}</Relationships>'


def workbook(names: list[str], hidden: str) -> str:
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"'
        f"{' state=' + chr(34) + 'hidden' + chr(34) if name == hidden else ''}/>"
        for number, name in enumerate(names, 1)
    )
    return (
        f'<workbook xmlns="{SHEET_NAMESPACE}" xmlns:r="{RELATIONS}">'
        f"<sheets>{sheets}</sheets></workbook>"
    )


def worksheet(rows: list[list], merged: str) -> str:
    def cell(column: int, row: int, value) -> str:
        place = f"{chr(65 + column)}{row}"
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    drawn = "".join(
        f'<row r="{number}">{"".join(cell(n, number, v) for n, v in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    ranges = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return (
        f'<worksheet xmlns="{SHEET_NAMESPACE}"><sheetData>{drawn}</sheetData>{ranges}</worksheet>'
    )
