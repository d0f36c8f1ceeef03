"""An embedder without weights, for when the model is not installed: hashed words and letters."""

import re
from hashlib import blake2b

import numpy as np

NAME = "hashing-384"

# Words that nearly every English text holds say nothing about what it is about.
COMMON = frozenset(
    "a an and are as at be by can do does for from get has have how i if in is it me my of on or"
    " our so that the there this to was we what when where which who will with you your".split()
)


class HashingEmbedder:
    name = NAME
    dimensions = 384

    def embed(self, texts: list[str]) -> list[np.ndarray]:
        """Unit vectors; the same text gives the same vector on every machine."""
        return [self._embed_one(text) for text in texts]

    def _embed_one(self, text: str) -> np.ndarray:
        vector = np.zeros(self.dimensions, dtype=np.float32)
        for feature, weight in features(text):
            number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest())
            sign = 1 if number & 1 else -1
            vector[(number >> 1) % self.dimensions] += sign * weight
        length = np.linalg.norm(vector)
        return vector / length if length else vector


def features(text: str):
    for word in re.findall(r"\w+", text.lower()):
        if word in COMMON:
            continue
        yield word, 1.0
        framed = f"^{word}$"
        for size in (3, 4):
            for start in range(len(framed) - size + 1):
                yield framed[start : start + size], 0.4
