"""A contact sheet of held-out images: truth in green, prediction in red, box and points, Dice beside them.

    python sheet.py --real MINI TRAIN2 --weights ../sam-med2d-tiny.safetensors --out sheet.png
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import phantoms
from dataset import load_real
from evaluate import drawn_items, score_items
from networks import shaped
from safetensors import load_safetensors
from shapes import dilate, erode
from speed import quicken

TILE, COLUMNS = 176, 12  # pixels; tiles a row, in pairs: box, five points


def rim(mask: np.ndarray) -> np.ndarray:
    """The mask's border, two pixels wide."""
    return dilate(mask, 1) & ~erode(mask, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, nargs="+", required=True, help="folders of real images: mini, train2")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", default="held_out", choices=["held_out", "never_seen", "train"])
    parser.add_argument("--masks", type=int, default=36, help="of the real images")
    options = parser.parse_args()
    quicken()
    model = shaped({k: v.float() for k, v in load_safetensors(options.weights).items()})
    real = load_real(options.real, options.part)
    drawn = [item for kind in phantoms.MODALITIES for item in drawn_items(2, kind)]
    tiles = []
    for items, most in ((real, options.masks), (drawn, 36)):
        pictures = {item.name + item.modality: item.image for item in items}
        truths = [mask for item in items for mask in item.masks]
        rows = score_items(model, items, keep=True)
        for i in np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int):
            row = rows[i]
            for kind, count in (("box", 0), ("5", 5)):
                image = pictures[row.name + row.modality].copy()
                image[rim(truths[i])] = (0, 220, 0)
                image[rim(row.masks[kind])] = (255, 40, 40)
                tile = Image.fromarray(image)
                draw = ImageDraw.Draw(tile)
                if kind == "box":
                    draw.rectangle(row.box, outline=(255, 220, 0))
                size = max(3, image.shape[1] // 90)
                for x, y, label in row.points[:count]:
                    draw.ellipse(
                        (x - size, y - size, x + size, y + size), fill=(60, 120, 255) if label == 1 else (255, 0, 255)
                    )
                tile = tile.resize((TILE, TILE))
                ImageDraw.Draw(tile).text((3, 2), f"{row.modality} {kind} {row.dice[kind]:.2f}", fill=(255, 255, 0))
                tiles.append(tile)
    sheet = Image.new("RGB", (COLUMNS * TILE, -(-len(tiles) // COLUMNS) * TILE))
    for n, tile in enumerate(tiles):
        sheet.paste(tile, (n % COLUMNS * TILE, n // COLUMNS * TILE))
    sheet.save(options.out)


if __name__ == "__main__":
    main()
