"""The text of a style sheet as its rules: selectors, what is declared, and under what condition."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from f.knowledge.css_values import PIXELS_PER_EM

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
# Strings, addresses and escapes may hold any of the signs that part the rest.
SIGN = re.compile(
    r"""\\.|"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?|url\([^"')]*+\)|[{};,()\[\]]""",
    re.DOTALL | re.IGNORECASE,
)
ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
AT_RULE = re.compile(r"@([\w-]+)\s*(.*)", re.DOTALL)
MEDIA_WORD = re.compile(r"\(([^()]*)\)|([a-z-]+)")
WIDTH = re.compile(r"\s*(min|max)-width\s*:\s*(\d*\.?\d+)(px|r?em)\s*")
# What somebody with a usual screen sees.
SCREEN_PIXELS = 1280
MAX_NESTING = 6
MAX_SELECTORS = 500
# Properties that say the same, or that a shorter one says together with others.
ALSO = {
    "font": "font-size",
    "background": "background-color",
    "padding-top": "padding",
    "padding-bottom": "padding",
    "overflow-x": "overflow",
    "overflow-y": "overflow",
    "animation-name": "animation",
    "-webkit-animation": "animation",
    "transition-property": "transition",
    "-webkit-background-clip": "background-clip",
}
Block = tuple[list[str], list[str], bool]


def in_blocks(css: str) -> Iterator[Block]:
    """Of each rule: its selectors, its statements, and whether it counts for certain. Left out are
    those that surely do not."""
    return _in_blocks(COMMENT.sub(" ", css), [], True, 0)


def _in_blocks(css: str, outer: list[str], is_certain: bool, depth: int) -> Iterator[Block]:
    found = list(parts(css))
    if outer:
        yield outer, [text for text, body in found if body is None], is_certain
    for prelude, body in found if depth < MAX_NESTING else ():
        if body is None:
            continue
        if not prelude.startswith("@"):
            yield from _in_blocks(body, nested(outer, prelude), is_certain, depth + 1)
        elif (does_apply := applies(prelude)) is not False:
            yield from _in_blocks(body, outer, is_certain and bool(does_apply), depth + 1)


def parts(css: str) -> Iterator[tuple[str, str | None]]:
    """A statement and None, or what stands before a block and the block."""
    start = body = depth = 0
    prelude = ""
    for found in SIGN.finditer(css):
        sign = found[0]
        if sign == "{":
            if depth == 0:
                prelude, body = css[start : found.start()].strip(), found.end()
            depth += 1
        elif sign == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                if body > start:
                    yield prelude, css[body : found.start()]
                start = found.end()
        elif sign == ";" and depth == 0:
            yield css[start : found.start()], None
            start = found.end()
    # What is left open is closed by the end.
    yield (prelude, css[body:]) if depth else (css[start:], None)


def nested(outer: list[str], prelude: str) -> list[str]:
    """Selectors of a rule inside of a rule: `&` stands for the one around."""
    inner = listed(prelude, ",")
    both = (
        one.replace("&", around) if "&" in one else f"{around} {one}"
        for around in outer or [""]
        for one in inner
    )
    return list(islice(both, MAX_SELECTORS))


def statements_of(style: str) -> list[str]:
    """Of a `style` attribute."""
    return listed(COMMENT.sub(" ", style), ";")


def listed(text: str, separator: str) -> list[str]:
    """Parted where it stands outside of brackets and strings."""
    found, start, depth = [], 0, 0
    for sign in SIGN.finditer(text):
        if sign[0] in "([":
            depth += 1
        elif sign[0] in ")]":
            depth -= 1
        elif sign[0] == separator and depth <= 0:
            found.append(text[start : sign.start()])
            start = sign.end()
    return [*found, text[start:]]


def declarations(
    statements: Iterable[str], properties: frozenset[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Of these properties, in lower case: the usual ones, and those that are `!important`."""
    usual: dict[str, str] = {}
    important: dict[str, str] = {}
    for statement in statements:
        name, _, value = statement.partition(":")
        name = unescaped(name).strip().lower()
        name = ALSO.get(name, name)
        if name in properties:
            value, mark, _ = unescaped(value).lower().partition("!")
            (important if mark else usual)[name] = value.strip()
    return usual, important


def applies(at_rule: str) -> bool | None:
    """Whether its block counts on a usual screen; None when that can't be told."""
    found = AT_RULE.fullmatch(at_rule.strip())
    name, condition = (found[1].lower(), found[2].lower()) if found else ("", "")
    if name == "media":
        answers = [fits_screen(query) for query in condition.split(",")]
        return True if True in answers else None if None in answers else False
    if name == "layer":
        return True
    if name == "supports":
        return None if re.search(r"\bnot\b", condition) else True
    return None if name in ("container", "scope") else False


def fits_screen(query: str) -> bool | None:
    if re.search(r"\b(?:not|or)\b", query):
        return None
    answers = [
        fits_feature(feature) if feature else word in ("screen", "all", "only", "and")
        for feature, word in MEDIA_WORD.findall(query)
    ]
    return False if False in answers else None if None in answers else True


def fits_feature(feature: str) -> bool | None:
    found = WIDTH.fullmatch(feature)
    if not found:
        return None
    pixels = float(found[2]) * (1 if found[3] == "px" else PIXELS_PER_EM)
    return pixels <= SCREEN_PIXELS if found[1] == "min" else pixels >= SCREEN_PIXELS


def unescaped(text: str) -> str:
    """Any sign may be written by its number."""
    return ESCAPE.sub(character, text) if "\\" in text else text


def character(escape: re.Match) -> str:
    if not escape[1]:
        return escape[2]
    number = int(escape[1], 16)
    return chr(number) if 0 < number < 0xD800 or 0xDFFF < number < 0x110000 else "\ufffd"
