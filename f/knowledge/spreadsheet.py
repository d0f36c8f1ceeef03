"""XLSX to sections: each visible sheet as a table.

Values are read as they are stored: a date as 2026-11-21, 19 % as 0.19.
"""

import datetime
from io import BytesIO

import python_calamine  # pin: python-calamine==0.9.1

import f.knowledge.tables as tables
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

MAX_CELLS = 2_000_000


def read(content: bytes) -> tuple[str, list[Section]]:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
        sheets = [sheet for sheet in book.sheets_metadata if is_visible(sheet)]
        tabled = [(sheet.name, rows_of(book.get_sheet_by_name(sheet.name))) for sheet in sheets]
    except python_calamine.PasswordError as exc:
        raise refused("document_encrypted") from exc
    except (python_calamine.CalamineError, OSError, ValueError) as exc:
        raise refused("document_broken") from exc
    filled = [(name, rows) for name, rows in tabled if tables.tidy(rows)]
    return "", [
        section
        for name, rows in filled
        for section in tables.sections(name if len(filled) > 1 else "", rows)
    ]


def is_visible(sheet) -> bool:
    return (
        sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        and sheet.visible == python_calamine.SheetVisibleEnum.Visible
    )


def rows_of(sheet) -> list[list[str]]:
    if sheet.height * sheet.width > MAX_CELLS:
        raise refused("document_too_large")
    rows = [[shown(value) for value in row] for row in sheet.to_python(skip_empty_area=True)]
    top, left = sheet.start or (0, 0)
    for (first_row, first_column), (last_row, last_column) in sheet.merged_cell_ranges or []:
        fill(rows, first_row - top, last_row - top, first_column - left, last_column - left)
    return rows


def fill(rows: list[list[str]], top: int, bottom: int, left: int, right: int) -> None:
    """A merged cell says the same of all its rows; across columns it is a title, said once."""
    if left != right or not 0 <= top < len(rows) or not 0 <= left < len(rows[top]):
        return
    for row in rows[top + 1 : bottom + 1]:
        row[left] = rows[top][left]


def shown(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)
