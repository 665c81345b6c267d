"""The synthetic checkpoint: weights by formula, the same bits in any language, so no download is needed to test.

Element i of the tensor called `name`, seed s, in 32-bit unsigned integers with wrap-around:

    h0 = fnv1a32(utf8(name)) + s * 0x9E3779B1
    h  = i * 0x9E3779B1 + h0
    h ^= h >> 16;  h *= 0x85EBCA6B;  h ^= h >> 13;  h *= 0xC2B2AE35;  h ^= h >> 16
    u  = f32(h >> 8) * 2^-23 - 1          in [-1, 1)

and a scale that depends on the kind of tensor, products and sums rounded to single precision.
"""

from __future__ import annotations

import math
from typing import Dict, Mapping, Tuple

import numpy as np

GOLDEN = 0x9E3779B1
MASK = 0xFFFFFFFF
TOKENS = ("pos_embed", "attention_biases", "point_embeddings", "not_a_point_embed", "no_mask_embed", "iou_token", "mask_tokens")


def fnv1a32(text: str) -> int:
    h = 0x811C9DC5
    for byte in text.encode("utf-8"):
        h = ((h ^ byte) * 0x01000193) & MASK
    return h


def mix32(h: np.ndarray) -> np.ndarray:
    """The avalanche above, uint32 -> uint32, in place (numpy wraps unsigned arrays silently)."""
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h


def uniform(name: str, n: int, seed: int) -> np.ndarray:
    """u for elements 0 .. n-1: [n] float32."""
    h = np.arange(n, dtype=np.uint32)
    h *= np.uint32(GOLDEN)
    h += np.uint32((fnv1a32(name) + seed * GOLDEN) & MASK)
    return (mix32(h) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def synthetic_tensor(name: str, shape: Tuple[int, ...], seed: int) -> np.ndarray:
    u = uniform(name, math.prod(shape), seed).reshape(shape)
    if name.endswith((".bias", ".running_mean")):
        return np.float32(0.05) * u
    if len(shape) == 1:
        return np.float32(1) + np.float32(0.1) * u
    if any(token in name for token in TOKENS):
        return np.float32(0.5) * u
    fan_in = u.size / shape[0]
    return np.float32(math.sqrt(3 / fan_in)) * u  # unit variance in, unit variance out


def synthetic_state(shapes: Mapping[str, Tuple[int, ...]], seed: int) -> Dict[str, np.ndarray]:
    """A whole checkpoint from names and shapes."""
    return {name: synthetic_tensor(name, tuple(shape), seed) for name, shape in shapes.items()}
