"""Writes boundary_reference.json: boundary F-scores, numbers of parts and baselines of drawn masks, by SciPy's distance transform.

Run by hand; no test ever runs it.

    python3 make_boundary_reference.py
    npm run format -- tests/eval
"""

import json
from pathlib import Path

import numpy as np
from scipy import ndimage

# (width, height, discs of the mask, discs of the truth), each disc [x, y, radius]
CASES = [
    (60, 40, [[25, 20, 12]], [[25, 20, 12]]),
    (60, 40, [[25, 20, 12]], [[27, 20, 12]]),
    (60, 40, [[25, 20, 12], [50, 8, 4]], [[29, 22, 10]]),
    (60, 40, [[3, 3, 8]], [[5, 3, 9], [40, 30, 6]]),
    (60, 40, [], [[5, 3, 9]]),
    (300, 200, [[150, 90, 50]], [[155, 95, 52]]),
    (300, 200, [[150, 90, 50], [160, 150, 30], [20, 20, 3]], [[146, 99, 49]]),
]
RADII = np.arange(2, 120, 2)


def draw(width, height, discs):
    y, x = np.mgrid[0:height, 0:width]
    mask = np.zeros((height, width), bool)
    for cx, cy, radius in discs:
        mask |= (x - cx) ** 2 + (y - cy) ** 2 < radius**2
    return mask


def rim(mask):
    return mask & ~ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1), border_value=0)


def boundary(mask, truth):
    if not mask.any() or not truth.any():
        return float(mask.any() == truth.any())
    tolerance = max(1.0, 0.008 * float(np.hypot(*truth.shape)))
    a, b = rim(mask), rim(truth)
    precision = (ndimage.distance_transform_edt(~b)[a] <= tolerance).mean()
    recall = (ndimage.distance_transform_edt(~a)[b] <= tolerance).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def dice(a, b):
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def baselines(box, point, truth):
    y, x = np.mgrid[0 : truth.shape[0], 0 : truth.shape[1]].astype(float)
    x0, y0, x1, y1 = box
    ellipse = ((x + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)) ** 2 + ((y + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)) ** 2 <= 1
    distance = np.hypot(x - point[0], y - point[1])
    return {"ellipse": dice(ellipse, truth), "discs": [dice(distance <= r, truth) for r in RADII]}


cases = []
for width, height, discs, wanted in CASES:
    mask, truth = draw(width, height, discs), draw(width, height, wanted)
    case = {"width": width, "height": height, "mask": discs, "truth": wanted}
    case["boundary"] = boundary(mask, truth)
    case["parts"] = int(ndimage.label(mask, np.ones((3, 3)))[1])
    if width < 256:
        ys, xs = np.nonzero(truth)
        box = [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]
        point = [int(xs[len(xs) // 3]), int(ys[len(xs) // 3])]
        case.update(box=box, point=point, **baselines(box, point, truth))
    cases.append(case)
Path(__file__).with_name("boundary_reference.json").write_text(json.dumps(cases, indent=1) + "\n")
