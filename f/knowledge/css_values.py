"""Values of a style as numbers: lengths in pixels, colours in red, green and blue."""

import re
from functools import lru_cache

from tinycss2 import parse_component_value_list  # pin: tinycss2==1.5.1
from tinycss2.color4 import Color, parse_color

PIXELS_PER_EM = 16
PIXELS = {"px": 1, "pt": 4 / 3, "rem": PIXELS_PER_EM, "em": PIXELS_PER_EM, "ch": 8, "ex": 8}
FAR_PIXELS = -999
LENGTH = re.compile(r"([+-]?\d*\.?\d+)([a-z]*|%)")
Colour = tuple[int, int, int]


def pixels(length: str) -> float | None:
    """None for what depends on what is around."""
    found = LENGTH.fullmatch(length)
    if not found or (found[2] not in PIXELS and float(found[1])):
        return None
    return float(found[1]) * PIXELS.get(found[2], 0)


def is_far(length: str) -> bool:
    """Further to the left, or up, than any screen."""
    return (pixels(length) or 0) <= FAR_PIXELS


def is_tiny(length: str) -> bool:
    size = pixels(length)
    return size is not None and size <= 1


def size_of(font: str, around: float) -> float:
    """In pixels. Other words may stand before it, and the height of a line behind a slash."""
    if "(" in font:
        return around
    for length in re.split(r"[\s/]+", font):
        found = LENGTH.fullmatch(length)
        if found and found[2] in ("em", "%"):
            return float(found[1]) * around / (100 if found[2] == "%" else 1)
        if (size := pixels(length)) is not None:
            return size
    return around


@lru_cache(10_000)
def colour_in(written: str) -> tuple[Colour, float] | None:
    """The first colour, and how much it covers of what is behind: 1 for all of it."""
    try:
        found = next(filter(None, map(parse_color, parse_component_value_list(written))), None)
    except ValueError:
        return None  # `color()`, or a number of thousands of digits
    if not isinstance(found, Color) or found.space not in ("srgb", "hsl", "hwb"):
        return None
    red, green, blue, cover = found.to("srgb")
    return (of_255(red), of_255(green), of_255(blue)), cover


def of_255(part: float) -> int:
    return round(255 * min(max(0, part), 1))
