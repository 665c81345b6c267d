"""Writes the mask that the published file gives for one click on one drawn image, by the PyTorch reference.

Library, command line and page are held to it by tests named known_mask: a broken file or preset is noticed.

    python known_mask.py --weights ../sam-med2d-tiny.safetensors

writes ../sam-med2d-tiny.known.png: white inside, at the image's size; image and click are in its text, as JSON.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from networks import shaped
from postprocess import best_mask, binary, upscale
from preprocess import preprocess
from procedural_image import procedural_image
from safetensors import load_safetensors

WIDTH, HEIGHT, SEED = 300, 200, 7
CLICK = (169, 150)  # on a disc, in original pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True)
    options = parser.parse_args()
    model = shaped({k: v.float() for k, v in load_safetensors(options.weights).items()})
    size = model.config.image_size
    pixels, placement = preprocess(procedural_image(WIDTH, HEIGHT, SEED), size, "resize", "bgr")
    points = torch.from_numpy(placement.points(np.array([[CLICK]], dtype=float)))
    with torch.no_grad():
        logits, scores = model.decode(model.encode(torch.as_tensor(pixels).float()[None]), points=points, labels=torch.ones(1, 1, dtype=torch.long))
        mask = binary(upscale(best_mask(logits, scores), size, placement))[0].numpy()
    text = PngInfo()
    text.add_text("prompt", json.dumps({"image": {"width": WIDTH, "height": HEIGHT, "seed": SEED}, "click": CLICK}))
    path = options.weights.with_suffix(".known.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save(path, pnginfo=text, optimize=True)
    print(path.name, int(mask.sum()), "pixels, scores", [round(float(s), 3) for s in scores[0]])


if __name__ == "__main__":
    main()
