"""The published protocol (docs/evaluate.md) on held-out cases, never-seen sources and held-out phantoms, beside naive baselines.

Box and points are drawn on the mask in model pixels, by the random numbers of `npx sam-med2d evaluate`: of the same
masks both give the same figures, but for a pixel here and there that hangs on the last bits of a logit.

    python evaluate.py --real MINI TRAIN2 --weights ../sam-med2d-tiny.safetensors --json figures.json
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
from dataset import FIRST_HELD_OUT_SEED, S, Labelled, load_real, normalise
from networks import shaped
from safetensors import load_safetensors
from speed import SamMed2D, quicken
from synthetic import GOLDEN, MASK, fnv1a32, mix32

PROMPTS = ("box", "1", "3", "5")
EPSILON = 1e-7
TOLERANCE = 0.008  # of the diagonal, as in src/eval/boundary.ts: 2.9 pixels at 256 x 256
# True masks by the share of their image: at 256 x 256, up to 26 pixels across a disc, up to 72, and more.
SIZES = (("small", 0.0, 0.008), ("middle", 0.008, 0.0625), ("large", 0.0625, 1.1))


@dataclass
class Row:
    """One mask's results."""

    name: str
    modality: str
    structure: str
    area: int
    dice: Dict[str, float] = field(default_factory=dict)
    iou: Dict[str, float] = field(default_factory=dict)
    boundary: Dict[str, float] = field(default_factory=dict)  # F-score of the borders
    parts: Dict[str, int] = field(default_factory=dict)  # connected regions predicted
    true_parts: int = 1
    share: float = 0.0  # of the image that the true mask covers
    masks: Dict[str, np.ndarray] = field(default_factory=dict)  # kept only on request
    box: Tuple[float, ...] = (0, 0, 0, 0)  # original pixels
    points: List[Tuple[float, float, int]] = field(default_factory=list)  # x, y, label, in original pixels


class Random:
    """Numbers that depend on a seed and a name only: src/eval/random.ts."""

    def __init__(self, seed: int, name: str) -> None:
        self.state = (fnv1a32(name) + seed * GOLDEN) & MASK

    def below(self, n: int) -> int:
        drawn = int(mix32(np.array([self.state], dtype=np.uint32))[0])
        self.state = (self.state + GOLDEN) & MASK
        return drawn * n >> 32


def drawn_items(count: int, modality: Optional[str] = None) -> List[Labelled]:
    """Held-out phantoms: seeds no training pool reaches. At most 6 masks of each, drawn at random."""
    items = []
    for i in range(count):
        phantom = phantoms.draw(FIRST_HELD_OUT_SEED + i, modality)
        chosen = np.random.default_rng(i).permutation(len(phantom.masks))[:6]
        masks = np.stack([phantom.masks[k] for k in chosen])
        items.append(
            Labelled(phantom.modality, phantom.modality, f"phantom-{i}", phantom.image, masks, [phantom.names[k] for k in chosen])
        )
    return items


class Fit:
    """Original pixels to the model's square and back: centred padding where both sides are smaller, else resizing."""

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

    def square(self, mask: np.ndarray) -> np.ndarray:
        """bool [H, W] -> bool [S, S], as the image goes."""
        height, width = self.size
        if not self.pad:
            return mask[np.arange(S) * height // S][:, np.arange(S) * width // S]
        return np.pad(mask, ((self.top, S - height - self.top), (self.left, S - width - self.left)))

    def original(self, x: float, y: float) -> Tuple[float, float]:
        """Model pixels -> original pixels."""
        height, width = self.size
        return (x - self.left, y - self.top) if self.pad else (x * width / S, y * height / S)

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


def boundary_f(found: np.ndarray, truth: np.ndarray) -> float:
    """F-score of border pixels within TOLERANCE of the image's diagonal of each other's."""
    reach = max(1.0, TOLERANCE * float(np.hypot(*truth.shape)))
    borders = [mask & ~ndimage.binary_erosion(mask, border_value=1) for mask in (found, truth)]
    if not borders[0].any() or not borders[1].any():
        return float(borders[0].any() == borders[1].any())
    near = [ndimage.distance_transform_edt(~border) <= reach for border in borders]
    precision = float(near[1][borders[0]].mean())
    recall = float(near[0][borders[1]].mean())
    return 2 * precision * recall / max(precision + recall, EPSILON)


def parts_of(mask: np.ndarray) -> int:
    return int(ndimage.label(mask, np.ones((3, 3)))[1])


def pick(mask: np.ndarray, random: Random) -> Tuple[int, int]:
    """(x, y) of a random pixel of the mask."""
    pixels = np.flatnonzero(mask)
    pixel = int(pixels[random.below(len(pixels))])
    return pixel % mask.shape[1], pixel // mask.shape[1]


def correction(found: np.ndarray, truth: np.ndarray, random: Random) -> Tuple[int, int, int]:
    """(x, y, label) where the mask so far is wrong; anywhere, with label -1, where it is not."""
    wrong = found != truth
    if not wrong.any():
        pixel = random.below(wrong.size)
        return pixel % S, pixel // S, -1
    x, y = pick(wrong, random)
    return x, y, int(truth[y, x])


@torch.no_grad()
def score_items(model: SamMed2D, items: Sequence[Labelled], seed: int = 0, keep: bool = False, three: str = "ambiguous") -> List[Row]:
    """Runs every prompt kind on every mask. Points depend on the seed and on what the model got wrong.

    The answer is the best of three masks, `always` or where the prompt is `ambiguous`, one point alone; else the single mask.
    """
    parameter = next(model.parameters())
    rows: List[Row] = []
    for item in items:
        fit = Fit(*item.image.shape[:2])
        embedding = model.encode(fit.image(item.image).to(parameter.device, parameter.dtype))

        def answer(**prompt: Tensor) -> Tensor:
            multimask = three == "always" or not ("boxes" in prompt or "mask_input" in prompt)
            logits, scores = model.decode(embedding, multimask=multimask, **{k: v.to(parameter.device) for k, v in prompt.items()})
            return logits[0, int(scores[0].float().argmax())].float()

        for index, mask in enumerate(item.masks):
            square = fit.square(mask)
            if not square.any():
                raise SystemExit(f"evaluate: {item.name}: {item.names[index]} vanishes at {S}x{S}")
            random = Random(seed, item.files[index] if item.files else f"{item.name}-{index}")
            row = Row(item.name, item.modality, item.names[index], int(mask.sum()))
            row.true_parts, row.share = parts_of(mask), float(mask.mean())

            def note(kind: str, logits: Tensor) -> None:
                found = fit.mask(logits)
                row.dice[kind], row.iou[kind] = overlap(found, mask)
                row.boundary[kind], row.parts[kind] = boundary_f(found, mask), parts_of(found)
                if keep:
                    row.masks[kind] = found

            box = largest_box(square)
            row.box = (*fit.original(*box[:2]), *fit.original(*box[2:]))
            note("box", answer(boxes=torch.tensor([box]).float()))
            points = [(*pick(square, random), 1)]
            logits = None
            for count in range(1, 6):
                given = torch.tensor(points)[None]
                prompt = {"points": given[..., :2].float(), "labels": given[..., 2]}
                if logits is not None:
                    prompt["mask_input"] = logits.sigmoid()[None, None].to(parameter.dtype)
                logits = answer(**prompt)
                if str(count) in PROMPTS:
                    note(str(count), logits)
                large = F.interpolate(logits[None, None], (S, S), mode="bilinear", align_corners=False)[0, 0]
                points.append(correction((large > 0).cpu().numpy(), square, random))
            row.points = [(*fit.original(x, y), label) for x, y, label in points[:5]]
            rows.append(row)
    return rows


def baselines(rows: Sequence[Row], items: Sequence[Labelled]) -> Dict[str, List[float]]:
    """Dice of the ellipse drawn in the box, and of the one disc radius that is best on these very masks and points."""
    ellipse, discs, firsts = [], [], iter(row.points[0] for row in rows)
    radii = np.arange(2, 120, 2)  # in model pixels
    for item in items:
        height, width = item.image.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        unit = 1.0 if height < S and width < S else (height * width) ** 0.5 / S
        for mask in item.masks:
            x0, y0, x1, y1 = largest_box(mask)
            inside = ((x + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)) ** 2 + (
                (y + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)
            ) ** 2 <= 1
            ellipse.append(overlap(inside, mask)[0])
            px, py, _ = next(firsts)
            distance = np.hypot(x - px, y - py) / unit
            sizes, order = mask.sum(), np.argsort(distance.ravel())
            hits, at = np.cumsum(mask.ravel()[order]), np.searchsorted(distance.ravel()[order], radii, side="right")
            discs.append(2 * hits[np.maximum(at - 1, 0)] / (at + sizes))
    best = int(np.mean(discs, axis=0).argmax())
    return {"ellipse": ellipse, "disc": [float(d[best]) for d in discs], "radius": [float(radii[best])]}


def summary(rows: Sequence[Row], items: Sequence[Labelled]) -> Dict[str, object]:
    """Means over all masks, by modality and by size, beside the baselines."""
    naive = baselines(rows, items)
    kinds: Dict[str, List[int]] = {"all": list(range(len(rows)))}
    for i, row in enumerate(rows):
        kinds.setdefault(row.modality, []).append(i)
    for size, low, high in SIZES:
        chosen = [i for i, row in enumerate(rows) if low <= row.share < high]
        if chosen:
            kinds[size] = chosen
    out: Dict[str, object] = {"disc_radius": naive["radius"][0]}
    for kind, chosen in kinds.items():
        entry: Dict[str, object] = {"masks": len(chosen), "images": len({(rows[i].modality, rows[i].name) for i in chosen})}
        for p in PROMPTS:
            entry[p] = {
                "dice": round(float(np.mean([rows[i].dice[p] for i in chosen])), 4),
                "iou": round(float(np.mean([rows[i].iou[p] for i in chosen])), 4),
                "boundary_f": round(float(np.mean([rows[i].boundary[p] for i in chosen])), 4),
                "parts": round(float(np.mean([rows[i].parts[p] for i in chosen])), 2),
            }
        entry["true_parts"] = round(float(np.mean([rows[i].true_parts for i in chosen])), 2)
        entry["ellipse_in_box"] = round(float(np.mean([naive["ellipse"][i] for i in chosen])), 4)
        entry["best_disc"] = round(float(np.mean([naive["disc"][i] for i in chosen])), 4)
        out[kind] = entry
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, nargs="+", required=True, help="folders of real images: mini, train2")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--part", nargs="+", default=["held_out", "never_seen"], choices=["held_out", "never_seen", "train", "validation"])
    parser.add_argument("--phantoms", type=int, default=16, help="of each modality")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--three", default="ambiguous", choices=["ambiguous", "always"], help="when the best of three masks is the answer")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    quicken()
    model = shaped({k: v.float() for k, v in load_safetensors(options.weights).items()})
    sets = {part: load_real(options.real, part) for part in options.part}
    sets["phantoms"] = [item for kind in phantoms.MODALITIES for item in drawn_items(options.phantoms, kind)]
    figures = {}
    for name, items in sets.items():
        if not items:
            continue
        figures[name] = summary(score_items(model, items, options.seed, three=options.three), items)
        print(name, flush=True)
        for kind, entry in figures[name].items():
            if isinstance(entry, dict):
                dice = "  ".join(f"{p} {entry[p]['dice']:.3f}" for p in PROMPTS)
                border = "  ".join(f"{entry[p]['boundary_f']:.3f}/{entry[p]['parts']:.1f}" for p in ("box", "1"))
                naive = f"ellipse {entry['ellipse_in_box']:.3f}  disc {entry['best_disc']:.3f}"
                print(f"  {kind:12s} {entry['masks']:4d} masks  {dice}  border/parts {border}  {naive}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
