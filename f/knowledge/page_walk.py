"""Through the elements of a page in reading order: headings, lists, tables, questions, text."""

import re

from lxml import etree

import f.knowledge.tables as tables
from f.knowledge.sections import Outline, Section

HEADING = re.compile(r"h([1-6])")
INLINE = {
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
    *("font", "i", "img", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "wbr"),
    *("strike", "strong", "sub", "sup", "time", "tt", "u", "var"),
}
MAX_SPAN = 50
MAX_LIST_DEPTH = 10


class PageWalk:
    def __init__(self, part):
        self._outline = Outline()
        self._words: list[str] = []
        self._mark = ""
        self._lists: list[int] = []
        self._walk_inside(part)

    def sections(self) -> list[Section]:
        self._end_line()
        return self._outline.sections()

    def _walk(self, element) -> None:
        # Entities and processing instructions have no name; nothing of theirs is text.
        if isinstance(element.tag, str):
            if element.tag in INLINE:
                self._walk_inside(element)
            elif element.tag == "br":
                self._end_line()
            else:
                self._end_line()
                self._walk_block(element)
                self._end_line()
        self._words.append(element.tail or "")

    def _walk_inside(self, element) -> None:
        self._words.append(element.text or "")
        for child in element:
            self._walk(child)

    def _walk_block(self, element) -> None:
        heading = HEADING.fullmatch(element.tag)
        if heading:
            self._outline.heading(int(heading[1]), text_of(element))
            return
        match element.tag:
            case "ul" | "ol":
                self._walk_list(element)
            case "li":
                self._walk_item(element)
            case "table":
                self._walk_table(element)
            case "pre":
                self._outline.line(f"\n```\n{''.join(element.itertext())}\n```\n")
            case "details":
                self._walk_details(element)
            case "dl":
                self._walk_terms(element)
            case _:
                self._walk_inside(element)
                self._end_line()
                self._outline.line("")

    def _walk_list(self, element) -> None:
        self._lists.append(0 if element.tag == "ol" else -1)
        self._walk_inside(element)
        self._end_line()
        self._lists.pop()
        if not self._lists:
            self._outline.line("")

    def _walk_item(self, element) -> None:
        lists = self._lists or [-1]
        if lists[-1] >= 0:
            lists[-1] += 1
        depth = min(len(lists) - 1, MAX_LIST_DEPTH)
        self._mark = "   " * depth + (f"{lists[-1]}. " if lists[-1] >= 0 else "- ")
        self._walk_inside(element)
        self._end_line()
        self._mark = ""

    def _walk_table(self, element) -> None:
        if element.find(".//table") is not None:
            # A table around tables lays a page out; its cells are no rows.
            return self._walk_inside(element)
        caption = element.find("caption")
        if caption is not None:
            self._outline.line(text_of(caption))
        rows = [row for row in element.iter("tr")]
        first_is_header = bool(rows) and all(cell.tag == "th" for cell in cells(rows[0]))
        for line in tables.lines(spread(rows), True if first_is_header else None):
            self._outline.line(line)
        self._outline.line("")

    def _walk_details(self, element) -> None:
        summary = element.find("summary")
        if summary is not None:
            self._outline.question(text_of(summary))
            tail, summary.tail = summary.tail, None
            element.remove(summary)
            element.text = (element.text or "") + (tail or "")
        self._walk_inside(element)
        self._end_line()
        self._outline.end_question()

    def _walk_terms(self, element) -> None:
        """Each term with what is said of it on one line; a term that asks is a question. A
        term of which nothing is said stands for itself."""
        term, is_said = "", True
        for child in element.iter("dt", "dd"):
            text = text_of(child)
            if child.tag == "dt":
                if not is_said:
                    self._outline.line(term)
                term = text
            elif tables.is_question(term):
                self._outline.question(term)
                self._outline.line(text)
                self._outline.end_question()
            else:
                self._outline.line(f"{term}: {text}" if term else text)
            is_said = child.tag == "dd"
        if not is_said:
            self._outline.line(term)
        self._outline.line("")

    def _end_line(self) -> None:
        text = " ".join("".join(self._words).split())
        self._words = []
        if text:
            self._outline.line(self._mark + text)
            # What follows in the same list item stands below its first line.
            self._mark = " " * len(self._mark)


def text_of(element) -> str:
    return " ".join("".join(element.itertext()).split())


def cells(row) -> list:
    return [cell for cell in row.iterchildren(etree.Element) if cell.tag in ("td", "th")]


def spread(rows: list) -> list[list[str]]:
    """A cell over several rows or columns says the same in each of them."""
    table: list[dict[int, str]] = [{} for _ in rows]
    for number, row in enumerate(rows):
        column = 0
        for cell in cells(row):
            while column in table[number]:
                column += 1
            text, down, right = text_of(cell), span(cell, "rowspan"), span(cell, "colspan")
            for below in table[number : number + down]:
                below.update(dict.fromkeys(range(column, column + right), text))
            column += right
    return [[row.get(n, "") for n in range(max(row, default=-1) + 1)] for row in table]


def span(cell, name: str) -> int:
    value = cell.get(name, "1")
    return min(int(value), MAX_SPAN) if value.isascii() and value.isdigit() and value != "0" else 1
