"""The embedder of this installation: MiniLM where its weights are installed, hashing elsewhere."""

from collections import OrderedDict
from threading import Lock

import numpy as np

from local.hashing_embedder import HashingEmbedder
from local.minilm import MiniLM, model_folder

KEPT_VECTORS = 8192


class RememberingEmbedder:
    """Answers a text that it has seen from memory. A question does not wait for a document that is
    embedded at the same time."""

    def __init__(self, embedder):
        self._embedder = embedder
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = Lock()
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    def embed(self, texts: list[str]) -> list[np.ndarray]:
        distinct = dict.fromkeys(texts)
        with self._lock:
            found = {text: self._vectors[text] for text in distinct if text in self._vectors}
        missing = [text for text in distinct if text not in found]
        if missing:
            made = dict(zip(missing, self._embedder.embed(missing), strict=True))
            found |= made
            with self._lock:
                self._vectors.update(made)
                while len(self._vectors) > KEPT_VECTORS:
                    self._vectors.popitem(last=False)
        return [found[text] for text in texts]


def load_embedder() -> RememberingEmbedder:
    folder = model_folder()
    return RememberingEmbedder(MiniLM(folder) if folder else HashingEmbedder())
