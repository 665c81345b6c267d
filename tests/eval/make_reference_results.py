"""Writes reference_results.json: the published evaluation of a drawn dataset, by the PyTorch reference.

Run by hand; no test ever runs it.

    python3 make_reference_results.py [first seed]
    npm run format -- tests/eval

The network is small and made by formula, so its masks mean nothing; what is compared is every step between files and
figures. Correction points are drawn by index from the list of wrong pixels, so one pixel that falls on the other side of
zero moves a point: the evaluation's seed is searched until every mask that points are drawn from keeps clear of zero, by
far more than two implementations differ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reference"))

from make_goldens import build  # noqa: E402
from postprocess import best_mask, upscale  # noqa: E402
from preprocess import Placement, nearest_indices, place, preprocess  # noqa: E402
from procedural_image import procedural_image  # noqa: E402
from sam_med2d import Config, SamMed2D  # noqa: E402
from synthetic import GOLDEN, MASK, fnv1a32, mix32  # noqa: E402

CONFIG = Config(48, 2, 3, image_size=128, global_blocks=(1,))
WEIGHTS_SEED = 3
MARGIN = 1e-5  # implementations differ by 1e-6
EPS = 1e-7

# Discs as [x, y, radius]; a pixel is inside where dx * dx + dy * dy < radius * radius.
IMAGES: List[Dict[str, Any]] = [
    {
        "name": "ct--drawn--a.png",
        "width": 96,
        "height": 72,
        "seed": 1,
        "masks": [
            {"name": "ct--drawn--a--liver_000.png", "discs": [[40, 30, 18]]},
            {"name": "ct--drawn--a--nodes_000.png", "discs": [[20, 55, 9], [80, 15, 6], [90, 70, 7]]},
        ],
    },
    {
        "name": "us--drawn--b.png",
        "width": 200,
        "height": 150,
        "seed": 2,
        "masks": [
            {"name": "us--drawn--b--nerve_000.png", "discs": [[120, 70, 40]]},
            {"name": "us--drawn--b--nerve_001.png", "discs": [[30, 120, 25], [45, 120, 20]]},
        ],
    },
    {
        "name": "us--drawn--c.png",
        "width": 128,
        "height": 90,
        "seed": 3,
        "masks": [{"name": "us--drawn--c--vessel_000.png", "discs": [[64, 45, 12]]}],
    },
]


class Random:
    """src/eval/random.ts"""

    def __init__(self, seed: int, name: str) -> None:
        self.state = (fnv1a32(name) + seed * GOLDEN) & MASK

    def below(self, n: int) -> int:
        drawn = int(mix32(np.array([self.state], dtype=np.uint32))[0])
        self.state = (self.state + GOLDEN) & MASK
        return drawn * n >> 32


def draw_mask(width: int, height: int, discs: List[List[int]]) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    return np.any([(x - a) ** 2 + (y - b) ** 2 < r * r for a, b, r in discs], axis=0)


def to_square(mask: np.ndarray, placement: Placement, size: int) -> np.ndarray:
    if placement.fit == "resize":
        rows, columns = (nearest_indices(side, size) for side in mask.shape)
        return mask[rows[:, None], columns[None, :]]
    square = np.zeros((size, size), dtype=bool)
    square[placement.top : placement.top + placement.height, placement.left : placement.left + placement.width] = mask
    return square


def largest_box(mask: np.ndarray) -> List[int]:
    """Of the region with most pixels; corners connect."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    best: List[Tuple[int, int]] = []
    while left:
        region, open_ = [], [left.pop()]
        while open_:
            y, x = open_.pop()
            region.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            open_ += near
        if len(region) > len(best):
            best = region
    ys, xs = zip(*best)
    return [min(xs), min(ys), max(xs) + 1, max(ys) + 1]


def pick(mask: np.ndarray, random: Random) -> Tuple[int, int]:
    inside = np.argwhere(mask)
    y, x = inside[random.below(len(inside))]
    return int(x), int(y)


def overlap(mask: np.ndarray, truth: np.ndarray) -> Dict[str, float]:
    both, total = int((mask & truth).sum()), int(mask.sum()) + int(truth.sum())
    return {"dice": (2 * both + EPS) / (total + EPS), "iou": (both + EPS) / (total - both + EPS)}


class TooClose(Exception):
    """A mask or a choice of mask hangs on less than implementations agree to."""


class Evaluator:
    def __init__(self, model: SamMed2D) -> None:
        self.model = model
        self.size = model.config.image_size
        self.margin = float("inf")

    def answer(self, embedding: Tensor, **prompt: Any) -> Tuple[Tensor, float]:
        logits, scores = self.model.decode(embedding, **prompt)
        first, second = scores[0].sort(descending=True).values[:2].tolist()
        if first - second < 1e-3:
            raise TooClose
        return best_mask(logits, scores), first

    def score(self, logits: Tensor, predicted: float, truth: np.ndarray, placement: Placement) -> Dict[str, float]:
        mask = (upscale(logits, self.size, placement)[0] > 0).numpy()
        return {**overlap(mask, truth), "predicted": predicted}

    def points(self, embedding: Tensor, truth: np.ndarray, square: np.ndarray, placement: Placement, random: Random):
        points, labels = [pick(square, random)], [1]
        mask_input, scores = None, {}
        for count in range(1, 6):
            logits, predicted = self.answer(
                embedding,
                points=torch.tensor([points]).double(),
                labels=torch.tensor([labels]),
                mask_input=mask_input,
            )
            if count in (1, 3, 5):
                scores[str(count)] = self.score(logits, predicted, truth, placement)
            if count == 5:
                break
            large = upscale(logits, self.size, place(self.size, self.size, self.size, "resize"))[0].numpy()
            self.margin = min(self.margin, float(np.abs(large).min()))
            if self.margin < MARGIN:
                raise TooClose
            wrong = (large > 0) != square
            x, y = pick(wrong, random)
            points.append((x, y))
            labels.append(1 if square[y, x] else 0)
            mask_input = logits.sigmoid()[:, None]
        return points[0], scores


@torch.no_grad()
def evaluate(model: SamMed2D, embeddings: List[Tuple[Tensor, Placement]], seed: int) -> Dict[str, Any]:
    evaluator = Evaluator(model)
    cases: Dict[str, Any] = {}
    first: Dict[str, Any] = {}
    for image, (embedding, placement) in zip(IMAGES, embeddings):
        for mask in image["masks"]:
            truth = draw_mask(image["width"], image["height"], mask["discs"])
            square = to_square(truth, placement, evaluator.size)
            point, scores = evaluator.points(embedding, truth, square, placement, Random(seed, mask["name"]))
            box = largest_box(square)
            logits, predicted = evaluator.answer(embedding, boxes=torch.tensor([box]).double())
            cases[mask["name"]] = {"box": evaluator.score(logits, predicted, truth, placement), **scores}
            first[mask["name"]] = {"box": box, "point": list(point)}
    prompts = {
        mode: {metric: float(np.mean([case[mode][metric] for case in cases.values()])) for metric in ("dice", "iou")}
        for mode in ("box", "1", "3", "5")
    }
    return {"seed": seed, "margin": evaluator.margin, "images": IMAGES, "first": first, "cases": cases, "prompts": prompts}


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    model = build(CONFIG, WEIGHTS_SEED)
    embeddings = []
    for image in IMAGES:
        pixels, placement = preprocess(
            procedural_image(image["width"], image["height"], image["seed"]), CONFIG.image_size, "pad", "bgr"
        )
        embeddings.append((model.encode(torch.from_numpy(pixels)[None].double()), placement))
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    while True:
        try:
            results = evaluate(model, embeddings, seed)
            break
        except TooClose:
            seed += 1
    print(f"seed {seed}, margin {results['margin']:.1e}")
    print(json.dumps(results["prompts"], indent=1))
    (HERE / "reference_results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
