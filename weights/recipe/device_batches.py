"""Training batches made on the GPU itself: images, masks and augmentation never leave it.

A GPU asks for thousands of images a second, more than any number of loader processes warp. Here every image of any
size lies in one flat buffer of pixels, every mask in one flat buffer of bits, and a batch is gathered from both.
What is done to an image is what `dataset.augment` does, and some more, since each real image comes up hundreds of times.
Letters: as in dataset.py; K mask slots an image, P = B * K.
"""
from __future__ import annotations

import math
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dataset import NO_WAY_UP, PAD_COLOUR, SOURCE_POWER, UPRIGHT, Labelled, S

NODES = 5  # a side of the grid that bends an image
PIXELS, MASKS = S * S, 24  # room for a phantom: pixels, and masks on average
SMALLEST = 40  # pixels of a mask that is still asked for


class Store:
    """Images [n, 3] and masks (bits, each mask from a whole byte on) in two flat buffers with room for `pixels` and `bytes_`."""

    def __init__(self, pixels: int, bytes_: int, device: str) -> None:
        self.pixels = torch.empty((pixels, 3), dtype=torch.uint8, device=device)
        self.bits = torch.empty(bytes_, dtype=torch.uint8, device=device)
        self.free_pixel = self.free_byte = 0
        self.images: List[Tuple[int, int, int, str, bool]] = []  # first pixel, height, width, modality, coloured
        self.masks: List[np.ndarray] = []  # of each image: first byte of each mask

    def add(self, image: np.ndarray, bits: Sequence[np.ndarray], modality: str) -> bool:
        """image uint8 [H, W, 3] RGB, bits packed row by row, one array a mask -> whether there was room."""
        height, width = image.shape[:2]
        lengths = [len(b) for b in bits]
        if self.free_pixel + height * width > len(self.pixels) or self.free_byte + sum(lengths) > len(self.bits):
            return False
        self.pixels[self.free_pixel : self.free_pixel + height * width] = torch.from_numpy(np.array(image)).view(-1, 3).to(self.pixels.device)
        self.bits[self.free_byte : self.free_byte + sum(lengths)] = torch.from_numpy(np.concatenate(bits)).to(self.bits.device)
        coloured = bool((image[::16, ::16, 0] != image[::16, ::16, 2]).any())
        self.images.append((self.free_pixel, height, width, modality, coloured))
        self.masks.append(self.free_byte + np.cumsum([0, *lengths[:-1]]))
        self.free_pixel += height * width
        self.free_byte += sum(lengths)
        return True


class DeviceBatches:
    """Endless batches of the kind `dataset.Batches` makes, on `device`; `room` phantoms at most are held."""

    def __init__(
        self, real_images: Sequence[Labelled], pool: Path, batch: int, prompts: int, real: float, seed: int, device: str, room: int
    ) -> None:
        self.pool, self.batch, self.prompts, self.real, self.device = pool, batch, prompts, real, device
        pixels = sum(item.image.shape[0] * item.image.shape[1] for item in real_images)
        bytes_ = sum(len(item.masks) * (item.image.shape[0] * item.image.shape[1] // 8 + 1) for item in real_images)
        self.store = Store(pixels + room * PIXELS, bytes_ + room * MASKS * (PIXELS // 8), device)
        by_source: Dict[str, List[int]] = {}
        for i, item in enumerate(real_images):
            by_source.setdefault(item.source, []).append(i)
            self.store.add(item.image, [np.packbits(mask.ravel()) for mask in item.masks], item.modality)
        self.sources = [np.array(by_source[source]) for source in sorted(by_source)]
        shares = np.array([len(group) ** SOURCE_POWER for group in self.sources])
        self.shares = shares / shares.sum()
        self.first_phantom, self.seen, self.count = len(real_images), set(), 0
        self.rng = np.random.default_rng(seed)
        self.random = torch.Generator(device=device).manual_seed(seed)
        self.taps = torch.linspace(-4, 4, 9, device=device).square()
        self.stream = torch.cuda.Stream(device, priority=-1) if device != "cpu" else None
        if self.stream:
            self.stream.wait_stream(torch.cuda.current_stream())

    def refresh(self, most: int = 1) -> None:
        """Takes up to `most` shards that were drawn since."""
        fresh = [path for path in sorted(self.pool.glob("shard_*.npz")) if path.name not in self.seen][:most]
        for path in fresh:
            self.seen.add(path.name)
            with np.load(path) as shard:
                images, bits, owners, kinds = shard["images"], shard["bits"], shard["owners"], shard["kinds"]
            for i in range(len(images)):
                if not self.store.add(images[i], list(bits[owners == i]), str(kinds[i])):
                    return

    def __iter__(self) -> "DeviceBatches":
        return self

    def __next__(self) -> Dict[str, Tensor]:
        """Made beside what the device still has to do on the stream of the caller, which is then told to wait for it."""
        with torch.cuda.stream(self.stream):
            if self.count % 10 == 0:
                self.refresh()
            self.count += 1
            batch = self.one(self.choose())
        if self.stream:
            using = torch.cuda.current_stream()
            using.wait_stream(self.stream)
            for value in batch.values():
                value.record_stream(using)
        return batch

    def choose(self) -> np.ndarray:
        """Indices of B images."""
        phantoms = len(self.store.images) - self.first_phantom
        chosen = np.empty(self.batch, int)
        for b in range(self.batch):
            if phantoms and self.rng.random() >= self.real:
                chosen[b] = self.first_phantom + self.rng.integers(phantoms)
            else:
                group = self.sources[int(self.rng.choice(len(self.sources), p=self.shares))]
                chosen[b] = group[self.rng.integers(len(group))]
        return chosen

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random, device=self.device)

    def warp(self, modalities: Sequence[str]) -> Tensor:
        """Where each output pixel comes from, as shares of width and height: [B, 2, S, S]. See dataset.warp_mesh."""
        b, rng = len(modalities), self.rng
        upright = np.array([m in UPRIGHT for m in modalities])
        any_way = np.array([m in NO_WAY_UP for m in modalities]) | (rng.random(b) < 0.12)
        turn = rng.normal(size=b) * np.where(upright, 0.15, 0.35) + any_way * rng.integers(4, size=b) * np.pi / 2
        zoom = np.exp(rng.uniform(-0.7, 0.3, b))
        stretch, shear = np.exp(rng.normal(size=b) * 0.15), rng.normal(size=b) * 0.1
        mirror = np.where(rng.random(b) < 0.5, -1, 1)
        flip = np.where(rng.random(b) < np.where(upright, 0.1, 0.4), -1, 1)
        shift = rng.uniform(-0.5, 0.5, (2, b)) * (np.abs(1 - zoom) + 0.1)
        bend = (rng.random(b) < 0.6) * rng.uniform(0, 0.035, b) * zoom
        y, x = np.meshgrid(np.linspace(-0.5, 0.5, NODES), np.linspace(-0.5, 0.5, NODES), indexing="ij")

        def each(v: np.ndarray) -> np.ndarray:
            return v[:, None, None]

        x, y = x * each(stretch * mirror), y / each(stretch) * each(flip)
        x = x + each(shear) * y
        c, s = each(np.cos(turn)), each(np.sin(turn))
        across = each(zoom) * (c * x - s * y) + each(shift[0]) + 0.5 + rng.normal(size=x.shape) * each(bend)
        down = each(zoom) * (s * x + c * y) + each(shift[1]) + 0.5 + rng.normal(size=y.shape) * each(bend)
        nodes = torch.from_numpy(np.stack([across, down], 1).astype(np.float32)).to(self.device)
        # Every second of 2 S + 1 places from edge to edge is the centre of a pixel.
        return F.interpolate(nodes, (2 * S + 1, 2 * S + 1), mode="bicubic", align_corners=True)[:, :, 1::2, 1::2]

    def gather(self, first: Tensor, height: Tensor, width: Tensor, at: Tensor) -> Tuple[Tensor, Tensor]:
        """Pixels float32 [B, 3, S, S], RGB, nearest ones for some images and bilinear for the others; bool [B, 1, S, S] inside."""
        inside = ((at >= 0) & (at < 1)).all(dim=1, keepdim=True)
        x, y = at[:, 0] * width - 0.5, at[:, 1] * height - 0.5
        x0, y0 = x.floor(), y.floor()
        nearest = (self.uniform(len(at)) < 0.4)[:, None, None]
        tx, ty = (torch.where(nearest, (t > 0.5).float(), t) for t in (x - x0, y - y0))
        total = 0.0
        for dy, dx, weight in ((0, 0, (1 - ty) * (1 - tx)), (0, 1, (1 - ty) * tx), (1, 0, ty * (1 - tx)), (1, 1, ty * tx)):
            column = (x0 + dx).clamp_min(0).minimum(width - 1).long()
            row = (y0 + dy).clamp_min(0).minimum(height - 1).long()
            total = total + self.store.pixels[first + row * width.long() + column].float() * weight[..., None]
        return total.permute(0, 3, 1, 2), inside

    def blur(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Gaussian of each image's own sigma [B], in pixels."""
        taps = torch.exp(-self.taps / (2 * sigma[:, None].square()))
        taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)
        b = len(x)
        flat = F.pad(x.reshape(1, 3 * b, S, S), (4, 4, 4, 4), mode="replicate")
        flat = F.conv2d(flat, taps[:, None, None, :], groups=3 * b)
        return F.conv2d(flat, taps[:, None, :, None], groups=3 * b).view(b, 3, S, S)

    def tone(self, x: Tensor, coloured: Tensor) -> Tensor:
        """dataset.tone, and a field of uneven brightness, speckle and lost resolution: [B, 3, S, S], 0..255."""
        b = len(x)

        def some(share: float) -> Tensor:
            return self.uniform(b, 1, 1, 1) < share

        tinted = (coloured & (self.uniform(b) < 0.8)).view(b, 1, 1, 1)
        gamma = torch.exp(0.3 * self.normal(b, 1, 1, 1) + tinted * 0.1 * self.normal(b, 3, 1, 1))
        gain = torch.exp(0.2 * self.normal(b, 1, 1, 1) + tinted * 0.08 * self.normal(b, 3, 1, 1))
        x = ((x / 255).clamp(1e-4, 1) ** gamma - 0.5) * gain + 0.5 + 0.06 * self.normal(b, 1, 1, 1)
        field = F.interpolate(self.normal(b, 1, 4, 4), (S, S), mode="bicubic", align_corners=True)
        x = torch.where(some(0.25), x * torch.exp(0.2 * field), x)
        x = torch.where(some(0.1), x * (1 + 0.3 * self.uniform(b, 1, 1, 1) * self.normal(b, 1, S, S)), x)
        x = x.clamp(0, 1)
        x = torch.where(some(0.05), 1 - x, x)
        x = torch.where(some(0.1) & coloured.view(b, 1, 1, 1), x.mean(dim=1, keepdim=True), x)
        coarse = F.interpolate(F.interpolate(x, scale_factor=0.5, mode="area"), (S, S), mode="bilinear", align_corners=False)
        x = torch.where(some(0.1), coarse, x)
        x = torch.where(some(0.25), self.blur(x, 0.4 + 1.2 * self.uniform(b)), x)
        x = torch.where(some(0.3), x + (1 + 13 * self.uniform(b, 1, 1, 1)) / 255 * self.normal(b, 1, S, S), x)
        return 255 * x.clamp(0, 1)

    def slots(self, chosen: np.ndarray) -> Tuple[Tensor, Tensor]:
        """First byte of K masks of each image, all different while there are enough, and their numbers: [B, K] each."""
        bytes_, numbers = np.empty((2, len(chosen), self.prompts), np.int64)
        for b, i in enumerate(chosen):
            masks = self.store.masks[i]
            order = self.rng.permutation(len(masks))
            numbers[b] = np.resize(order, self.prompts)
            bytes_[b] = masks[numbers[b].astype(int)]
        return torch.from_numpy(bytes_.astype(np.int64)).to(self.device), torch.from_numpy(numbers.astype(np.int64)).to(self.device)

    def one(self, chosen: np.ndarray) -> Dict[str, Tensor]:
        about = [self.store.images[i] for i in chosen]
        first = torch.tensor([a[0] for a in about], device=self.device).view(-1, 1, 1)
        height, width = (torch.tensor([float(a[i]) for a in about], device=self.device).view(-1, 1, 1) for i in (1, 2))
        at = self.warp([a[3] for a in about])
        x, inside = self.gather(first, height, width, at)
        x = self.tone(x, torch.tensor([a[4] for a in about], device=self.device))
        padded = (self.uniform(len(about)) < 0.25).view(-1, 1, 1, 1)
        edge = torch.tensor(PAD_COLOUR, dtype=torch.float32, device=self.device).view(1, 3, 1, 1) * padded
        images = torch.where(inside, x, edge).flip(1).round()

        bytes_, numbers = self.slots(chosen)
        row, column = ((v * n).long().clamp_min(0).minimum(n.long() - 1) for v, n in ((at[:, 1], height), (at[:, 0], width)))
        bit = row * width.long() + column  # [B, S, S]
        octets = self.store.bits[bytes_[:, :, None, None] + (bit >> 3)[:, None]]
        masks = (octets >> (7 - (bit & 7))[:, None].to(torch.uint8)) & 1 & inside.to(torch.uint8)  # [B, K, S, S]
        areas = masks.sum(dim=(2, 3), dtype=torch.int64)

        whole = (areas >= SMALLEST).view(-1).nonzero()[:, 0]
        wanted = len(chosen) * self.prompts
        whole = whole[torch.randperm(len(whole), generator=self.random, device=self.device)]
        picks = whole.repeat(-(-wanted // len(whole)))[:wanted].sort().values
        owner = picks // self.prompts
        picked = masks.view(-1, S, S)[picks]
        pixel = (self.uniform(wanted, S * S) * picked.view(wanted, -1)).argmax(dim=1)
        px, py = pixel % S, pixel // S
        columns, rows = picked.amax(dim=1), picked.amax(dim=2)  # [P, S]
        low = [v.float().argmax(dim=1) for v in (columns, rows)]
        high = [S - v.flip(1).float().argmax(dim=1) for v in (columns, rows)]

        # Other masks of the image that the point lies in: the smallest and the largest.
        around = (masks[owner, :, py, px] > 0) & (numbers[owner] != numbers.view(-1)[picks][:, None])  # [P, K]
        sizes = areas[owner].float()
        small = torch.where(around, sizes, math.inf).argmin(dim=1)
        large = torch.where(around, sizes, -math.inf).argmax(dim=1)
        any_, two = around.any(dim=1), numbers[owner, small] != numbers[owner, large]
        others = torch.stack(
            [masks[owner, small] * any_[:, None, None], masks[owner, large] * (any_ & two)[:, None, None]], dim=1
        )
        return {
            "images": images,
            "masks": picked,
            "owner": owner,
            "boxes": torch.stack([*low, *high], dim=1).float(),
            "points": torch.stack([px, py], dim=1).float(),
            "others": others,
        }
