"""Take out of a page what nobody sees: it may be outdated, or meant for programs like this one.

Told by attributes and by the page's own styles. What a visitor can open stays. Style sheets at
other addresses are not fetched and scripts are not run, so what only they hide is read; and who
writes a page's styles can hide text in ways that are not looked for here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from lxml import etree

from f.knowledge.css_values import PIXELS_PER_EM, Colour, colour_in, is_far, is_tiny, size_of
from f.knowledge.sections import is_question
from f.knowledge.style_sheets import Element, StyleSheets

# Where the question of an answer stands that a visitor has to open.
QUESTION_PLACES = ("h1", "h2", "h3", "h4", "h5", "h6", "dt")
MAX_TINY_PIXELS = 2
MAX_COLOUR_DIFFERENCE = 10
CLIPPED = re.compile(r"rect\((?:\s*[01](?:px)?\s*,?){4}\)|inset\((?:50|100)%|circle\(0")
MOVED_AWAY = re.compile(r"scale[xy]?\(\s*0+\s*[,)]|translate[xy]?\([^)]*-\d{4,}px")
DRAWN_BEHIND = re.compile(r"url|gradient|image|var")
CUT_OFF = ("height", "max-height")
MOVES = ("animation", "transition")


# All but `visibility` take away what is in the element as well.
HIDES: dict[str, Callable[[str], bool]] = {
    "display": lambda value: value == "none",
    "visibility": lambda value: value in ("hidden", "collapse"),
    "opacity": lambda value: bool(re.fullmatch(r"0*\.?0+%?", value)),
    "clip": lambda value: bool(CLIPPED.match(value)),
    "clip-path": lambda value: bool(CLIPPED.match(value)),
    "transform": lambda value: bool(MOVED_AWAY.search(value)),
    **dict.fromkeys(("left", "top", "right", "bottom", "margin-left", "text-indent"), is_far),
    **dict.fromkeys(CUT_OFF, is_tiny),
}
COLOURS = ("color", "background-color", "background-image", "background-clip", "position")
PROPERTIES = frozenset([*HIDES, *MOVES, *COLOURS, "font-size", "overflow", "padding"])


@dataclass(frozen=True)
class Letters:
    """How they look, as far as it comes from what is around them; a colour of None is not known."""

    is_visible: bool = True
    size: float = PIXELS_PER_EM
    colour: Colour | None = None
    ground: Colour | None = None
    is_see_through: bool = False

    @property
    def are_seen(self) -> bool:
        if not self.is_visible or self.size <= MAX_TINY_PIXELS or self.is_see_through:
            return False
        if self.colour is None or self.ground is None:
            return True
        differences = (abs(a - b) for a, b in zip(self.colour, self.ground, strict=True))
        return max(differences) > MAX_COLOUR_DIFFERENCE

    def inside(self, style: dict[str, str], is_hidden: bool) -> "Letters":
        if not style:
            return self
        return replace(
            self,
            is_visible=not is_hidden and (self.is_visible or style.get("visibility") == "visible"),
            size=size_of(style.get("font-size", ""), self.size),
            ground=ground_of(style, self.ground),
            **colour_of(style),
        )


def without_hidden(page):
    opened = {target for element in page.iter(etree.Element) for target in opened_by(element)}
    sheets = StyleSheets(page, PROPERTIES)
    white = (255, 255, 255) if sheets.decide_colours else None
    letters = {page.getparent(): Letters(ground=white)}
    gone, unseen = [], []
    for wrapped in Element.from_html_root(page).iter_subtree():
        element = wrapped.etree_element
        around = letters.get(element.getparent())
        if around is None:
            continue  # it goes with what it stands in
        style = {**old_style_of(element), **sheets.style_of(wrapped)}
        hiding = what_hides(element, style)
        is_hidden = (
            bool(hiding) and not is_page(element) and not is_opened(wrapped, hiding, opened, sheets)
        )
        if is_hidden and hiding != ["visibility"]:
            gone.append(element)
            continue
        if "background-color" not in style and sheets.may_say(wrapped, "background-color", bool):
            style["background-color"] = "unknown"
        inside = around.inside(style, is_hidden)
        if len(element):
            letters[element] = inside
        if not inside.are_seen:
            unseen.append(element)
    for element in gone:
        element.drop_tree()
    for element in unseen:
        blank(element)
    return page


def old_style_of(element) -> dict[str, str]:
    """Of attributes that are older than styles, and weaker."""
    said = {
        "color": element.get("color") if element.tag == "font" else element.get("text"),
        "background-color": element.get("bgcolor"),
        "background-image": element.get("background"),
    }
    return {name: value.lower() for name, value in said.items() if value}


def what_hides(element, style: dict[str, str]) -> list[str]:
    if element.get("hidden", "until-found") != "until-found":
        return ["hidden"]
    if element.get("aria-hidden") == "true":
        return ["aria-hidden"]
    hiding = [name for name, value in style.items() if name in HIDES and HIDES[name](value)]
    is_cut = style.get("overflow") in ("hidden", "clip") and is_tiny(style.get("padding", "0"))
    if not is_cut:
        hiding = [name for name in hiding if name not in CUT_OFF]
    # Many pages begin without what their scripts then let come in.
    if any(style.get(name, "none") != "none" for name in MOVES) or is_begun_by_script(element):
        hiding = [name for name in hiding if name in ("display", "clip")]
    return hiding


def is_begun_by_script(element) -> bool:
    """`opacity` in the element itself is how scripts begin to show it."""
    return "opacity" in element.get("style", "")


def is_page(element) -> bool:
    """All of it, which is hidden only until its scripts have run."""
    return element.tag in ("html", "body", "main") or element.find(".//main") is not None


def is_opened(wrapped: Element, hiding: list[str], opened: set[str], sheets: StyleSheets) -> bool:
    """Whether a visitor can: by a link or tab to it, by what stands before it, or by a rule that
    shows it in another state."""
    element = wrapped.etree_element
    return (
        element.get("id") in opened
        or stands_behind_opener(element)
        or any(
            sheets.may_say(wrapped, name, lambda value, name=name: not HIDES[name](value))
            for name in hiding
            if name in HIDES
        )
    )


def stands_behind_opener(element) -> bool:
    before = next(element.itersiblings(etree.Element, preceding=True), None)
    if before is None:
        return False
    is_opener = (
        before.tag == "button"
        or before.get("aria-expanded") is not None
        or is_question(text_of(before))
    )
    for button in [*before.iter("button")] if is_opener else ():
        if is_question(text_of(button)):
            read_as_text(button)
    return is_opener


def opened_by(element) -> list[str]:
    """Ids of the answers that are shown when somebody clicks on this question, or tab."""
    links = (element.get(name, "") for name in ("href", "data-target", "data-bs-target"))
    targets = [link[1:] for link in links if link[:1] == "#"]
    targets += element.get("aria-controls", "").split()
    if not targets or element.get("role") == "tab":
        return targets
    is_in_question = next(element.iterancestors(*QUESTION_PLACES), None) is not None
    if not is_in_question and not is_question(text_of(element)):
        return []
    read_as_text(element)
    return targets


def read_as_text(element) -> None:
    """The words of a question are text, as those of other buttons are not."""
    if element.tag == "button":
        element.tag = "div"


def text_of(element) -> str:
    return "".join(element.itertext()).strip()


def blank(element) -> None:
    element.text = None
    for child in element:
        child.tail = None


def colour_of(style: dict[str, str]) -> dict:
    written = style.get("color", "inherit")
    if written in ("inherit", "unset", "currentcolor"):
        return {}
    found = colour_in(written)
    is_cut_out = style.get("background-clip") == "text"
    return {
        "colour": found and found[0],
        "is_see_through": bool(found and not found[1] and not is_cut_out),
    }


def ground_of(style: dict[str, str], around: Colour | None) -> Colour | None:
    """Behind an element that is moved, something else may lie."""
    written = style.get("background-color", "")
    is_picture = style.get("background-image", "none") != "none"
    if is_picture or DRAWN_BEHIND.search(written):
        return None
    found = colour_in(written)
    if found and found[1]:
        return found[0]
    is_in_place = style.get("position", "static") == "static"
    is_see_through = found is not None or written in ("", "none", "0", "inherit", "unset")
    return around if is_in_place and is_see_through else None
