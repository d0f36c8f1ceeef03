"""The embedder of this installation: MiniLM where its weights are installed, hashing elsewhere."""

from collections import OrderedDict
from threading import Lock

import numpy as np

from local.hashing_embedder import HashingEmbedder
from local.minilm import MiniLM, model_folder

KEPT_VECTORS = 8192


class RememberingEmbedder:
    """Answers a text that it has seen from memory; one forward pass at a time."""

    def __init__(self, embedder):
        self._embedder = embedder
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = Lock()
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    def embed(self, texts: list[str]) -> list[np.ndarray]:
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            if missing:
                self._vectors.update(zip(missing, self._embedder.embed(missing), strict=True))
            answer = [self._vectors[text] for text in texts]
            while len(self._vectors) > KEPT_VECTORS:
                self._vectors.popitem(last=False)
        return answer


def load_embedder() -> RememberingEmbedder:
    folder = model_folder()
    return RememberingEmbedder(MiniLM(folder) if folder else HashingEmbedder())
