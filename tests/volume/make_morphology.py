"""Writes morphology.json: margins, majorities, boundaries, holes and parts of random blobs by scipy.

    python make_morphology.py      (numpy, scipy)
"""
import json, os
import numpy as np
from scipy import ndimage

SPACING = (3.0, 1.3, 0.8)  # slices, rows, columns
SHAPE = (6, 23, 31)

random = np.random.default_rng(4)
mask = ndimage.gaussian_filter(random.standard_normal(SHAPE), (0.8, 1.5, 2)) > 0.02
MM = 3.7

def distances(inside, axes):
    """To the nearest voxel of `inside`, in mm, within each slice or through them."""
    if axes == 3:
        return ndimage.distance_transform_edt(~inside, sampling=SPACING)
    return np.stack([ndimage.distance_transform_edt(~plane, sampling=SPACING[1:]) if plane.any() else np.full(plane.shape, np.inf) for plane in inside])

def ball(axes):
    reach = [int(MM // step) for step in SPACING[3 - axes:]]
    offsets = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"))
    at = sum((offsets[i] * SPACING[3 - axes + i]) ** 2 for i in range(axes))
    return at <= MM ** 2

def majority(axes):
    kernel = ball(axes).astype(int)
    kernel = kernel[None] if axes == 2 else kernel
    inside = ndimage.correlate(mask.astype(int), kernel, mode="constant")
    there = ndimage.correlate(np.ones(SHAPE, int), kernel, mode="constant")
    return np.where(2 * inside == there, mask, 2 * inside > there)

def runs(volume):
    out = []
    for plane in volume:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], plane.ravel().astype(int), [0]])))
        out.append(edges.tolist())
    return out

def counts(structure):
    labels, n = ndimage.label(mask, structure)
    return sorted(np.bincount(labels.ravel())[1:].tolist(), reverse=True)

cross = ndimage.generate_binary_structure(2, 1)
out = {
    "spacing": SPACING, "shape": SHAPE, "mm": MM, "mask": runs(mask),
    "grow": [runs(distances(mask, axes) <= MM) for axes in (2, 3)],
    "shrink": [runs(mask & (distances(~mask, axes) > MM / 2)) for axes in (2, 3)],
    "smooth": [runs(majority(axes)) for axes in (2, 3)],
    "boundary": runs(np.stack([plane & ~ndimage.binary_erosion(plane, cross) for plane in mask])),
    "filled": runs(np.stack([ndimage.binary_fill_holes(plane) for plane in mask])),
    "parts": [counts(ndimage.generate_binary_structure(3, 1)), counts(np.ones((3, 3, 3)))],
}
with open(os.path.join(os.path.dirname(__file__), "morphology.json"), "w") as file:
    json.dump(out, file)
