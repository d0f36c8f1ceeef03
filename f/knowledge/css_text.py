"""A style sheet as its rules: selectors, what is declared, and whether it counts on a screen."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

import tinycss2  # pin: tinycss2==1.5.1

from f.knowledge.css_values import PIXELS_PER_EM

# Python reads no longer numbers, and writes no half of a surrogate pair: both are escaped alike.
UNREADABLE = re.compile(r"\d{1000,}|\\0{0,2}d[89a-f][0-9a-f]{2}(?![0-9a-f])", re.IGNORECASE)
MEDIA_WORD = re.compile(r"\(([^()]*)\)|([a-z-]+)")
WIDTH = re.compile(r"\s*(min|max)-width\s*:\s*(\d*\.?\d+)(px|r?em)\s*")
# What somebody with a usual screen sees.
SCREEN_PIXELS = 1280
MAX_NESTING = 6
MAX_SELECTORS = 500
# Both the matcher and Python's compiler below it call themselves for each part of a selector.
MAX_SELECTOR_TOKENS = 60
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
SPACE = tinycss2.ast.WhitespaceToken(0, 0, " ")
# Tokens, or nodes made of them, as tinycss2 has them.
Nodes = list[tinycss2.ast.Node]
# Selectors, declarations and other nodes, and whether it counts for certain.
Rule = tuple[list[Nodes], Nodes, bool]


def rules_of(css: str) -> Iterator[Rule]:
    """Left out are those that surely do not count."""
    return _rules_of(tinycss2.parse_stylesheet(tokens_of(css), True, True), [], True, 0)


def _rules_of(nodes: Nodes, outer: list[Nodes], is_certain: bool, depth: int) -> Iterator[Rule]:
    if outer:
        yield outer, nodes, is_certain
    for node in nodes if depth < MAX_NESTING else ():
        if node.type == "qualified-rule":
            inner = tinycss2.parse_blocks_contents(node.content, True, True)
            yield from _rules_of(inner, nested(outer, node.prelude), is_certain, depth + 1)
        elif node.type == "at-rule" and node.content and (does_apply := applies(node)) is not False:
            parse = tinycss2.parse_blocks_contents if outer else tinycss2.parse_rule_list
            inner = parse(node.content, True, True)
            yield from _rules_of(inner, outer, is_certain and bool(does_apply), depth + 1)


def tokens_of(css: str) -> Nodes:
    return tinycss2.parse_component_value_list(UNREADABLE.sub("\ufffd", css), skip_comments=True)


def nested(outer: list[Nodes], prelude: Nodes) -> list[Nodes]:
    """Selectors of a rule inside of a rule: `&` stands for the one around."""
    inner = parted(prelude)
    both = (
        [part for token in one for part in (around if token == "&" else [token])]
        if "&" in one
        else [*around, SPACE, *one]
        for around in outer
        for one in inner
    )
    found = both if outer else inner
    return [one for one in islice(found, MAX_SELECTORS) if len(one) <= MAX_SELECTOR_TOKENS]


def parted(prelude: Nodes) -> list[Nodes]:
    """At its commas."""
    found: list[Nodes] = [[]]
    for token in prelude:
        if token == ",":
            found.append([])
        else:
            found[-1].append(token)
    return found


@lru_cache(10_000)
def declared_in(style: str, properties: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Of a `style` attribute; pages repeat themselves."""
    return declared(tinycss2.parse_blocks_contents(tokens_of(style), True, True), properties)


def declared(nodes: Nodes, properties: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Of these properties, in lower case: the usual ones, and those that are `!important`."""
    usual: dict[str, str] = {}
    important: dict[str, str] = {}
    for node in nodes:
        if node.type == "declaration":
            name = ALSO.get(node.lower_name, node.lower_name)
            if name in properties and (value := written(node.value)) is not None:
                (important if node.important else usual)[name] = value
    return usual, important


def written(nodes: Nodes) -> str | None:
    """In lower case; None for blocks in more blocks than Python calls itself for."""
    try:
        return tinycss2.serialize(nodes).strip().lower()
    except RecursionError:
        return None


def applies(at_rule: tinycss2.ast.AtRule) -> bool | None:
    """Whether its block counts on a usual screen; None when that can't be told."""
    condition = written(at_rule.prelude)
    if condition is None:
        return None
    match at_rule.lower_at_keyword:
        case "media":
            return fits_media(condition)
        case "layer":
            return True
        case "supports":
            return None if re.search(r"\bnot\b", condition) else True
        case "container" | "scope":
            return None
    return False


def fits_media(queries: str) -> bool | None:
    answers = [fits_screen(query) for query in queries.lower().split(",")]
    return True if True in answers else None if None in answers else False


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
