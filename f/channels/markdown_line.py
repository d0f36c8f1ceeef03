"""One line of Markdown: escapes, code, links and emphasis."""

import re
from dataclasses import dataclass

from f.channels.rich_text import Span

# Every repetition is bounded or ends at a sign that it can't contain, so that a line of a million
# signs takes a million steps.
TOKEN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`{1,3})(?P<code>[^`]+)(?P=ticks)(?!`)"
    r"|!?\[(?P<title>[^\[\]]{1,500})\]\((?P<url>[^()\s<>\\]{1,1000}(?:\([^()\s<>\\]{0,100}\))?)\)"
    r"|<(?P<address>https?://[^\s<>]{1,1000})>"
    r"|(?P<bare>https?://[^\s<>\"*`\[\]]+)"
    r"|(?P<mark>\*{1,3}|_{1,3}|~~)"
)
KINDS = {"*": "italic", "_": "italic", "**": "bold", "__": "bold", "~~": "strike"}
DEEPEST = 20  # marks that may wait to be closed; older ones are plain signs


@dataclass(frozen=True)
class Line:
    text: str
    spans: list[Span]

    def behind(self, prefix: str) -> "Line":
        return Line(prefix + self.text, moved(self.spans, len(prefix)))


def moved(spans: list[Span], by: int) -> list[Span]:
    return [Span(one.start + by, one.end + by, one.kind, one.value) for one in spans]


@dataclass
class _Mark:
    sign: str
    opens: bool
    closes: bool
    at: int = 0


def read_line(line: str) -> Line:
    parts: list[str | _Mark | Line] = []
    position = 0
    for token in TOKEN.finditer(line):
        parts.append(line[position : token.start()])
        parts += _read_token(token, line)
        position = token.end()
    return _assembled([*parts, line[position:]])


def _read_token(token: re.Match, line: str) -> list:
    if token["escaped"]:
        return [token["escaped"]]
    if token["code"]:
        return [Line(token["code"], [Span(0, len(token["code"]), "code")])]
    if token["url"]:
        return [_link(token["title"], token["url"])]
    if token["address"] or token["bare"]:
        return [token["address"] or token["bare"]]
    before = line[max(0, token.start() - 1) : token.start()]
    return _marks(token["mark"], before, line[token.end() : token.end() + 1])


def _link(title: str, url: str) -> Line:
    """Marks inside a title are read; a link in a link there is none."""
    found = read_line(title) if "](" not in title else Line(title, [])
    inner = [one for one in found.spans if one.kind != "link"]
    return Line(found.text, [Span(0, len(found.text), "link", url), *inner])


def _marks(signs: str, before: str, after: str) -> list[_Mark]:
    """Emphasis begins before a word and ends behind one; inside words only two asterisks count,
    or 2*3*4 and snake_case would lose their signs."""
    opens = bool(after) and not after.isspace()
    closes = bool(before) and not before.isspace()
    if signs not in ("**", "~~"):
        opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
    if len(signs) < 3:
        return [_Mark(signs, opens, closes)]
    two, one = signs[:2], signs[0]
    return (
        [_Mark(two, opens, False), _Mark(one, opens, False)]
        if opens
        else [
            _Mark(one, False, closes),
            _Mark(two, False, closes),
        ]
    )


def _assembled(parts: list) -> Line:
    matched = _matched(parts)
    text: list[str] = []
    spans: list[Span] = []
    length = 0
    for index, part in enumerate(parts):
        if isinstance(part, Line):
            spans += moved(part.spans, length)
            part = part.text
        elif isinstance(part, _Mark):
            part.at = length
            if index in matched:
                opener = matched[index]
                if opener is not None:
                    spans.append(Span(parts[opener].at, length, KINDS[part.sign]))
                continue
            part = part.sign
        text.append(part)
        length += len(part)
    return Line("".join(text), [one for one in spans if one.start < one.end])


def _matched(parts: list) -> dict[int, int | None]:
    """The marks that are none of the text: closing ones with their opening one."""
    matched: dict[int, int | None] = {}
    waiting: list[int] = []
    for index, part in enumerate(parts):
        if not isinstance(part, _Mark):
            continue
        partner = _partner(part, parts, waiting, index)
        if partner is not None:
            del waiting[waiting.index(partner) :]
            matched |= {partner: None, index: partner}
        elif part.opens:
            waiting = [*waiting[1 - DEEPEST :], index]
    return matched


def _partner(part: _Mark, parts: list, waiting: list[int], index: int) -> int | None:
    if not part.closes:
        return None
    for opener in reversed(waiting):
        if parts[opener].sign == part.sign and any(
            parts[between] and not isinstance(parts[between], _Mark)
            for between in range(opener + 1, index)
        ):
            return opener
    return None
