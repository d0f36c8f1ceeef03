"""Read JSON that somebody else composed, believing nothing about its shape."""

import json
import math
import re
from datetime import UTC, datetime

from f.channels.messages import WebhookRefused
from f.channels.text import clean

DEEPEST = 128  # what Windmill's own parser takes
ID_LIMIT = 512
WHOLE_NUMBER = re.compile("-?[0-9]{1,20}")
LAST_TIMESTAMP = 253_402_300_799  # the end of the year 9999


def load(raw: bytes) -> object:
    """The value of a body that is JSON as strict as Windmill's own parser has it."""
    try:
        value = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise WebhookRefused(400, "body_not_json", "The body is not JSON.") from exc
    _refuse_deep(value)
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


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond a double")
    return number


def _refuse_deep(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(value: object) -> list:
    if isinstance(value, dict):
        return list(value.values())
    return items(value)


def _too_deep() -> WebhookRefused:
    return WebhookRefused(
        400, "body_too_deep", f"The body nests more than {DEEPEST} levels of JSON."
    )
