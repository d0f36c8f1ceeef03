"""Values of a style as numbers: lengths in pixels, colours in red, green and blue."""

import re

PIXELS_PER_EM = 16
PIXELS = {"px": 1, "pt": 4 / 3, "rem": PIXELS_PER_EM, "em": PIXELS_PER_EM, "ch": 8, "ex": 8}
FAR_PIXELS = -999
LENGTH = re.compile(r"([+-]?\d*\.?\d+)([a-z]*|%)")
COLOUR = re.compile(r"#([0-9a-f]{3,8})\b|rgba?\(([^()]*)\)|\b(white|black|transparent)\b")
NAMED = {"white": "ffffff", "black": "000000", "transparent": "00000000"}
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


def colour_in(written: str) -> tuple[Colour, float] | None:
    """The first colour, and how much it covers of what is behind: 1 for all of it."""
    found = COLOUR.search(written)
    if not found:
        return None
    if found[2] is None:
        return of_digits(NAMED.get(found[3], "") or found[1])
    numbers = [float(number) for number in re.findall(r"\d*\.?\d+", found[2])]
    if len(numbers) < 3 or "%" in found[2].rpartition(",")[0]:
        return None
    red, green, blue, *cover = numbers
    return (int(red), int(green), int(blue)), cover[0] if cover else 1


def of_digits(digits: str) -> tuple[Colour, float]:
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue, *cover = bytes.fromhex(digits[: len(digits) // 2 * 2])
    return (red, green, blue), cover[0] / 255 if cover else 1
