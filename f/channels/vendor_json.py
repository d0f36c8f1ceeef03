"""Read JSON that somebody else composed, believing nothing about its shape."""

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from f.channels.messages import WebhookRefused
from f.channels.text import clean

DEEPEST = 128  # what Windmill's own parser takes
MOST_LEVELS = 512  # before Python's own parser gives up
MOST_DIGITS = 100
ID_LIMIT = 512
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WHOLE_NUMBER = re.compile("-?[0-9]{1,20}")
LAST_TIMESTAMP = 253_402_300_799  # the end of the year 9999


def load(raw: bytes) -> object:
    """The value of a body. What is no JSON as a whole is refused; what is odd in a part of it costs
    that part alone: an object with a key twice keeps the last, a number that no machine has stays
    text, what is nested deeper than anybody reads is left out."""
    try:
        value = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise _not_json() from exc
    if isinstance(value, _WithKeyTwice):
        raise _not_json()
    _cut_depths(value)
    return value


def load_or_none(text: str) -> object:
    """The value of JSON inside another text; None where it is none."""
    try:
        return load(text.encode(errors="replace"))
    except WebhookRefused:
        return None


def object_in(raw: bytes) -> dict:
    """The object in a body; an empty one where the body is anything else."""
    return mapping(load_or_none(raw.decode(errors="replace")))


def mapping(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list:
    return value if isinstance(value, list) else []


def words(value: object, limit: int = 65_536) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def identifier(value: object) -> str | None:
    """An id, which vendors write as text and now and then as a number; None if unusable."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = words(value, ID_LIMIT + 1)
    return text if 0 < len(text) <= ID_LIMIT else None


def whole_number(value: object) -> str | None:
    """An id that is a number, as Telegram's are; also below zero."""
    text = identifier(value) or ""
    return text if WHOLE_NUMBER.fullmatch(text) else None


def timestamp(value: object) -> datetime | None:
    """Seconds since 1970, as text or as a number."""
    digits = identifier(value) or ""
    if not (digits.isascii() and digits.isdigit() and int(digits) <= LAST_TIMESTAMP):
        return None
    return datetime.fromtimestamp(int(digits), UTC)


def milliseconds(value: object) -> datetime | None:
    """Milliseconds since 1970, as text or as a number; fractions of a second are kept."""
    digits = identifier(value) or ""
    if not (digits.isascii() and digits.isdigit() and int(digits) <= LAST_TIMESTAMP * 1000):
        return None
    return datetime.fromtimestamp(int(digits) / 1000, UTC)


class _WithKeyTwice(dict):
    """An object of which nobody can say what its sender meant."""


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _WithKeyTwice(found)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= MOST_DIGITS else digits


def _cut_depths(value: object) -> None:
    level, cut = _containers([value]), []
    for depth in range(1, MOST_LEVELS + 1):
        if depth == DEEPEST:
            cut = level
        level = _containers(child for parent in level for child in _children(parent))
        if not level:
            break
    else:
        raise _too_deep()
    for container in cut:
        for key, child in list(_places(container)):
            if isinstance(child, dict | list):
                container[key] = None


def _containers(values: Iterable[object]) -> list[dict | list]:
    return [value for value in values if isinstance(value, dict | list)]


def _children(container: dict | list) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container


def _places(container: dict | list) -> Iterable[tuple]:
    return container.items() if isinstance(container, dict) else enumerate(container)


def _not_json() -> WebhookRefused:
    return WebhookRefused(400, "body_not_json", "The body is not JSON.")


def _too_deep() -> WebhookRefused:
    return WebhookRefused(
        400, "body_too_deep", f"The body nests more than {MOST_LEVELS} levels of JSON."
    )
