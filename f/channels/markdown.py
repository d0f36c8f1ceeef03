"""Markdown as models write it, read into rich text and written back.

What chats have no form for becomes words: headings are bold, bullets are dots, cells of a table
are parted by bars. Whatever it holds, no text gets lost: what closes nothing stays as it is.
"""

import re

from f.channels.markdown_line import Line, moved, read_line
from f.channels.rich_text import RichText, Span, ordered

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]{0,30})[ \t]*")
HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
BULLET = re.compile(r"([ \t]*)[-*+][ \t]+(\S.*)")
ROW = re.compile(r"[ \t]*\|(.*)\|[ \t]*")
ROW_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|?[ \t]*")
ESCAPABLE = re.compile(r"([!-/:-@\[-`{-~])")


def read(markdown: str) -> RichText:
    reader = _Reader()
    for line in markdown.replace("\r\n", "\n").split("\n"):
        reader.take(line)
    return reader.finished()


class _Reader:
    def __init__(self):
        self._lines: list[Line] = []
        self._block: list[str] | None = None
        self._fence, self._language = "", ""
        self._was_row = False

    def take(self, line: str) -> None:
        if self._block is not None:
            return self._take_code(line)
        fence = FENCE.fullmatch(line)
        if fence:
            self._block, self._fence, self._language = [], fence[1], fence[2]
            return None
        row = ROW.fullmatch(line)
        if self._was_row and ROW_RULE.fullmatch(line):
            return None
        self._was_row = row is not None
        self._lines.append(_row(row[1]) if row else _paragraph(line))
        return None

    def _take_code(self, line: str) -> None:
        mark = line.strip()
        if len(mark) >= len(self._fence) and set(mark) == {self._fence[0]}:
            self._end_block()
        else:
            self._block.append(line)

    def _end_block(self) -> None:
        code = "\n".join(self._block)
        self._block = None
        if code.strip():
            self._lines.append(Line(code, [Span(0, len(code), "pre", self._language)]))

    def finished(self) -> RichText:
        if self._block is not None:
            self._end_block()  # a block that nobody closed goes to the end
        offset, spans = 0, []
        for line in self._lines:
            spans += moved(line.spans, offset)
            offset += len(line.text) + 1
        return RichText("\n".join(line.text for line in self._lines), ordered(spans))


def _paragraph(line: str) -> Line:
    heading = HEADING.fullmatch(line)
    if heading:
        found = read_line(heading[1].rstrip())
        return Line(found.text, [Span(0, len(found.text), "bold"), *found.spans])
    if RULE.fullmatch(line):
        return Line("———", [])
    bullet = BULLET.fullmatch(line)
    if bullet:
        depth = len(bullet[1].expandtabs(4)) // 2
        return read_line(bullet[2]).behind("  " * depth + ("◦ " if depth else "• "))
    return read_line(line)


def _row(cells: str) -> Line:
    return read_line(" | ".join(cell.strip() for cell in cells.split("|")))


MARKS = {"bold": "**", "strike": "~~"}


def write(rich: RichText) -> str:
    """Markdown that read() makes the same rich text of: as it is where that holds, else with
    every sign escaped, and at worst without marks. The words are never changed."""
    for is_escaped, spans in ((False, rich.spans), (True, rich.spans), (True, ())):
        candidate = _written(RichText(rich.text, spans), is_escaped)
        if read(candidate) == RichText(rich.text, spans):
            return candidate
    return candidate


def _written(rich: RichText, is_escaped: bool) -> str:
    opening, closing = _marks(rich)
    raw = [(one.start, one.end) for one in rich.spans if one.kind in ("code", "pre")]
    written, position = [], 0
    for at in sorted({*opening, *closing, *(end for both in raw for end in both), len(rich.text)}):
        is_code = any(start <= position < end for start, end in raw)
        between = rich.text[position:at]
        written.append(ESCAPABLE.sub(r"\\\1", between) if is_escaped and not is_code else between)
        written += closing.get(at, [])[::-1]
        written += opening.get(at, [])
        position = at
    return "".join(written)


def _marks(rich: RichText) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    for span in rich.spans:
        before, after = _marks_of(span, rich.text)
        opening.setdefault(span.start, []).append(before)
        closing.setdefault(span.end, []).append(after)
    return opening, closing


def _marks_of(span: Span, text: str) -> tuple[str, str]:
    match span.kind:
        case "link":
            return "[", f"]({span.value})"
        case "code":
            return "`", "`"
        case "pre":
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
            return f"{fence}{span.value}\n", f"\n{fence}"
        case "italic":
            is_word = text[span.end : span.end + 1].isalnum()
            return ("*", "*") if is_word else ("_", "_")
    return MARKS[span.kind], MARKS[span.kind]
