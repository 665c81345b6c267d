"""Images with masks for training: real ones through strong augmentation, phantoms from a pool drawn ahead.

Letters: S is the model's image side, B images of a batch, P prompts of a batch (several for an image).

    python dataset.py --pool POOL --first 0 --last 64        draws shards 0..63 of the pool, skips those there
"""
from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.utils.data import IterableDataset

import phantoms

S = 256
SHARD = 64  # phantoms a file
FIRST_HELD_OUT_SEED = 1_000_000_000  # phantoms from here on are for evaluation only
# Colour of the border that "pad" fitting leaves: zero after normalising BGR pixels, here written as RGB.
PAD_COLOUR = (104, 116, 124)
# How modalities lie: as the device has it, or any way up.
UPRIGHT = ("us", "xray", "mammogram")
NO_WAY_UP = ("dermoscopy", "microscopy", "histology", "fundus", "endoscopy", "abstract")
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)
# A source of n training images is taken as often as n to this power: one with 300 images does not drown one with 10.
SOURCE_POWER = 0.5


@dataclass
class Labelled:
    """An image and its masks, at any size."""

    modality: str
    source: str  # modality--source, as the files are named
    name: str
    image: np.ndarray  # uint8 [H, W, 3], RGB
    masks: np.ndarray  # bool [M, H, W]
    names: List[str]
    files: Sequence[str] = ()  # the masks' file names, where they have any


def load_real(roots: Sequence[Path], part: str) -> List[Labelled]:
    """The "train", "held_out" or "never_seen" part of the sets below `roots`, as split.json has it.

    "validation" is every eighth case that each source has for training: what is chosen without training is chosen by them.
    """
    split = json.loads(Path(__file__).with_name("split.json").read_text())
    labels: Dict[str, Tuple[Path, str, List[str]]] = {}
    for root in roots:
        for image, files in json.loads((root / "image2label_train.json").read_text()).items():
            labels[Path(image).stem] = (root, image, files)
    items = []
    for source in sorted(split):
        cases = split[source]["train"][7::8] if part == "validation" else split[source].get(part, [])
        for name in (name for case in cases for name in case if name in labels):
            root, path, files = labels[name]
            image = np.asarray(Image.open(root / path).convert("RGB"))
            masks = np.stack([np.asarray(Image.open(root / f).convert("L")) > 0 for f in files])
            structures = [Path(f).stem.rsplit("--", 1)[1].rsplit("_", 1)[0] for f in files]
            items.append(
                Labelled(source.split("--")[0], source, name, image, masks, structures, [Path(f).name for f in files])
            )
    return items


def draw_shard(job: Tuple[str, int]) -> int:
    """Draws phantoms shard*SHARD … and writes them as one file: images [n, S, S, 3], mask bits [m, S*S/8], owner [m]."""
    folder, shard = job
    path = Path(folder) / f"shard_{shard:05d}.npz"
    if path.exists():
        return shard
    images, bits, owners, kinds = [], [], [], []
    for i in range(SHARD):
        phantom = phantoms.draw(shard * SHARD + i)
        images.append(phantom.image)
        kinds.append(phantom.modality)
        for mask in phantom.masks:
            bits.append(np.packbits(mask.ravel()))
            owners.append(i)
    partial = path.with_suffix(".part")
    with open(partial, "wb") as file:
        np.savez(
            file, images=np.stack(images), bits=np.stack(bits), owners=np.array(owners, np.int32), kinds=np.array(kinds)
        )
    os.replace(partial, path)
    return shard


class PhantomPool:
    """All shards found in a folder; `refresh` picks up those drawn since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: Dict[str, bool] = {}
        self.items: List[Tuple[str, np.ndarray, np.ndarray]] = []  # modality, image [S, S, 3], bits [m, S*S/8]

    def refresh(self) -> None:
        for path in sorted(self.folder.glob("shard_*.npz")):
            if path.name in self.seen:
                continue
            self.seen[path.name] = True
            with np.load(path) as shard:
                images, bits, owners, kinds = shard["images"], shard["bits"], shard["owners"], shard["kinds"]
            for i in range(len(images)):
                self.items.append((str(kinds[i]), images[i], bits[owners == i]))

    def take(self, rng: np.random.Generator, most: int) -> Labelled:
        """A random phantom with at most `most` of its masks, unpacked."""
        kind, image, bits = self.items[int(rng.integers(len(self.items)))]
        chosen = rng.permutation(len(bits))[:most]
        masks = np.unpackbits(bits[chosen], axis=1).reshape(-1, S, S).astype(bool)
        return Labelled(kind, kind, "", image, masks, [""] * len(masks))


def warp_mesh(rng: np.random.Generator, width: int, height: int, modality: str) -> list:
    """PIL mesh that maps the S x S output onto a width x height source: affine plus a smooth random bend."""
    turn = rng.normal() * (0.15 if modality in UPRIGHT else 0.35)
    if modality in NO_WAY_UP or rng.random() < 0.12:
        turn += rng.integers(4) * np.pi / 2
    # Below 1 the source is enlarged. Skewed to enlargement, where small structures become learnable.
    zoom = np.exp(rng.uniform(-0.7, 0.3))
    stretch = np.exp(rng.normal() * 0.15)
    mirror = -1 if rng.random() < 0.5 else 1
    flip = -1 if rng.random() < (0.1 if modality in UPRIGHT else 0.4) else 1
    shift = rng.uniform(-0.5, 0.5, 2) * np.array([abs(1 - zoom) + 0.1, abs(1 - zoom) + 0.1])
    nodes = 5
    axis = np.linspace(-0.5, 0.5, nodes)
    x, y = np.meshgrid(axis, axis)
    shear = rng.normal() * 0.1
    x, y = x * stretch * mirror, y / stretch * flip
    x = x + shear * y
    c, s = np.cos(turn), np.sin(turn)
    x, y = zoom * (c * x - s * y) + shift[0] + 0.5, zoom * (s * x + c * y) + shift[1] + 0.5
    if rng.random() < 0.6:
        bend = rng.uniform(0, 0.035) * zoom
        x, y = x + rng.normal(size=x.shape) * bend, y + rng.normal(size=y.shape) * bend
    x, y = x * width, y * height
    mesh, step = [], S // (nodes - 1)
    for row in range(nodes - 1):
        for column in range(nodes - 1):
            corners = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
            quad = tuple(float(v) for r, k in corners for v in (x[r, k], y[r, k]))
            mesh.append(((column * step, row * step, (column + 1) * step, (row + 1) * step), quad))
    return mesh


def tone(rng: np.random.Generator, image: Image.Image, colour: bool) -> Image.Image:
    """Random gamma, contrast, inversion, tint, blur and noise on an RGB image."""
    ramp = np.arange(256) / 255.0
    tables = []
    gamma, gain, lift = np.exp(rng.normal() * 0.3), np.exp(rng.normal() * 0.2), rng.normal() * 0.06
    negative = rng.random() < 0.05
    for _ in range(3):
        if colour and tables and rng.random() < 0.8:
            gamma, gain = gamma * np.exp(rng.normal() * 0.1), gain * np.exp(rng.normal() * 0.08)
        elif tables:
            tables.append(tables[0])
            continue
        bent = np.clip((ramp**gamma - 0.5) * gain + 0.5 + lift, 0, 1)
        tables.append((255 * (1 - bent if negative else bent)).astype(np.uint8))
    image = image.point(np.concatenate(tables).tolist())
    if colour and rng.random() < 0.1:
        image = image.convert("L").convert("RGB")
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.6))))
    if rng.random() < 0.3:
        level = rng.uniform(1, 14)
        pixels = np.asarray(image).astype(np.int16)
        pixels += (rng.standard_normal((S, S, 1), dtype=np.float32) * level).astype(np.int16)
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return image


def augment(rng: np.random.Generator, item: Labelled, most: int, smallest: int = 40) -> Tuple[np.ndarray, np.ndarray]:
    """-> image uint8 [S, S, 3] RGB, masks bool [M, S, S] with at least `smallest` pixels each; M may be 0."""
    height, width = item.image.shape[:2]
    mesh = warp_mesh(rng, width, height, item.modality)
    edge = PAD_COLOUR if rng.random() < 0.25 else (0, 0, 0)
    fit = Image.NEAREST if rng.random() < 0.4 else Image.BILINEAR
    picture = Image.fromarray(item.image)
    image = picture.transform((S, S), Image.MESH, mesh, fit)
    cover = Image.new("L", (width, height), 255).transform((S, S), Image.MESH, mesh, Image.NEAREST)
    colour = bool((item.image[::16, ::16, 0] != item.image[::16, ::16, 2]).any())
    image = tone(rng, image, colour)
    image = Image.composite(image, Image.new("RGB", (S, S), edge), cover)
    masks = []
    for i in rng.permutation(len(item.masks))[:most]:
        layer = Image.fromarray(item.masks[i].astype(np.uint8) * 255).transform((S, S), Image.MESH, mesh, Image.NEAREST)
        mask = np.asarray(layer) > 127
        if mask.sum() >= smallest:
            masks.append(mask)
    return np.asarray(image), np.stack(masks) if masks else np.zeros((0, S, S), bool)


def box_of(mask: np.ndarray) -> Tuple[int, int, int, int]:
    """Bounding box (x0, y0, x1, y1), half-open."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


class Batches(IterableDataset):
    """Endless batches, made in loader processes.

    images uint8 [B, 3, S, S] (BGR), masks uint8 [P, S, S], owner int64 [P], boxes float32 [P, 4] (x0, y0, x1, y1)
    without jitter, points float32 [P, 2]: a random pixel (x, y) of each mask, others uint8 [P, 2, S, S]: the smallest
    and the largest other mask of the image that the point lies in, zero where there is none. P = B * prompts always.
    """

    def __init__(self, real_images: Sequence[Labelled], pool: Path, batch: int, prompts: int, real: float, seed: int) -> None:
        self.real_images, self.pool, self.batch, self.prompts, self.real, self.seed = (
            list(real_images),
            pool,
            batch,
            prompts,
            real,
            seed,
        )

    def __iter__(self) -> Iterator[Dict[str, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        pool = PhantomPool(self.pool)
        by_source: Dict[str, List[Labelled]] = {}
        for item in self.real_images:
            by_source.setdefault(item.source, []).append(item)
        sources = sorted(by_source)
        shares = np.array([len(by_source[s]) ** SOURCE_POWER for s in sources])
        count = 0
        while True:
            if count % 200 == 0:
                pool.refresh()
            count += 1
            yield self.one(rng, pool, by_source, sources, shares / shares.sum())

    def one(
        self,
        rng: np.random.Generator,
        pool: PhantomPool,
        by_source: Dict[str, List[Labelled]],
        sources: List[str],
        shares: np.ndarray,
    ) -> Dict[str, torch.Tensor]:
        images: List[np.ndarray] = []
        found: List[np.ndarray] = []
        while len(images) < self.batch:
            if pool.items and (not sources or rng.random() >= self.real):
                item = pool.take(rng, 2 * self.prompts)
            else:
                group = by_source[sources[int(rng.choice(len(sources), p=shares))]]
                item = group[int(rng.integers(len(group)))]
            image, masks = augment(rng, item, 2 * self.prompts)
            if len(masks):
                images.append(image)
                found.append(masks)
        # An image with few masks gives each at most twice (with other prompts); the others fill up.
        wanted = self.batch * self.prompts
        picks = [(i, m) for i, masks in enumerate(found) for m in range(min(len(masks), self.prompts))]
        spare = [(i, m) for i, masks in enumerate(found) for m in range(len(masks))]
        while len(picks) < wanted:
            extra = [spare[k] for k in rng.permutation(len(spare))]
            picks += extra[: wanted - len(picks)]
        picks = sorted(picks[:wanted])
        masks = np.stack([found[i][m] for i, m in picks])
        points, others = np.empty((wanted, 2), np.float32), np.zeros((wanted, 2, S, S), np.uint8)
        for p, (i, m) in enumerate(picks):
            pixels = np.flatnonzero(masks[p])
            y, x = divmod(int(pixels[rng.integers(len(pixels))]), S)
            points[p] = x, y
            around = sorted((k for k in range(len(found[i])) if k != m and found[i][k][y, x]), key=lambda k: found[i][k].sum())
            for slot, k in enumerate(dict.fromkeys(around[:1] + around[-1:])):
                others[p, slot] = found[i][k]
        stacked = np.stack(images)[..., ::-1].transpose(0, 3, 1, 2)
        return {
            "images": torch.from_numpy(np.ascontiguousarray(stacked)),
            "masks": torch.from_numpy(masks.astype(np.uint8)),
            "owner": torch.tensor([i for i, _ in picks]),
            "boxes": torch.tensor([box_of(mask) for mask in masks], dtype=torch.float32),
            "points": torch.from_numpy(points),
            "others": torch.from_numpy(others),
        }


@lru_cache(maxsize=None)
def constants(device: torch.device) -> Tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of a pixel, [1, 3, 1, 1] each, brought to a device once: a recorded step can't fetch them."""
    return torch.tensor(MEAN, device=device).view(1, 3, 1, 1), torch.tensor(STD, device=device).view(1, 3, 1, 1)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """uint8 [B, 3, S, S], BGR -> float32, the published constants applied unswapped."""
    mean, std = constants(images.device)
    return (images.float() - mean) / std


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the pool of phantoms.")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    options.pool.mkdir(parents=True, exist_ok=True)
    with Pool(options.jobs) as workers:
        for shard in workers.imap(draw_shard, [(str(options.pool), s) for s in range(options.first, options.last)]):
            print("shard", shard, flush=True)


if __name__ == "__main__":
    main()
