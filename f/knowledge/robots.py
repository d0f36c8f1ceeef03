"""What a site asks of programs in its robots.txt, as RFC 9309 has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

AGENT = "chatmill"
MAX_BYTES = 500 * 1024
MAX_RULES = 5000


@dataclass(frozen=True)
class Rule:
    is_allowed: bool
    path: str

    @cached_property
    def pieces(self) -> list[str]:
        return self.path.removesuffix("$").split("*")

    def covers(self, path: str) -> bool:
        """`*` stands for anything, `$` at the end for the end."""
        pieces = self.pieces
        if not path.startswith(pieces[0]):
            return False
        place = len(pieces[0])
        for piece in pieces[1:]:
            found = path.find(piece, place)
            if found < 0:
                return False
            place = found + len(piece)
        if not self.path.endswith("$"):
            return True
        return place == len(path) or (len(pieces) > 1 and path.endswith(pieces[-1]))


def may_read(content: str, path: str) -> bool:
    return allow(rules_for_us(content), path)


def allow(rules: list[Rule], path: str) -> bool:
    """The longest rule that covers the path decides; of two equal ones the one that allows."""
    if path == "/robots.txt":
        return True
    path = unquote(path)
    covering = [rule for rule in rules if rule.path and rule.covers(path)]
    best = max(covering, key=lambda rule: (len(rule.path), rule.is_allowed), default=None)
    return best is None or best.is_allowed


def rules_for_us(content: str) -> list[Rule]:
    """Those of our name, else those for everybody."""
    groups: dict[str, list[Rule]] = {}
    agents: set[str] = set()
    is_open = False
    for name, value in lines(content):
        if name == "user-agent":
            agents = agents if is_open else set()
            is_open = True
            agent = value.lower().split("/")[0]
            if agent in (AGENT, "*"):
                agents.add(agent)
                groups.setdefault(agent, [])
        elif name in ("allow", "disallow"):
            is_open = False
            for agent in agents:
                groups[agent].append(Rule(name == "allow", unquote(value)))
    return groups.get(AGENT, groups.get("*", []))[:MAX_RULES]


def lines(content: str) -> Iterator[tuple[str, str]]:
    for line in content.removeprefix("\ufeff").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()
