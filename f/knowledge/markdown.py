"""Markdown to sections: its headings outside of code are their paths."""

import re

from f.knowledge.plain_text import clean, decode
from f.knowledge.sections import Outline, Section

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
FENCE = re.compile(r" {0,3}(```|~~~)")


def read(content: bytes) -> tuple[str, list[Section]]:
    return read_text(clean(decode(content)))


def read_text(text: str) -> tuple[str, list[Section]]:
    outline = Outline()
    title = ""
    fence = ""
    for line in text.split("\n"):
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
