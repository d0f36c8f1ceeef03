"""Markdown to sections: its headings outside of code are their paths."""

import re
from collections.abc import Iterator

import f.knowledge.tables as tables
from f.knowledge.plain_text import clean, decode
from f.knowledge.sections import Outline, Section

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
CELL_END = re.compile(r"(?<!\\)\|")
FENCE = re.compile(r" {0,3}(```|~~~)")


def read(content: bytes) -> tuple[str, list[Section]]:
    return read_text(clean(decode(content)))


def read_text(text: str) -> tuple[str, list[Section]]:
    outline = Outline()
    title = ""
    fence = ""
    for line in with_plain_tables(text.split("\n")):
        fence = fence_after(line, fence)
        found = None if fence else HEADING.match(line)
        if found:
            heading = heading_text(found[2])
            outline.heading(len(found[1]), heading)
            title = title or heading
        else:
            outline.line(line)
    return title, outline.sections()


def heading_text(text: str) -> str:
    """Without the hashes that may close a heading; those of a word (C#) stay."""
    opened = text.rstrip().rstrip("#")
    return opened.strip() if opened[-1:].isspace() else text.strip()


def fence_after(line: str, fence: str) -> str:
    """The mark that closes the block of code we are in, or nothing when we are in none."""
    mark = FENCE.match(line)
    if not mark or fence not in ("", mark[1]):
        return fence
    return "" if fence else mark[1]


def with_plain_tables(lines: list[str]) -> Iterator[str]:
    """A table becomes rows that name their columns; all other lines stay."""
    place = 0
    fence = ""
    while place < len(lines):
        fence = fence_after(lines[place], fence)
        end = place if fence else table_end(lines, place)
        if end > place:
            rows = [cells(line) for line in (lines[place], *lines[place + 2 : end])]
            yield from tables.lines(rows, has_header=True)
            place = end
        else:
            yield lines[place]
            place += 1


def table_end(lines: list[str], start: int) -> int:
    """Behind the last row of the table that starts here, or `start` when none does."""
    rule = lines[start + 1] if start + 1 < len(lines) else ""
    if "|" not in lines[start] or "|" not in rule or not TABLE_RULE.fullmatch(rule[:2000]):
        return start
    end = start + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


def cells(line: str) -> list[str]:
    row = line.strip().removeprefix("|")
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return [cell.strip().replace("\\|", "|") for cell in CELL_END.split(row)]
