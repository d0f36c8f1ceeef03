"""Runs other than the mixed one, by name."""

from collections.abc import Callable

from bench.chaos.options import Options

SCENARIOS: dict[str, Callable[[Options], dict]] = {}
