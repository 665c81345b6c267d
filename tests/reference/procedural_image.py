"""The procedural test image: integers only, so any language makes the same bytes.

Pixel (x, y), channel c (0 red, 1 green, 2 blue), of a w x h image with seed s. Products come before `//`, floor
division; `mix32` is the avalanche of the synthetic checkpoint, in 32-bit unsigned integers with wrap-around:

    gradient   c = 0:   40 + 120 * x // w
               c = 1:   40 + 120 * y // h
               c = 2:  160 - 60 * x // w - 60 * y // h       both quotients floored before they are taken off
    discs      for each (a, b, q, [d0, d1, d2]) of DISCS, + d_c where dx * dx + dy * dy < r * r, with
               dx = x - w * a // 16,  dy = y - h * b // 16,  r = min(w, h) * q // 16
    noise      + mix32(((y * w + x) * 3 + c) * 0x9E3779B1 + s) >> 27      in 0 .. 31

and the sum is clamped to 0 .. 255.
"""

from __future__ import annotations

import numpy as np

from synthetic import GOLDEN, mix32

DISCS = (
    (5, 6, 4, (70, 40, -30)),
    (11, 5, 3, (-40, 60, 50)),
    (9, 12, 3, (50, -30, 60)),
)


def procedural_image(width: int, height: int, seed: int) -> np.ndarray:
    """uint8 [height, width, 3], RGB."""
    y, x = np.mgrid[0:height, 0:width]
    across, down = 60 * x // width, 60 * y // height
    value = np.stack([40 + 120 * x // width, 40 + 120 * y // height, 160 - across - down], axis=-1)
    for a, b, q, colour in DISCS:
        radius = min(width, height) * q // 16
        inside = (x - width * a // 16) ** 2 + (y - height * b // 16) ** 2 < radius**2
        value += inside[..., None] * np.array(colour)
    index = np.arange(height * width * 3, dtype=np.uint32) * np.uint32(GOLDEN) + np.uint32(seed)
    value += (mix32(index) >> np.uint32(27)).astype(np.int64).reshape(value.shape)
    return value.clip(0, 255).astype(np.uint8)
