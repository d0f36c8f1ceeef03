"""Text that Postgres can store and that a channel can deliver."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from f.shared.text import storable

ZERO_WIDTH_JOINER = "\u200d"

SENTENCE_END = r"(?<=[.!?…])\s+|(?<=[.!?…][\"'”’)\]])\s+|(?<=[。！？])(?=\S)"

# From the best place to cut to the worst. A cut that would leave a piece shorter than a third
# of the limit is worth less than a worse place further on; between words any cut will do.
BREAKS = (
    (re.compile(r"\n\s*\n"), 1 / 3),
    (re.compile(r"\n"), 1 / 3),
    (re.compile(SENTENCE_END), 1 / 3),
    (re.compile(r"\s+"), 0),
)


def clean(text: str, limit: int) -> str:
    """Without what Postgres refuses (NUL, lone surrogates), cut to `limit` with an ellipsis."""
    text = storable(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def best_cut(text: str, limit: int, wishes: Sequence[Callable[[int], bool]] = ()) -> int:
    """Where to end a piece of at most `limit` characters: at the best kind of place at which all
    is well, then at which the next of the `wishes` holds, then at any, and at worst between
    clusters."""
    for is_free in (*wishes, lambda _: True):
        for pattern, smallest_share in BREAKS:
            for cut in _cuts(pattern, text, limit):
                if cut >= limit * smallest_share and is_free(cut):
                    return cut
    return _cluster_cut(text, limit)


def _cuts(pattern: re.Pattern, text: str, limit: int) -> Iterator[int]:
    """Places to cut, last first; white space beyond the limit is dropped, so it may follow."""
    ends = [match.end() for match in pattern.finditer(text[: limit + 1])]
    for end in reversed(ends):
        if 0 < len(text[:end].rstrip()) <= limit and not joins(text, end):
            yield end


def _cluster_cut(text: str, limit: int) -> int:
    """The last place that breaks no emoji or accented letter; a cluster beyond the limit breaks."""
    cut = limit
    while cut > 0 and joins(text, cut):
        cut -= 1
    return cut or limit


def joins(text: str, position: int) -> bool:
    """Whether a grapheme cluster spans `position` (https://www.unicode.org/reports/tr29/).

    The rules for what people write in chats, erring towards joining, which only costs room;
    the few prefixed signs of rare scripts are left out.
    """
    before, after = text[position - 1], text[position : position + 1]
    if not after:
        return False
    return (
        _extends(after)
        or (before == ZERO_WIDTH_JOINER and unicodedata.category(after) in ("So", "Sm", "Cn"))
        or (before == "\r" and after == "\n")
        or (_is_virama(before) and after.isalpha())
        or _joins_syllable(before, after)
        or (_is_flag_half(after) and _flag_halves_before(text, position) % 2 == 1)
    )


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or character in (ZERO_WIDTH_JOINER, "\u200c", "\u0e33", "\u0eb3", "\uff9e", "\uff9f")
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags: the flags of England, Wales ...
    )


def _is_virama(character: str) -> bool:
    return unicodedata.combining(character) == 9


def _joins_syllable(before: str, after: str) -> bool:
    """Korean letters that form one block."""
    leads = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    follows = "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb"
    return follows or (leads and "\u1100" <= after <= "\ud7a3")


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, position: int) -> int:
    count = 0
    while count < position and _is_flag_half(text[position - count - 1]):
        count += 1
    return count
