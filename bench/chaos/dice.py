"""Decisions that depend on the seed and on what they are about, never on who asks first."""

import hashlib


class Dice:
    """The same seed and the same key always fall the same, in whatever process they are thrown."""

    def __init__(self, seed: int):
        self.seed = seed

    def roll(self, *key: object) -> float:
        """From 0 to below 1."""
        text = ":".join(map(str, (self.seed, *key)))
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64

    def between(self, low: float, high: float, *key: object) -> float:
        return low + (high - low) * self.roll(*key)

    def pick(self, chances: dict[str, float], *key: object) -> str:
        """One name by its chance; "" with what is left over."""
        left = self.roll(*key)
        for name, chance in chances.items():
            if left < chance:
                return name
            left -= chance
        return ""
