"""Describe which keys a YAML file may hold, and find what does not fit the description."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Finding = tuple[str, str]


class Shape(Protocol):
    def findings(self, value: object, key: str) -> Iterator[Finding]: ...


@dataclass(frozen=True)
class Scalar:
    """A value of one of `types`; what a person calls it is in `name`."""

    name: str
    types: tuple[type, ...]

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        is_stray_bool = isinstance(value, bool) and bool not in self.types
        if is_stray_bool or not isinstance(value, self.types):
            yield key, f"must be {self.name}, not {value!r}"


@dataclass(frozen=True)
class Anything:
    def findings(self, value: object, key: str) -> Iterator[Finding]:
        yield from ()


@dataclass(frozen=True)
class Choice:
    """One of some words; `refused` words exist in Windmill, but not here, for the reason given."""

    allowed: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        if isinstance(value, str) and value in self.refused:
            yield key, f"'{value}': {self.refused[value]}"
        elif value not in self.allowed:
            yield key, f"must be one of {', '.join(self.allowed)}, not {value!r}"


@dataclass(frozen=True)
class ListOf:
    item: Shape

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        if not isinstance(value, list):
            yield key, f"must be a list, not {value!r}"
            return
        for index, item in enumerate(value):
            yield from self.item.findings(item, f"{key}[{index}]")


@dataclass(frozen=True)
class MapOf:
    """Any names as keys, values of one shape."""

    item: Shape

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield key, f"must be a mapping, not {value!r}"
            return
        for name, item in value.items():
            yield from self.item.findings(item, join(key, name))


@dataclass(frozen=True)
class Keys:
    """A mapping with known keys; a key set to null counts as absent, as Windmill writes them."""

    known: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield key, f"must be a mapping, not {value!r}"
            return
        for name in self.required:
            if value.get(name) is None:
                yield join(key, name), "is required and missing"
        for name, item in value.items():
            if item is not None:
                yield from self._item_findings(name, item, join(key, name))

    def _item_findings(self, name: str, item: object, key: str) -> Iterator[Finding]:
        if name in self.refused:
            yield key, self.refused[name]
        elif name in self.known:
            yield from self.known[name].findings(item, key)
        else:
            yield key, f"is not a key that Windmill knows here; known are {', '.join(self.known)}"


@dataclass(frozen=True)
class ByType:
    """A mapping whose key `type` decides which other keys it has."""

    variants: Mapping[str, Shape]
    refused: Mapping[str, str] = field(default_factory=dict)

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield key, f"must be a mapping, not {value!r}"
            return
        kind = Choice(tuple(self.variants), self.refused)
        wrong_kind = list(kind.findings(value.get("type"), join(key, "type")))
        yield from wrong_kind or self.variants[value["type"]].findings(value, key)


@dataclass(frozen=True)
class Either:
    """A plain value, or the mapping that computes it."""

    plain: Shape
    mapping: Shape

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        shape = self.mapping if isinstance(value, dict) else self.plain
        yield from shape.findings(value, key)


@dataclass(frozen=True)
class Later:
    """A shape that contains itself."""

    shape: Callable[[], Shape]

    def findings(self, value: object, key: str) -> Iterator[Finding]:
        yield from self.shape().findings(value, key)


def join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


TEXT = Scalar("a text", (str,))
FLAG = Scalar("true or false", (bool,))
WHOLE = Scalar("a whole number", (int,))
MAPPING = Scalar("a mapping", (dict,))
ANYTHING = Anything()
