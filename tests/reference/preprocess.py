"""Pixels in: an 8-bit RGB image becomes the square the network sees, and prompts move with it.

    resize   always S x S, nearest neighbour, aspect not kept: what the interactive predictor does
    pad      centred on zeros where both sides are smaller than S, else resize: training and evaluation
    longest  long side to S, zeros right and below: the 1024-pixel original
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Tuple

import numpy as np
import torch
import torch.nn.functional as F

from resample import resize_area, resize_cubic

# Applied to channels 0, 1, 2 as they stand after ordering: in "bgr" the first pair meets blue, as in training.
MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
STD = np.array([58.395, 57.12, 57.375], dtype=np.float32)


@dataclass(frozen=True)
class Placement:
    """Where an original image lies in the S x S square."""

    fit: str  # "resize", "pad" or "longest", as carried out
    height: int  # of the original
    width: int
    inner_height: int  # of the part of the square that shows it
    inner_width: int
    top: int = 0
    left: int = 0

    def points(self, points: np.ndarray) -> np.ndarray:
        """[..., 2] as (x, y): original pixels -> model pixels."""
        scale = np.array([self.inner_width / self.width, self.inner_height / self.height])
        return (points * scale + np.array([self.left, self.top])).astype(np.float32)

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """[..., 4] as (x0, y0, x1, y1): original pixels -> model pixels."""
        return self.points(boxes.reshape(*boxes.shape[:-1], 2, 2)).reshape(boxes.shape)


def place(height: int, width: int, size: int, fit: str) -> Placement:
    if fit == "pad" and height < size and width < size:
        return Placement("pad", height, width, height, width, (size - height) // 2, (size - width) // 2)
    if fit == "longest":
        scale = size / max(height, width)
        return Placement("longest", height, width, int(height * scale + 0.5), int(width * scale + 0.5))
    if fit in ("pad", "resize"):
        return Placement("resize", height, width, size, size)
    raise ValueError(f"fit must be resize, pad or longest, got {fit}")


def nearest_indices(source: int, size: int) -> np.ndarray:
    """Source index of each of `size` targets: [size] int32.

    The reference's image library multiplies by a reciprocal of a ratio, in double precision. Where
    target * source / size is a whole number this can fall one short of it, as for source 372 and size 256.
    """
    step = 1 / (size / source)
    return np.array([min(math.floor(target * step), source - 1) for target in range(size)], dtype=np.int32)


def resize_smoothly(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear with antialiasing, back to 8 bits: uint8 [h, w, 3] -> [height, width, 3]."""
    if image.shape[:2] == (height, width):
        return image
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    planes = F.interpolate(planes, (height, width), mode="bilinear", align_corners=False, antialias=True)
    return planes[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


def own_range(image: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in 0..1, by the smallest and largest value of all channels."""
    low, high = float(image.min()), float(image.max())
    return ((image - low) / max(high - low, 1e-8)).astype(np.float32)


def preprocess(image: np.ndarray, size: int, fit: str = "resize", order: str = "bgr", medsam: bool = False) -> Tuple[np.ndarray, Placement]:
    """image uint8 [h, w, 3], RGB -> float32 [3, size, size], and where the image lies in it.

    medsam: resampled and scaled to 0..1 by the image's own range as MedSAM ("resize") and LiteMedSAM ("longest") do.
    """
    placement = place(*image.shape[:2], size, fit)
    if medsam:
        resize = resize_cubic if placement.fit == "resize" else resize_area
        image = resize(image, placement.inner_height, placement.inner_width)
    elif placement.fit == "resize":
        rows, columns = (nearest_indices(side, size) for side in image.shape[:2])
        image = image[rows[:, None], columns[None, :]]
    elif placement.fit == "longest":
        image = resize_smoothly(image, placement.inner_height, placement.inner_width)
    ordered = image[..., ::-1] if order == "bgr" else image
    normalised = own_range(ordered) if medsam else (ordered.astype(np.float32) - MEAN) / STD

    # Zeros are put around the normalised image, so the border is mean gray, not black.
    square = np.zeros((size, size, 3), dtype=np.float32)
    bottom, right = placement.top + placement.inner_height, placement.left + placement.inner_width
    square[placement.top : bottom, placement.left : right] = normalised
    return np.ascontiguousarray(square.transpose(2, 0, 1)), placement
