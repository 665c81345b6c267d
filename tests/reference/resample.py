"""The resizings that MedSAM's and LiteMedSAM's own code does, as plain formulas.

    cubic   skimage.transform.resize(image, shape, order=3, preserve_range=True, anti_aliasing=True).astype(uint8)
    area    cv2.resize(image, size, interpolation=cv2.INTER_AREA)
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage


def resize_cubic(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 [h, w, 3] -> [height, width, 3]: Gaussian where it shrinks, cubic spline, clipped to the image's range, truncated."""
    planes = image.astype(np.float64)
    factors = [image.shape[0] / height, image.shape[1] / width, 1]
    sigma = [max(0.0, (factor - 1) / 2) for factor in factors]
    smooth = ndimage.gaussian_filter(planes, sigma, mode="mirror")
    zoomed = ndimage.zoom(smooth, [1 / factor for factor in factors], order=3, mode="mirror", grid_mode=True)
    return np.clip(zoomed, planes.min(), planes.max()).astype(np.uint8)


def area_weights(source: int, size: int) -> np.ndarray:
    """[size, source]: how much of each target every source covers; the long-side fit never stretches one axis and shrinks the other."""
    weights = np.zeros((size, source))
    scale = source / size
    for target in range(size):
        if scale >= 1:
            begin, end = target * scale, min((target + 1) * scale, source)
            for i in range(math.floor(begin), min(math.ceil(end), source)):
                weights[target, i] = (min(i + 1, end) - max(i, begin)) / (end - begin)
        else:
            low = math.floor(target * scale)
            part = (target + 1) - (low + 1) / scale
            part = 0.0 if part <= 0 else part - math.floor(part)
            weights[target, min(low, source - 1)] += 1 - part
            weights[target, min(low + 1, source - 1)] += part
    return weights


def resize_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 [h, w, 3] -> [height, width, 3], rounded."""
    down, across = area_weights(image.shape[0], height), area_weights(image.shape[1], width)
    mixed = np.einsum("yi,xj,ijc->yxc", down, across, image.astype(np.float64), optimize=True)
    return np.rint(mixed).clip(0, 255).astype(np.uint8)
