"""Which declarations of a page's own styles hold for an element: its cascade, in small.

Understood are selectors of tags, classes, ids and attributes with what stands around them, and
media by screen and width. A rule with another selector or condition counts for nothing, except as
a sign that the page can show what it names. What lies at other addresses is not fetched. How much
time and memory sheets may take is the sandbox's to say.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cssselect2 import ElementWrapper, SelectorError  # pin: cssselect2==0.10.1
from cssselect2.compiler import CompiledSelector
from cssselect2.parser import (
    ClassSelector,
    CombinedSelector,
    CompoundSelector,
    IDSelector,
    LocalNameSelector,
    Selector,
    parse,
)
from lxml import etree

from f.knowledge.css_text import Nodes, declared, declared_in, fits_media, rules_of

# Where more may be said of colours than stands in the page.
SETS_COLOURS = "//link[contains(@rel, 'stylesheet')]|//meta[@name='color-scheme']"
# What cssselect2 lets through on selectors that it does not know.
NOT_UNDERSTOOD = (SelectorError, AttributeError, NotImplementedError, RecursionError)


@dataclass(frozen=True, eq=False)
class Rule:
    """`above`: marks of what an element has to stand in; most rules fail there. `test`: by the
    whole selector; None when it holds for none."""

    usual: dict[str, str]
    important: dict[str, str]
    weight: tuple
    above: set[str]
    test: Callable[[ElementWrapper], bool] | None

    def holds(self, element: "Element") -> bool:
        return bool(self.test) and self.above <= element.marks_above and self.test(element)


class Element(ElementWrapper):
    def __init__(self, etree_element, parent: "Element | None", *more, **named):
        super().__init__(etree_element, parent, *more, **named)
        self.marks_above: frozenset[str] = parent.marks_inside if parent else frozenset()

    @cached_property
    def marks_inside(self) -> frozenset[str]:
        return self.marks_above.union(marks_of(self.etree_element))

    @property
    def previous_siblings(self) -> Iterator[ElementWrapper]:
        """The library's own calls itself for each, and keeps a tuple of them in each."""
        element = self
        while element := element.previous:
            yield element


class StyleSheets:
    """`properties`: those that are asked for; rules without them are left out. `decide_colours`:
    without a rule, text is black on white."""

    def __init__(self, page, properties: frozenset[str]):
        self._properties = properties
        self._marks_in_page = {mark for one in page.iter(etree.Element) for mark in marks_of(one)}
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        self._may_say: dict[tuple[str, str, str], list[Rule]] = defaultdict(list)
        self._values: dict[tuple[str, str], set[str]] = defaultdict(set)
        texts = [*own_sheets(page)]
        self.decide_colours = not page.xpath(SETS_COLOURS) and not any(
            word in text.lower() for text in texts for word in ("@import", "color-scheme")
        )
        rules = (rule for text in texts for rule in rules_of(text))
        for place, (selectors, nodes, is_certain) in enumerate(rules):
            usual, important = declared(nodes, properties)
            for selector in selectors if usual or important else ():
                self._add(selector, usual, important, is_certain, place)

    def _add(self, written: Nodes, usual, important, is_certain: bool, place: int) -> None:
        try:
            (selector,) = parse(written)
            is_certain = is_certain and ":" not in written
            (_, last), *others = ((joint, marks_in(one)) for joint, one in compounds(selector))
            is_here = self._marks_in_page.issuperset(last.union(*(one for _, one in others)))
            test = CompiledSelector(selector).test if is_certain and is_here else None
        except NOT_UNDERSTOOD:
            return
        if selector.pseudo_element:
            return  # something that is drawn beside the element's text
        above = set().union(*(one for joint, one in others if joint in " >"))
        rule = Rule(usual, important, (*selector.specificity, place), above, test)
        # By any of its names, for others may be added later; without one, somebody may click.
        names = {one for one in last if one[0] in ".#"}
        may_come_to_hold = names or (last and not is_certain)
        for mark in (names or last or {"*"}) & self._marks_in_page:
            if test:
                self._rules[mark].append(rule)
            for name, value in (usual | important).items() if may_come_to_hold else ():
                self._values[mark, name].add(value)
                self._may_say[mark, name, value].append(rule)

    def style_of(self, element: Element) -> dict[str, str]:
        """What the element's own rules say, its `style` attribute among them."""
        found = {
            rule
            for mark in marks_of(element.etree_element)
            for rule in self._rules.get(mark, ())
            if rule.holds(element)
        }
        written = element.etree_element.get("style", "")
        if not found and not written:
            return {}
        rules = sorted(found, key=lambda rule: rule.weight)
        usual, important = declared_in(written, self._properties)
        style: dict[str, str] = {}
        for said in (
            *(rule.usual for rule in rules),
            usual,
            *(rule.important for rule in rules),
            important,
        ):
            style |= said
        return style

    def may_say(self, element: Element, name: str, is_said: Callable[[str], bool]) -> bool:
        """Whether a rule that does not hold now, and may later, says something like it."""
        return any(
            not rule.holds(element)
            for mark in marks_of(element.etree_element)
            for value in self._values.get((mark, name), ())
            if is_said(value)
            for rule in self._may_say[mark, name, value]
        )


def marks_of(element) -> list[str]:
    """What rules are looked up by."""
    marks = [f".{one}" for one in element.get("class", "").split()]
    return [*marks, f"#{element.get('id')}", element.tag, "*"]


def compounds(selector: Selector) -> Iterator[tuple[str, CompoundSelector]]:
    """The last before those that stand before it, each with how the next one stands to it."""
    joint, tree = "", selector.parsed_tree
    while isinstance(tree, CombinedSelector):
        yield joint, tree.right
        joint, tree = tree.combinator, tree.left
    yield joint, tree


def marks_in(compound: CompoundSelector) -> set[str]:
    """What an element that it fits has of these, as `marks_of` names them."""
    found = set()
    for one in compound.simple_selectors:
        match one:
            case ClassSelector():
                found.add(f".{one.class_name}")
            case IDSelector():
                found.add(f"#{one.ident}")
            case LocalNameSelector():
                found.add(one.lower_local_name)
    return found


def own_sheets(page) -> Iterator[str]:
    """Those that count on a screen, with scripts."""
    for element in page.iter("style"):
        is_css = element.get("type", "").strip().lower() in ("", "text/css")
        is_used = fits_media(element.get("media", ""))
        if is_css and is_used and next(element.iterancestors("noscript", "template"), None) is None:
            yield "".join(element.itertext())
