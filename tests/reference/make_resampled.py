"""Writes tests/image/resampled.json: what OpenCV, scikit-image and Pillow themselves make of the procedural image, for src/image/resample.ts.

    python3 make_resampled.py

Needs opencv-python-headless, scikit-image and Pillow. MedSAM resizes by the second, LiteMedSAM by the first, SAM by the third (of which
torchvision's resize of an 8-bit picture is a wrapper). Bytes are base64 of [height, width, 3].
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import PIL
import skimage
import skimage.transform
from PIL import Image

from procedural_image import procedural_image

OUT = Path(__file__).resolve().parent.parent / "image" / "resampled.json"
SEED = 3
# Shrunk, stretched, one axis of each, by whole and odd ratios, to one pixel.
CASES = [((150, 101), (64, 43)), ((31, 17), (64, 35)), ((60, 44), (30, 22)), ((20, 64), (48, 48)), ((97, 5), (32, 2)), ((33, 33), (33, 33))]


def cubic(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return skimage.transform.resize(image, (height, width), order=3, preserve_range=True, anti_aliasing=True).astype(np.uint8)


def area(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def smooth(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def main() -> None:
    cases = []
    for (width, height), (to_width, to_height) in CASES:
        image = procedural_image(width, height, SEED)
        for name, resize in (("cubic", cubic), ("area", area), ("smooth", smooth)):
            # LiteMedSAM fits the long side: no axis is stretched while the other is shrunk.
            if name == "area" and (to_width > width) != (to_height > height):
                continue
            made = resize(image, to_width, to_height)
            assert made.shape == (to_height, to_width, 3) and made.dtype == np.uint8
            data = base64.b64encode(np.ascontiguousarray(made).tobytes()).decode()
            cases.append({"how": name, "from": [width, height], "to": [to_width, to_height], "data": data})
    made_by = {"opencv": cv2.__version__, "scikit-image": skimage.__version__, "pillow": PIL.__version__}
    OUT.write_text(json.dumps({"made_by": made_by, "seed": SEED, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
