"""Text with marks beside it: what every dialect is written from, and what may be cut anywhere."""

from dataclasses import dataclass
from itertools import takewhile

EMPHASIS = ("bold", "italic", "strike")


@dataclass(frozen=True)
class Span:
    """`kind`: bold, italic, strike, code, pre or link; `value`: a link's address, a block's
    language."""

    start: int
    end: int
    kind: str
    value: str = ""


@dataclass(frozen=True)
class RichText:
    """Spans are nested or apart, sorted by their start, the outer one first."""

    text: str
    spans: tuple[Span, ...] = ()

    def part(self, start: int, end: int) -> "RichText":
        """What lies between; a span that goes beyond is closed here and opened in the next."""
        clipped = (
            Span(max(one.start, start) - start, min(one.end, end) - start, one.kind, one.value)
            for one in takewhile(lambda one: one.start < end, self.spans)
            if one.end > start
        )
        return RichText(self.text[start:end], tuple(clipped))

    def without_spans_before(self, position: int) -> "RichText":
        """Lighter to cut on: those at its beginning that end before `position` are left out."""
        first = 0
        while first < len(self.spans) and self.spans[first].end <= position:
            first += 1
        return RichText(self.text, self.spans[first:])


def ordered(spans: list[Span]) -> tuple[Span, ...]:
    """Without those inside one of their own kind, which no dialect could write."""
    kept: list[Span] = []
    open_until: dict[str, int] = {}
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if span.start < span.end and span.start >= open_until.get(span.kind, -1):
            open_until[span.kind] = span.end
            kept.append(span)
    return tuple(kept)


def utf16_length(text: str) -> int:
    """What vendors count: an emoji is two. Never less than the characters."""
    return len(text) + sum(character > "\uffff" for character in text)
