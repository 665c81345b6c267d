"""Drawing primitives for phantoms: smooth noise, closed outlines, tubes, and a scene that keeps exact masks.

Letters: S is the side of the square canvas in pixels. Coordinates are canvas pixels, (x, y).
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256
Point = Tuple[float, float]
Value = Union[float, np.ndarray]


@dataclass
class Phantom:
    """A drawn image with its exact masks."""

    modality: str
    image: np.ndarray  # uint8 [S, S, 3], RGB
    masks: List[np.ndarray]  # bool [S, S] each
    names: List[str]  # structure of each mask


def noise(rng: np.random.Generator, rows: int, columns: Optional[int] = None, side: int = SIDE) -> np.ndarray:
    """Smooth noise float32 [S, S], about unit variance, with `rows` x `columns` independent cells."""
    grid = rng.standard_normal((rows + 1, (columns or rows) + 1)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((side, side), Image.BICUBIC))


def fractal(
    rng: np.random.Generator, first: int = 3, octaves: int = 4, fall: float = 0.55, side: int = SIDE
) -> np.ndarray:
    """Sum of noises of doubling frequency and falling weight, float32 [S, S], about unit variance."""
    total = np.zeros((side, side), np.float32)
    power = 0.0
    for octave in range(octaves):
        weight = fall**octave
        total += weight * noise(rng, first * 2**octave, side=side)
        power += weight * weight
    return total / np.sqrt(power)


def ramp(rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """Linear ramp in a random direction, float32 [S, S], in about [-1, 1]."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    return (np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]).astype(np.float32)


def outline(
    rng: np.random.Generator,
    centre: Point,
    radii: Point,
    angle: float = 0.0,
    rough: float = 0.1,
    harmonics: int = 5,
    vertices: int = 96,
) -> List[Point]:
    """Closed star-shaped outline: an ellipse whose radius is bent by a few random harmonics."""
    turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = np.ones_like(turn)
    for k in range(2, 2 + harmonics):
        radius += rough * rng.normal() / (k - 1) * np.cos(k * turn + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.25, 2.0)
    x, y = radii[0] * radius * np.cos(turn), radii[1] * radius * np.sin(turn)
    c, s = np.cos(angle), np.sin(angle)
    return list(zip(centre[0] + c * x - s * y, centre[1] + s * x + c * y))


def fill(points: Sequence[Point], side: int = SIDE) -> np.ndarray:
    """Inside of a closed polygon as bool [S, S]."""
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in points], fill=255)
    return np.asarray(canvas) > 127


def blob(
    rng: np.random.Generator,
    centre: Point,
    radii: Point,
    angle: float = 0.0,
    rough: float = 0.1,
    harmonics: int = 5,
) -> np.ndarray:
    """Filled `outline` as bool [S, S]."""
    return fill(outline(rng, centre, radii, angle, rough, harmonics))


def curve(rng: np.random.Generator, start: Point, end: Point, bend: float = 0.2, vertices: int = 24) -> List[Point]:
    """Smooth open curve from start to end, displaced sideways by up to about `bend` of its length."""
    t = np.linspace(0, 1, vertices)
    dx, dy = end[0] - start[0], end[1] - start[1]
    side = sum(rng.normal() * bend / k * np.sin(np.pi * k * t) for k in (1, 2, 3)) * 0.6
    return list(zip(start[0] + dx * t - dy * side, start[1] + dy * t + dx * side))


def tube(points: Sequence[Point], width: float, side: int = SIDE) -> np.ndarray:
    """Thick line along an open curve with round ends, bool [S, S]."""
    canvas = Image.new("L", (side, side))
    draw = ImageDraw.Draw(canvas)
    thick = max(1, int(round(width)))
    draw.line([(float(x), float(y)) for x, y in points], fill=255, width=thick, joint="curve")
    if thick > 2:
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
    return np.asarray(canvas) > 127


def lines(strokes: Sequence[Tuple[Sequence[Point], float, float]], side: int = SIDE) -> np.ndarray:
    """Many open curves (points, width, brightness 0..1) on one layer, float32 [S, S]; later ones cover earlier ones."""
    canvas = Image.new("L", (side, side))
    draw = ImageDraw.Draw(canvas)
    for points, width, brightness in strokes:
        draw.line(
            [(float(x), float(y)) for x, y in points], fill=int(255 * brightness), width=max(1, int(round(width)))
        )
    return np.asarray(canvas, dtype=np.float32) / 255


def soften(mask: np.ndarray, sigma: float) -> np.ndarray:
    """Mask or layer in 0..1, blurred by a Gaussian of `sigma` pixels, float32 [S, S]."""
    layer = Image.fromarray((np.asarray(mask, np.float32) * 255).astype(np.uint8))
    if sigma > 0:
        layer = layer.filter(ImageFilter.GaussianBlur(float(sigma)))
    return np.asarray(layer, dtype=np.float32) / 255


def dilate(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Mask grown by a square of `pixels` on each side, bool [S, S]."""
    layer = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(layer.filter(ImageFilter.MaxFilter(2 * pixels + 1))) > 127


def erode(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Mask shrunk by a square of `pixels` on each side, bool [S, S]."""
    return ~dilate(~mask, pixels)


def inside(rng: np.random.Generator, mask: np.ndarray) -> Point:
    """A random pixel of the mask as (x, y)."""
    y, x = np.nonzero(mask)
    i = int(rng.integers(len(x)))
    return float(x[i]), float(y[i])


def grain(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """White noise softened a little, as reconstruction filters leave it: float32 [S, S], deviation about sigma."""
    raw = rng.standard_normal((SIDE, SIDE)).astype(np.float32)
    kind = rng.random()
    if kind < 0.5:
        raw = (raw + np.roll(raw, 1, 0) + np.roll(raw, 1, 1) + np.roll(np.roll(raw, 1, 0), 1, 1)) / 2
    return raw * sigma


def curve_through(points: List[Point], vertices: int = 24) -> List[Point]:
    """Quadratic-looking smooth path through a few control points, by repeated corner cutting."""
    path = [np.asarray(p, float) for p in points]
    while len(path) < vertices:
        cut = [path[0]]
        for a, b in zip(path, path[1:]):
            cut += [0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b]
        path = cut + [path[-1]]
    return [(float(x), float(y)) for x, y in path]


def blob_from(corners: List[Point]) -> np.ndarray:
    """Filled polygon with slightly rounded corners, bool [S, S]."""
    path = curve_through(corners + [corners[0]], 40)
    return fill(path)


@dataclass
class Scene:
    """A canvas in 0..1, gray [S, S] or colour [S, S, 3], and the named structures painted on it so far."""

    canvas: np.ndarray
    names: List[str] = field(default_factory=list)
    masks: List[np.ndarray] = field(default_factory=list)

    def paint(
        self,
        mask: np.ndarray,
        value: Value,
        blur: float = 0.7,
        name: Optional[str] = None,
        alpha: float = 1.0,
        cover: bool = False,
    ) -> None:
        """Blends `value` (number, RGB triple, or layer) over the canvas inside `mask`.

        A `name` records the mask as a structure. `cover` takes the mask away from the structures below it, as an
        opaque neighbour does; without it the new structure counts as a part of what it lies on.
        """
        weight = soften(mask, blur) * alpha
        if self.canvas.ndim == 3:
            weight = weight[..., None]
            if isinstance(value, np.ndarray) and value.ndim == 2:
                value = value[..., None]
        self.canvas = self.canvas * (1 - weight) + weight * value
        if cover:
            self.masks = [below & ~mask for below in self.masks]
        if name is not None:
            self.names.append(name)
            self.masks.append(mask)

    def finish(
        self, modality: str, rng: np.random.Generator, smallest: int = 24, clip: Optional[np.ndarray] = None
    ) -> Phantom:
        """Quantises to 8 bit; drops structures hidden down to fewer than `smallest` pixels or outside `clip`."""
        image = self.canvas
        if image.ndim == 2:
            image = np.repeat(image[..., None], 3, axis=2)
        pixels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
        masks, names = [], []
        for name, mask in zip(self.names, self.masks):
            seen = mask if clip is None else mask & clip
            if seen.sum() >= smallest:
                masks.append(seen)
                names.append(name)
        return Phantom(modality, pixels, masks, names)


def annotate(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Burns in what devices write on images: a few letters, a ruler, a marker box. uint8 [S, S, 3] in and out."""
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    side = image.shape[0]
    ink = tuple(int(v) for v in (rng.integers(150, 256, 3) if rng.random() < 0.7 else rng.integers(0, 60, 3)))
    if rng.random() < 0.6:
        letters = "".join(rng.choice(list("ABDEGHLMPRSTX0123456789 .:-"), rng.integers(2, 12)))
        draw.text(
            (int(rng.integers(0, side * 0.8)), int(rng.choice([2, side - 14, rng.integers(0, side)]))),
            letters,
            fill=ink,
        )
    if rng.random() < 0.5:
        x, y, length = int(rng.choice([4, side - 6])), int(rng.integers(10, 60)), int(rng.integers(80, side - 70))
        across = rng.random() < 0.5
        for step in range(0, length, int(rng.integers(5, 14))):
            tick = 5 if step % 5 == 0 else 3
            a, b = ((y + step, x), (y + step, x + tick)) if across else ((x, y + step), (x + tick, y + step))
            draw.line([a, b], fill=ink)
    if rng.random() < 0.15:
        x, y = (int(v) for v in rng.integers(0, side - 30, 2))
        draw.rectangle((x, y, x + int(rng.integers(4, 30)), y + int(rng.integers(4, 20))), fill=ink)
    return np.asarray(picture)
