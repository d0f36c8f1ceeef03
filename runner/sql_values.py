"""Values to and from PostgreSQL, as Windmill's executor shows them in JSON."""

import json
import re

from psycopg2 import extensions

_JSON_TYPES = ("json", "jsonb")
_INTERVAL = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?"
    r"(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?$"
)


# Windmill's names for types that PostgreSQL has no cast for.
_SPELLINGS = {
    "double": "double precision",
    "serial": "int",
    "bigserial": "bigint",
    "smallserial": "smallint",
}


class NoSuchText(ValueError):
    """PostgreSQL has no text with a zero byte in it."""


def literal(value, kind: str, is_typed: bool = True) -> str:
    """An SQL literal in brackets, so that what follows the parameter binds to all of it."""
    cast = f"::{_SPELLINGS.get(kind, kind)}" if kind and is_typed else ""
    if value is None:
        return f"(null{cast})"
    if kind.endswith("[]") and isinstance(value, list):
        return f"({_array(value, kind.removesuffix('[]'))}{cast})"
    if kind == "bytea" and isinstance(value, str):
        return f"(decode({_quoted(value)}, 'base64'))"
    return f"({_quoted(_text(value, kind))}{cast})"


def _array(values: list, kind: str) -> str:
    items = ", ".join("null" if item is None else _quoted(_text(item, kind)) for item in values)
    return f"array[{items}]"


def _text(value, kind: str) -> str:
    if kind in _JSON_TYPES or isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _quoted(text: str) -> str:
    if "\0" in text:
        raise NoSuchText('db error: ERROR: invalid byte sequence for encoding "UTF8": 0x00')
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else f"'{quoted}'"


def register_json_types(connection) -> None:
    """Make a connection answer in JSON's types and Windmill's spellings."""
    for name, (oid, array_oid, convert) in _TYPES.items():
        kind = extensions.new_type((oid,), name, _nullable(convert))
        extensions.register_type(kind, connection)
        if array_oid:
            array = extensions.new_array_type((array_oid,), f"{name}[]", kind)
            extensions.register_type(array, connection)


def _nullable(convert):
    return lambda text, cursor: None if text is None else convert(text)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) != float("inf") and number == number else None


def _time(text: str) -> str:
    """chrono prints three or six digits after the point."""
    whole, point, rest = text.partition(".")
    digits = re.match(r"\d*", rest)[0]
    width = 3 if len(digits) <= 3 else 6
    return whole + point + digits.ljust(width if point else 0, "0") + rest[len(digits) :]


def _timestamp(text: str) -> str:
    return _time(text.replace(" ", "T"))


def _timestamptz(text: str) -> str:
    """The session's zone is UTC, so Postgres prints +00."""
    return _timestamp(text.removesuffix("+00")) + "+00:00"


def _interval(text: str) -> str:
    """Windmill prints PostgreSQL's three numbers and calls the microseconds ms."""
    years, months, days, hours, minutes, sign, seconds, fraction = _INTERVAL.match(text).groups()
    microseconds = int(seconds or 0) * 1_000_000 + int((fraction or "").ljust(6, "0"))
    total = (int(hours or 0) * 60 + int(minutes or 0)) * 60_000_000
    total += -microseconds if sign else microseconds
    return f"{int(years or 0) * 12 + int(months or 0)} months {int(days or 0)} days {total} ms"


# name: (oid, oid of its array, conversion); what is not here, psycopg2's own conversions serve.
_TYPES = {
    "NUMERIC": (1700, 1231, _finite),
    "FLOAT4": (700, 1021, _finite),
    "FLOAT8": (701, 1022, _finite),
    "DATE": (1082, 1182, str),
    "TIME": (1083, 1183, _time),
    "TIMESTAMP": (1114, 1115, _timestamp),
    "TIMESTAMPTZ": (1184, 1185, _timestamptz),
    "INTERVAL": (1186, 1187, _interval),
    "UUID": (2950, 2951, str),
    "BYTEA": (17, 1001, str),
    "JSON": (114, 199, json.loads),
    "JSONB": (3802, 3807, json.loads),
    "VOID": (2278, None, lambda text: None),
}
