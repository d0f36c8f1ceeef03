"""A reply as messages that a channel takes: cut where a reader would, with every mark closed.

The pieces are Markdown again; each vendor's library writes its dialect when it sends one.
"""

import re
from bisect import bisect_left
from collections.abc import Callable

import f.channels.markdown as markdown
from f.channels.options import numbered, taken_apart, with_options
from f.channels.rich_text import RichText, utf16_length
from f.channels.text import best_cut

LINK = re.compile(r"https?://\S+")
BLANK_ENDS = re.compile(r"\A(?:[ \t]*\r?\n)+|\s+\Z")
SPACE = re.compile(r"\s*\n|\s+")

Render = Callable[[RichText], str]


def split_markdown(text: str, limit: int, render: Render, shows_options: bool) -> list[str]:
    """`limit` is in UTF-16 units of what `render` makes of a piece, which is what vendors count or
    more. Options that a channel does not show (`shows_options`) need room as numbered lines."""
    words, options = taken_apart(text)
    pieces = _pieces(words, limit, render)
    if not options:
        return pieces
    lines = "" if shows_options else numbered(options)
    if pieces and utf16_length(render(markdown.read(pieces[-1]))) + len(lines) * 2 + 2 <= limit:
        return [*pieces[:-1], with_options(pieces[-1], options)]
    return [*pieces, with_options("", options)]


def _pieces(text: str, limit: int, render: Render) -> list[str]:
    rich = markdown.read(text)
    if utf16_length(render(rich)) <= limit:
        return [BLANK_ENDS.sub("", text)] if rich.text.strip() else []
    return [markdown.write(part) for part in split_rich(rich, limit, render)]


def split_rich(rich: RichText, limit: int, render: Render) -> list[RichText]:
    whole = _ranges(rich)
    pieces, start = [], _skip_space(rich.text, 0)
    while start < len(rich.text):
        rich = rich.without_spans_before(start)
        end = _end_of_piece(rich, start, limit, render, whole)
        piece = rich.part(start, end)
        pieces.append(piece.part(0, len(piece.text.rstrip())))
        start = _skip_space(rich.text, end)
    return [piece for piece in pieces if piece.text.strip()]


def _end_of_piece(rich: RichText, start: int, limit: int, render: Render, whole) -> int:
    """As far as fits once it is rendered: signs and addresses take room too."""
    budget = limit
    while True:
        window = rich.text[start : start + budget + 1]
        room = _characters(window, budget)
        if room >= len(window):
            cut = len(window)
        else:
            cut = best_cut(window, room, [_free(ranges, start) for ranges in whole])
        size = utf16_length(render(rich.part(start, start + cut)).strip())
        if size <= limit or budget == 1:
            return start + cut
        budget = max(1, min(budget - 1, budget * limit // size))


def _characters(text: str, units: int) -> int:
    """How many characters fit in so many UTF-16 units; at least one."""
    count = min(units, len(text))
    while count > 1 and (excess := utf16_length(text[:count]) - units) > 0:
        count = max(1, count - (excess + 1) // 2)
    return count


def _skip_space(text: str, position: int) -> int:
    """Blank lines between two pieces are dropped; the indentation of a line stays."""
    rest = SPACE.match(text, position)
    return rest.end() if rest else position


def _ranges(rich: RichText) -> list[list[tuple[int, int]]]:
    """What should stay whole, from what is wished to what is needed: blocks of code too; links and
    code in a line."""
    links = [match.span() for match in LINK.finditer(rich.text)]
    inline = [(one.start, one.end) for one in rich.spans if one.kind in ("link", "code")]
    blocks = [(one.start, one.end) for one in rich.spans if one.kind == "pre"]
    return [sorted(links + inline + blocks), sorted(links + inline)]


def _free(ranges: list[tuple[int, int]], start: int) -> Callable[[int], bool]:
    def is_free(cut: int) -> bool:
        position = start + cut
        before = bisect_left(ranges, (position, 0)) - 1
        # Ranges may lie in each other, a link's words in a block of code: look a little back.
        return not any(
            first < position < last for first, last in ranges[max(0, before - 3) : before + 1]
        )

    return is_free
