"""Masks out: low-res logits go back to the original image in two bilinear steps, which one step would not equal."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from preprocess import Placement


def best_mask(logits: Tensor, scores: Tensor) -> Tensor:
    """logits [P, M, h, w], scores [P, M] -> the logits of the mask that scores highest, [P, h, w]."""
    return logits[torch.arange(len(logits)), scores.argmax(dim=1)]


def upscale(logits: Tensor, size: int, placement: Placement) -> Tensor:
    """Low-res logits [P, 4g, 4g] -> logits at original size [P, height, width]."""

    def bilinear(x: Tensor, height: int, width: int) -> Tensor:
        return F.interpolate(x, (height, width), mode="bilinear", align_corners=False)

    square = bilinear(logits[:, None], size, size)
    bottom, right = placement.top + placement.inner_height, placement.left + placement.inner_width
    inner = square[..., placement.top : bottom, placement.left : right]
    if placement.fit == "pad":
        return inner[:, 0]
    return bilinear(inner, placement.height, placement.width)[:, 0]


def upscale_probabilities(logits: Tensor, placement: Placement) -> Tensor:
    """MedSAM's own: probabilities first, then one step. [P, 4g, 4g] -> inside where above 0, [P, height, width]."""
    probabilities = F.interpolate(logits.sigmoid()[:, None], (placement.height, placement.width), mode="bilinear", align_corners=False)
    return probabilities[:, 0] - 0.5


def binary(logits: Tensor) -> Tensor:
    """Logits -> bool."""
    return logits.sigmoid() > 0.5
