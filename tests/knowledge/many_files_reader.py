"""A reader of many files for one sandbox: a process for each would take most of the time."""

import base64
import importlib
import json

import f.knowledge.reading as reading
from f.knowledge.extraction import READERS
from f.knowledge.sections import Section
from f.shared.errors import InputRefused


def packed(files: list[tuple[str, bytes]]) -> bytes:
    """`files`: the name of a reader's module, and the content for it."""
    return json.dumps([(name, base64.b64encode(one).decode()) for name, one in files]).encode()


def read(content: bytes) -> tuple[str, list[Section]]:
    files = [(name, base64.b64decode(one)) for name, one in json.loads(content)]
    return "", [Section([], None, outcome(name, one)) for name, one in files]


def outcome(name: str, content: bytes) -> str:
    try:
        reading.read(importlib.import_module(name), content)
    except InputRefused as refusal:
        return refusal.code
    return "read"


def warm_up() -> None:
    for reader in READERS.values():
        if hasattr(reader, "warm_up"):
            reader.warm_up()
