"""A vendor's library whose parts are imported when they are needed.

A step sends, or reads a webhook, or fetches a file: never all of it, and on Windmill each module
that it imports costs it 15 to 20 ms.
"""

import importlib
from collections.abc import Callable


def parts(places: dict[str, str]) -> Callable[[str], object]:
    """What a module's `__getattr__` is to be (PEP 562). `places`: `module:name` for each name."""

    def find(name: str) -> object:
        if name not in places:
            raise AttributeError(name)
        module, _, there = places[name].partition(":")
        return getattr(importlib.import_module(module), there)

    return find
