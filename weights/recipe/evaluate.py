"""The published protocol (MODEL.md, Evaluation) on held-out mini and held-out phantoms, beside naive baselines.

    python evaluate.py --mini ../../../shared/data/mini --weights ../sam-med2d-tiny.safetensors --json figures.json
"""
from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

import phantoms
from dataset import FIRST_HELD_OUT_SEED, S, Labelled, load_mini, normalise
from safetensors import load_safetensors
from speed import SamMed2D, quicken

PROMPTS = ("box", "1", "3", "5")
EPSILON = 1e-7


@dataclass
class Row:
    """One mask's results."""

    name: str
    modality: str
    structure: str
    area: int
    dice: Dict[str, float] = field(default_factory=dict)
    iou: Dict[str, float] = field(default_factory=dict)
    masks: Dict[str, np.ndarray] = field(default_factory=dict)  # kept only on request
    box: Tuple[int, int, int, int] = (0, 0, 0, 0)
    points: List[Tuple[int, int, int]] = field(default_factory=list)  # x, y, label, in original pixels


def drawn_items(count: int, modality: Optional[str] = None) -> List[Labelled]:
    """Held-out phantoms: seeds no training pool reaches. At most 6 masks of each, drawn at random."""
    items = []
    for i in range(count):
        phantom = phantoms.draw(FIRST_HELD_OUT_SEED + i, modality)
        chosen = np.random.default_rng(i).permutation(len(phantom.masks))[:6]
        masks = np.stack([phantom.masks[k] for k in chosen])
        items.append(
            Labelled(phantom.modality, f"phantom-{i}", phantom.image, masks, [phantom.names[k] for k in chosen])
        )
    return items


class Fit:
    """Original pixels to model pixels and back: centred padding where both sides are smaller, else resizing."""

    def __init__(self, height: int, width: int) -> None:
        self.size = (height, width)
        self.pad = height < S and width < S
        self.top, self.left = (S - height) // 2, (S - width) // 2

    def image(self, image: np.ndarray) -> Tensor:
        """uint8 [H, W, 3] RGB -> normalised [1, 3, S, S], BGR."""
        height, width = self.size
        bgr = np.ascontiguousarray(image[..., ::-1])
        if not self.pad:  # nearest neighbour: floor(dst * size / S)
            bgr = bgr[np.arange(S) * height // S][:, np.arange(S) * width // S]
        x = normalise(torch.from_numpy(np.ascontiguousarray(bgr.transpose(2, 0, 1)))[None])
        if self.pad:
            x = F.pad(x, (self.left, S - width - self.left, self.top, S - height - self.top))
        return x

    def points(self, xy: np.ndarray) -> Tensor:
        """[..., 2] original (x, y) -> model pixels."""
        height, width = self.size
        scaled = xy + np.array([self.left, self.top]) if self.pad else xy * np.array([S / width, S / height])
        return torch.from_numpy(np.asarray(scaled, np.float32))

    def mask(self, logits: Tensor) -> np.ndarray:
        """Low-res logits [L, L] -> bool [H, W], in the two bilinear steps of the reference."""
        full = F.interpolate(logits[None, None].float(), (S, S), mode="bilinear", align_corners=False)
        height, width = self.size
        if self.pad:
            full = full[..., self.top : self.top + height, self.left : self.left + width]
        else:
            full = F.interpolate(full, (height, width), mode="bilinear", align_corners=False)
        return (full[0, 0] > 0).cpu().numpy()


def largest_box(mask: np.ndarray) -> Tuple[int, int, int, int]:
    """Half-open bounding box (x0, y0, x1, y1) of the mask's largest connected region."""
    regions, count = ndimage.label(mask, np.ones((3, 3)))
    if count > 1:
        mask = regions == 1 + np.argmax(np.bincount(regions.ravel())[1:])
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def overlap(found: np.ndarray, truth: np.ndarray) -> Tuple[float, float]:
    """Dice and IoU."""
    both, total = float((found & truth).sum()), float(found.sum() + truth.sum())
    return (2 * both + EPSILON) / (total + EPSILON), (both + EPSILON) / (total - both + EPSILON)


def first_point(mask: np.ndarray, rng: np.random.Generator) -> Tuple[int, int]:
    pixels = np.flatnonzero(mask)
    pixel = int(pixels[rng.integers(len(pixels))])
    return pixel % mask.shape[1], pixel // mask.shape[1]


@torch.no_grad()
def score_items(model: SamMed2D, items: Sequence[Labelled], seed: int = 0, keep: bool = False) -> List[Row]:
    """Runs every prompt kind on every mask. Points depend on the seed and on what the model got wrong."""
    parameter = model.image_encoder.pos_embed
    rows: List[Row] = []
    for number, item in enumerate(items):
        fit = Fit(*item.image.shape[:2])
        embedding = model.encode(fit.image(item.image).to(parameter.device, parameter.dtype))

        def answer(**prompt: Tensor) -> Tensor:
            logits, scores = model.decode(embedding, **{k: v.to(parameter.device) for k, v in prompt.items()})
            return logits[0, int(scores[0].float().argmax())].float()

        for index, mask in enumerate(item.masks):
            rng = np.random.default_rng([seed, number, index])
            row = Row(item.name, item.modality, item.names[index], int(mask.sum()), box=largest_box(mask))

            def note(kind: str, logits: Tensor) -> np.ndarray:
                found = fit.mask(logits)
                row.dice[kind], row.iou[kind] = overlap(found, mask)
                if keep:
                    row.masks[kind] = found
                return found

            corners = fit.points(np.array(row.box, float).reshape(2, 2)).reshape(1, 4)
            note("box", answer(boxes=corners))
            x, y = first_point(mask, rng)
            row.points.append((x, y, 1))
            logits = None
            for count in range(1, 6):
                given = np.array(row.points, float)
                prompt = {"points": fit.points(given[:, :2])[None], "labels": torch.tensor(given[None, :, 2]).long()}
                if logits is not None:
                    prompt["mask_input"] = logits.sigmoid()[None, None].to(parameter.dtype)
                logits = answer(**prompt)
                found = note(str(count), logits)
                wrong = np.flatnonzero(found != mask)
                if len(wrong):
                    pixel = int(wrong[rng.integers(len(wrong))])
                    label = int(mask.flat[pixel])
                else:
                    pixel, label = int(rng.integers(mask.size)), -1
                row.points.append((pixel % mask.shape[1], pixel // mask.shape[1], label))
            rows.append(row)
    return rows


def baselines(items: Sequence[Labelled], seed: int = 0) -> Dict[str, List[float]]:
    """Dice of the ellipse drawn in the box, and of the one disc radius that is best on these very masks."""
    ellipse, discs = [], []
    radii = np.arange(2, 120, 2)  # in model pixels
    for number, item in enumerate(items):
        height, width = item.image.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        unit = 1.0 if height < S and width < S else (height * width) ** 0.5 / S
        for index, mask in enumerate(item.masks):
            x0, y0, x1, y1 = largest_box(mask)
            inside = ((x + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)) ** 2 + (
                (y + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)
            ) ** 2 <= 1
            ellipse.append(overlap(inside, mask)[0])
            px, py = first_point(mask, np.random.default_rng([seed, number, index]))
            distance = np.hypot(x - px, y - py) / unit
            sizes, order = mask.sum(), np.argsort(distance.ravel())
            hits, at = np.cumsum(mask.ravel()[order]), np.searchsorted(distance.ravel()[order], radii, side="right")
            discs.append(2 * hits[np.maximum(at - 1, 0)] / (at + sizes))
    best = int(np.mean(discs, axis=0).argmax())
    return {"ellipse": ellipse, "disc": [float(d[best]) for d in discs], "radius": [float(radii[best])]}


def summary(rows: Sequence[Row], items: Sequence[Labelled]) -> Dict[str, object]:
    """Means over all masks and by modality, beside the baselines."""
    naive = baselines(items)
    kinds: Dict[str, List[int]] = {"all": list(range(len(rows)))}
    for i, row in enumerate(rows):
        kinds.setdefault(row.modality, []).append(i)
    out: Dict[str, object] = {"disc_radius": naive["radius"][0]}
    for kind, chosen in kinds.items():
        entry: Dict[str, object] = {"masks": len(chosen), "images": len({rows[i].name for i in chosen})}
        for p in PROMPTS:
            entry[p] = {
                "dice": round(float(np.mean([rows[i].dice[p] for i in chosen])), 4),
                "iou": round(float(np.mean([rows[i].iou[p] for i in chosen])), 4),
            }
        entry["ellipse_in_box"] = round(float(np.mean([naive["ellipse"][i] for i in chosen])), 4)
        entry["best_disc"] = round(float(np.mean([naive["disc"][i] for i in chosen])), 4)
        out[kind] = entry
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mini", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--part", default="held_out", choices=["held_out", "train"])
    parser.add_argument("--phantoms", type=int, default=16, help="of each modality")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    quicken()
    model = SamMed2D.from_state_dict({k: v.float() for k, v in load_safetensors(options.weights).items()}).eval()
    real = load_mini(options.mini, options.part)
    drawn = [item for kind in phantoms.MODALITIES for item in drawn_items(options.phantoms, kind)]
    figures = {}
    for name, items in (("mini", real), ("phantoms", drawn)):
        figures[name] = summary(score_items(model, items, options.seed), items)
        print(name)
        for kind, entry in figures[name].items():
            if isinstance(entry, dict):
                dice = "  ".join(f"{p} {entry[p]['dice']:.3f}" for p in PROMPTS)
                print(
                    f"  {kind:12s} {entry['masks']:4d} masks  {dice}  ellipse {entry['ellipse_in_box']:.3f}  disc {entry['best_disc']:.3f}"
                )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
