"""Parse JSON as strictly as the server of Windmill does (serde_json, values left raw).

A lone surrogate is let through, as serde_json lets it through in a raw value: a customer's broken
emoji is the script's to repair, and a refusal would make a vendor send it again for days.
"""

import json

DEPTH_LIMIT = 128
# A parsed part takes some hundred bytes, whoever sent it: without a limit, 4 MB of `[],[],` take
# 100 MB before any signature is looked at. 5,000 messages in one delivery have 130,000 parts.
PARTS_LIMIT = 200_000
SERDE_WORDING = {
    "Expecting property name enclosed in double quotes": "key must be a string",
    "Extra data": "trailing characters",
    "Expecting value": "expected value",
    "Expecting ':' delimiter": "expected `:`",
    "Expecting ',' delimiter": "expected `,` or a closing bracket",
    "Unterminated string starting at": "EOF while parsing a string",
}


class InvalidJson(ValueError):
    """The text is not JSON; the message says what is wrong and where."""


def parse(body: bytes) -> object:
    if body.count(b",") + body.count(b"[") + body.count(b"{") > PARTS_LIMIT:
        raise InvalidJson(f"more than {PARTS_LIMIT} parts")
    value = _decode(body)
    if body.count(b"[") + body.count(b"{") > DEPTH_LIMIT and _depth(value) > DEPTH_LIMIT:
        raise InvalidJson("recursion limit exceeded")
    return value


def _decode(body: bytes) -> object:
    try:
        return _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise InvalidJson(f"invalid unicode code point at byte {error.start}") from error
    except json.JSONDecodeError as error:
        wording = SERDE_WORDING.get(error.msg, error.msg)
        raise InvalidJson(f"{wording} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise InvalidJson("recursion limit exceeded") from error
    except ValueError as error:
        # CPython refuses integers of more than 4300 digits.
        raise InvalidJson("number out of range") from error


def _refuse_constant(name: str) -> None:
    raise InvalidJson(f"expected value, not {name}")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidJson("number out of range")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in _children(item)]
    return depth


def _children(container: dict | list) -> list:
    return list(container.values()) if isinstance(container, dict) else container
