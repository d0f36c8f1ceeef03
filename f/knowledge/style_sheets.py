"""Which declarations of a page's own styles hold for an element: its cascade, in small.

Understood are selectors of tags, classes, ids and attributes with what stands around them, and
media by screen and width. A rule with another selector or condition counts for nothing, except as
a sign that the page can show what it names. What lies at other addresses is not fetched.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml import etree

from f.knowledge.css_text import applies, declarations, in_blocks, statements_of, unescaped

NAME = r"(?:[\w-]|[^\x00-\x7f]|\\[0-9a-fA-F]{1,6}\s?|\\.)++"
PIECE = re.compile(
    rf"""\s*(?P<joint>[>+~])\s*
    |(?P<space>\s+)
    |(?P<tag>\*|{NAME})
    |\#(?P<id>{NAME})
    |\.(?P<class>{NAME})
    |\[\s*(?P<attribute>{NAME})\s*
      (?:(?P<how>[~|^$*]?=)\s*(?P<value>"[^"]*"|'[^']*'|{NAME})\s*[is]?\s*)?\]
    |:(?P<state>{NAME})(?:\([^()]*\))?""",
    re.VERBOSE,
)
# Where more may be said of colours than stands in the page.
SETS_COLOURS = "//link[contains(@rel, 'stylesheet')]|//meta[@name='color-scheme']"
# These name no element but something that is drawn beside its text.
DRAWN = {"before", "after", "first-line", "first-letter"}
COMPARED: dict[str, Callable[[str, str], bool]] = {
    "": lambda found, value: True,
    "=": str.__eq__,
    "~=": lambda found, value: value in found.split(),
    "|=": lambda found, value: found == value or found.startswith(f"{value}-"),
    "^=": lambda found, value: bool(value) and found.startswith(value),
    "$=": lambda found, value: bool(value) and found.endswith(value),
    "*=": lambda found, value: bool(value) and value in found,
}
AROUND: dict[str, Callable[..., Iterable]] = {
    " ": lambda element: element.iterancestors(),
    ">": lambda element: islice(element.iterancestors(), 1),
    "+": lambda element: islice(element.itersiblings(etree.Element, preceding=True), 1),
    "~": lambda element: element.itersiblings(etree.Element, preceding=True),
}


@dataclass
class Compound:
    """What one element has to be; `joint`: how the one that stands before it in the selector stands
    to it."""

    joint: str = ""
    tag: str = "*"
    ids: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    states: int = 0

    def add(self, piece: re.Match) -> None:
        if piece["tag"]:
            self.tag = unescaped(piece["tag"]).lower()
        elif piece["id"]:
            self.ids.add(unescaped(piece["id"]))
        elif piece["class"]:
            self.classes.add(unescaped(piece["class"]))
        elif piece["attribute"]:
            value = unescaped((piece["value"] or "").strip("\"'"))
            self.attributes.append((piece["attribute"].lower(), piece["how"] or "", value))
        else:
            self.states += 1

    def fits(self, element) -> bool:
        return (
            self.tag in ("*", element.tag)
            and self.ids <= {element.get("id")}
            and self.classes <= set(element.get("class", "").split())
            and all(
                element.get(name) is not None and COMPARED[how](element.get(name), value)
                for name, how, value in self.attributes
            )
        )

    def marks(self) -> set[str]:
        """What an element that it fits has of these, as `marks_of` names them."""
        tag = set() if self.tag == "*" else {self.tag}
        return tag | {f"#{one}" for one in self.ids} | {f".{one}" for one in self.classes}


@dataclass(eq=False)
class Rule:
    compounds: list[Compound]
    usual: dict[str, str]
    important: dict[str, str]
    is_certain: bool
    weight: tuple

    def __post_init__(self):
        pairs = zip(self.compounds, self.compounds[1:], strict=False)
        above = [one.marks() for one, later in pairs if later.joint in (" ", ">")]
        self._marks_above = frozenset().union(*above)

    def holds(self, element, marks_above: frozenset[str]) -> bool:
        if not self.fits_below(marks_above) or not self.compounds[-1].fits(element):
            return False
        standing = [element]
        for later, earlier in zip(self.compounds[:0:-1], self.compounds[-2::-1], strict=True):
            standing = [one for one in around(standing, later.joint) if earlier.fits(one)]
            if not standing:
                return False
        return True

    def fits_below(self, marks_above: frozenset[str]) -> bool:
        """`marks_above`: of all that an element stands in; most rules fail here."""
        return self.is_certain and self._marks_above <= marks_above

    def may_come_to_hold(self) -> bool:
        """For an element that it was looked up by: when a class is added, or somebody clicks."""
        last = self.compounds[-1]
        has_state = not self.is_certain and last.tag != "*"
        return bool(last.ids or last.classes) or has_state


class StyleSheets:
    """`properties`: those that are asked for; rules without them are left out. `decide_colours`:
    without a rule, text is black on white."""

    def __init__(self, page, properties: frozenset[str]):
        self._properties = properties
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        self._may_say: dict[tuple[str, str, str], list[Rule]] = defaultdict(list)
        self._values: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._marks_inside: dict = {None: frozenset()}
        self._found: dict[tuple, list[Rule]] = {}
        texts = [*own_sheets(page)]
        self.decide_colours = not page.xpath(SETS_COLOURS) and not any(
            word in text.lower() for text in texts for word in ("@import", "color-scheme")
        )
        blocks = (block for text in texts for block in in_blocks(text))
        for place, (selectors, statements, is_certain) in enumerate(blocks):
            usual, important = declarations(statements, properties)
            for selector in selectors if usual or important else ():
                self._add(selector, usual, important, is_certain, place)

    def _add(self, selector: str, usual, important, is_certain: bool, place: int) -> None:
        compounds = compounds_of(selector)
        if compounds:
            is_certain = is_certain and not any(one.states for one in compounds)
            weight = (*specificity(compounds), place)
            rule = Rule(compounds, usual, important, is_certain, weight)
            last = compounds[-1]
            # By any of its classes: others may be added later.
            marks = last.marks() - {last.tag} if last.ids or last.classes else {last.tag}
            for mark in marks:
                self._rules[mark].append(rule)
                said = usual | important if rule.may_come_to_hold() else {}
                for name, value in said.items():
                    self._values[mark, name].add(value)
                    self._may_say[mark, name, value].append(rule)

    def style_of(self, element) -> dict[str, str]:
        """What the element's own rules say, its `style` attribute among them."""
        above = self._marks_above(element)
        rules = [rule for rule in self._looked_up(element, above) if rule.holds(element, above)]
        if not rules and not element.get("style"):
            return {}
        rules.sort(key=lambda rule: rule.weight)
        written = statements_of(element.get("style", ""))
        usual, important = declarations(written, self._properties)
        style: dict[str, str] = {}
        for declared in (
            *(rule.usual for rule in rules),
            usual,
            *(rule.important for rule in rules),
            important,
        ):
            style |= declared
        return style

    def may_say(self, element, name: str, is_said: Callable[[str], bool]) -> bool:
        """Whether a rule that does not hold now, and may later, says something like it."""
        above = self._marks_above(element)
        return any(
            not rule.holds(element, above)
            for mark in marks_of(element)
            for value in self._values.get((mark, name), ())
            if is_said(value)
            for rule in self._may_say[mark, name, value]
        )

    def _looked_up(self, element, above: frozenset[str]) -> list[Rule]:
        """Kept, for pages repeat themselves: one row of a table is like the next."""
        key = (*marks_of(element), above)
        if key not in self._found:
            rules = (rule for mark in key[:-1] for rule in self._rules.get(mark, ()))
            self._found[key] = [one for one in dict.fromkeys(rules) if one.fits_below(above)]
        return self._found[key]

    def _marks_above(self, element) -> frozenset[str]:
        """Kept, for elements are asked about in their order: those above before."""
        parent = element.getparent()
        if parent not in self._marks_inside:
            self._marks_inside[parent] = self._marks_above(parent).union(marks_of(parent))
        return self._marks_inside[parent]


def marks_of(element) -> list[str]:
    """What rules are looked up by."""
    marks = [f".{one}" for one in element.get("class", "").split()]
    return [*marks, f"#{element.get('id')}", element.tag, "*"]


def own_sheets(page) -> Iterator[str]:
    """Those that count on a screen, with scripts."""
    for element in page.iter("style"):
        is_css = element.get("type", "").strip().lower() in ("", "text/css")
        is_used = applies(f"@media {element.get('media', '')}")
        if is_css and is_used and next(element.iterancestors("noscript", "template"), None) is None:
            yield "".join(element.itertext())


def compounds_of(selector: str) -> list[Compound] | None:
    """None when it is not understood, or names no element."""
    selector = selector.strip()
    place, found = 0, [Compound()]
    while place < len(selector):
        piece = PIECE.match(selector, place)
        if piece is None or piece["state"] in DRAWN:
            return None
        place = piece.end()
        if piece["joint"] or piece["space"]:
            found.append(Compound(piece["joint"] or " "))
        else:
            found[-1].add(piece)
    return found if selector else None


def specificity(compounds: list[Compound]) -> tuple[int, int, int]:
    return (
        sum(len(one.ids) for one in compounds),
        sum(len(one.classes) + len(one.attributes) + one.states for one in compounds),
        sum(one.tag != "*" for one in compounds),
    )


def around(standing: list, joint: str) -> Iterator:
    """Each once: whatever lies behind one that was met before was met too."""
    met = set()
    for element in standing:
        for one in AROUND[joint](element):
            if one in met:
                break
            met.add(one)
            yield one
