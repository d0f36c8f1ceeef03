"""Rows of a Markdown table as sentences that carry their column's names with them."""

import re

LINE = re.compile(r"\|?[\s:|-]*-{3,}[\s:|-]*\|?$")


def is_table_row(line: str) -> bool:
    return line.strip().startswith("|")


def rows_as_sentences(lines: list[str]) -> list[str]:
    """`| Germany | 3 days |` under `| Country | Time |` is "Germany: 3 days"."""
    has_header = len(lines) > 1 and LINE.match(lines[1].strip())
    header = cells(lines[0]) if has_header else []
    rows = [cells(line) for line in lines if not LINE.match(line.strip())]
    return [row_as_sentence(header, row) for row in (rows[1:] if has_header else rows)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def row_as_sentence(header: list[str], row: list[str]) -> str:
    first, *others = row
    if len(others) > 1 and len(header) == len(row):
        named = zip(header[1:], others, strict=True)
        others = [f"{name} {value}" for name, value in named if value.strip("-– ")]
    return f"{first}: {', '.join(others)}" if others else first
