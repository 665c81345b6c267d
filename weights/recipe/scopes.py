"""Phantoms of what is seen through an opening of the body: the eye's background, and the gut by endoscope."""
from __future__ import annotations

import numpy as np

from shapes import SIDE, Phantom, Point, Scene, blob, curve, fractal, grain, inside, noise, ramp, soften, tube

Generator = np.random.Generator
MIDDLE = SIDE / 2


def fundus(rng: Generator) -> Phantom:
    """A round orange field with disc and cup, two trees of vessels, the macula, exudates and bleedings."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    base = np.array([rng.uniform(0.55, 0.9), rng.uniform(0.22, 0.48), rng.uniform(0.06, 0.28)], np.float32)
    radius = rng.uniform(108, 150)
    far = np.hypot(columns - MIDDLE, rows - MIDDLE) / radius
    shade = 1.05 - rng.uniform(0.1, 0.45) * far**2 + 0.06 * fractal(rng, 4, 5) + 0.1 * ramp(rng)
    scene = Scene((base * shade[..., None]).astype(np.float32))
    side = -1 if rng.random() < 0.5 else 1
    disc_at = (MIDDLE + side * rng.uniform(20, 85), MIDDLE + rng.normal() * 10)
    r = rng.uniform(12, 26) if rng.random() < 0.8 else rng.uniform(30, 80)
    macula = soften(blob(rng, (disc_at[0] - side * r * rng.uniform(4, 6), disc_at[1] + 8), (r * 1.3, r * 1.3), 0, 0.05), r * 0.5)
    scene.canvas = scene.canvas * (1 - rng.uniform(0.1, 0.45) * macula[..., None])
    disc = blob(rng, disc_at, (r, r * rng.uniform(1, 1.15)), 0, 0.03)
    scene.paint(disc, (base + np.array([0.2, 0.28, 0.15])) * (1 + 0.05 * fractal(rng, 10, 3))[..., None], r * 0.08 + 0.5, name="disc")
    share = rng.uniform(0.3, 0.75)
    cup = blob(rng, (disc_at[0] - side * r * 0.1, disc_at[1]), (r * share, r * share * 1.1), 0, 0.05) & disc
    scene.paint(cup, base + np.array([0.25, 0.45, 0.4]), r * 0.1 + 0.5, name="cup", alpha=rng.uniform(0.4, 1))
    for up in (-1, 1):
        for turn in (-1, 1):
            for dark in (0.5, 0.72):
                grow(rng, scene, disc_at, np.arctan2(up, turn * rng.uniform(0.4, 1.6)), r * rng.uniform(0.12, 0.22), base * dark, 90)
    for _ in range(int(rng.integers(0, 5))):
        size, at = rng.uniform(3, 14), tuple(rng.uniform(40, 216, 2))
        bright = rng.random() < 0.5
        tone = np.array([0.95, 0.85, 0.45]) * rng.uniform(0.8, 1.05) if bright else base * rng.uniform(0.3, 0.6)
        spot = blob(rng, at, (size, size * rng.uniform(0.5, 1)), rng.uniform(0, 3), rng.uniform(0.1, 0.3), 7)
        scene.paint(spot, tone, rng.uniform(0.6, 2), name="exudate" if bright else "bleeding", cover=True)
    field = blob(rng, (MIDDLE, MIDDLE), (radius, radius), 0, 0)
    if rng.random() < 0.4:
        field &= np.abs(rows - MIDDLE) < radius * rng.uniform(0.75, 0.95)
    scene.canvas = scene.canvas * soften(field, 1.5)[..., None] + grain(rng, rng.uniform(0.003, 0.02))[..., None]
    return scene.finish("fundus", rng, clip=field)


def grow(rng: Generator, scene: Scene, start: Point, heading: float, width: float, colour: np.ndarray, length: float) -> None:
    """A vessel that thins out and forks."""
    if width < 0.7 or length < 12:
        return
    path, at, turn = [start], start, rng.normal() * 0.02
    for _ in range(int(length * rng.uniform(0.4, 0.9) / 6)):
        heading += turn + rng.normal() * 0.12
        at = (at[0] + 6 * np.cos(heading), at[1] + 6 * np.sin(heading))
        path.append(at)
    if len(path) > 1:
        scene.paint(tube(path, width), colour, 0.7, alpha=0.85)
    for fork in (-1, 1):
        grow(rng, scene, at, heading + fork * rng.uniform(0.2, 0.7), width * rng.uniform(0.6, 0.9), colour, length * 0.7)


def endoscopy(rng: Generator) -> Phantom:
    """The gut's wall lit from the camera: folds, a dark way on, wet highlights, and polyps that bulge out of it."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    wall = np.array([rng.uniform(0.6, 0.95), rng.uniform(0.28, 0.55), rng.uniform(0.2, 0.45)], np.float32)
    way = (rng.uniform(20, 236), rng.uniform(20, 236))
    distance = np.hypot(columns - way[0], (rows - way[1]) * rng.uniform(0.8, 1.2)) + 10 * noise(rng, 4)
    light = np.clip(distance / rng.uniform(70, 180), 0.05, 1.15) ** rng.uniform(0.4, 0.9)
    # Folds ring the way on; each is lit on the side that faces the camera.
    phase = distance / rng.uniform(14, 45) + 0.8 * noise(rng, 3)
    fold = np.maximum(np.sin(phase), 0) ** rng.uniform(1, 5) * np.clip(0.5 + noise(rng, 3), 0, 1.3)
    light = light * (1 + rng.uniform(0.05, 0.35) * fold) + 0.03 * fractal(rng, 6, 5)
    scene = Scene((wall * light[..., None] * (1 + 0.04 * fractal(rng, 20, 3))[..., None]).astype(np.float32))
    for _ in range(int(rng.integers(3, 14))):
        path = curve(rng, tuple(rng.uniform(0, SIDE, 2)), tuple(rng.uniform(0, SIDE, 2)), 0.4)
        scene.paint(tube(path, rng.uniform(1, 2.5)), wall * np.array([0.8, 0.4, 0.45]), 0.8, alpha=rng.uniform(0.1, 0.5))
    for _ in range(1 if rng.random() < 0.75 else int(rng.integers(2, 4))):
        polyp(rng, scene, wall)
    for _ in range(int(rng.integers(2, 30))):
        r = rng.lognormal(0.7, 0.6)
        drop = blob(rng, tuple(rng.uniform(0, SIDE, 2)), (r, r * rng.uniform(0.2, 1)), rng.uniform(0, 3), 0.25)
        scene.paint(drop, np.array([1.0, 1.0, 1.0]), 0.6, alpha=rng.uniform(0.5, 1))
    if rng.random() < 0.15:
        shaft = curve(rng, (rng.uniform(0, SIDE), SIDE + 5), tuple(rng.uniform(60, 196, 2)), 0.1)
        scene.paint(tube(shaft, rng.uniform(6, 18)), rng.uniform(0.3, 0.8) * np.ones(3), 1, name="instrument", cover=True)
    frame = rng.random()
    field = np.ones((SIDE, SIDE), bool)
    if frame < 0.5:
        cut = rng.uniform(20, 70)
        x, y = np.minimum(columns, SIDE - 1 - columns), np.minimum(rows, SIDE - 1 - rows)
        field = (x + y > cut) & (x > rng.uniform(0, 12)) & (y > rng.uniform(0, 8))
    elif frame < 0.7:
        field = np.hypot(columns - MIDDLE, rows - MIDDLE) < rng.uniform(115, 150)
    scene.canvas = scene.canvas * soften(field, 1)[..., None] + grain(rng, rng.uniform(0.003, 0.02))[..., None]
    return scene.finish("endoscopy", rng, clip=field)


def polyp(rng: Generator, scene: Scene, wall: np.ndarray) -> None:
    """A bulge of nearly the wall's colour: bright where it faces the light, darker at its foot, a shadow beside it."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    r, at = rng.lognormal(3.3, 0.5), tuple(rng.uniform(35, 221, 2))
    flat, turn = rng.uniform(0.55, 1), rng.uniform(0, 3)
    shape = blob(rng, at, (r, r * flat), turn, rng.uniform(0.03, 0.14), 5)
    if not shape.any():
        return
    dx, dy = rng.normal(size=2) * 0.3
    near = np.hypot(columns - at[0] - dx * r, rows - at[1] - dy * r) / r
    dome = np.clip(1.15 - rng.uniform(0.2, 0.5) * near**2, 0.3, 1.3)
    shadow = blob(rng, (at[0] - dx * r, at[1] - dy * r), (r * 1.12, r * flat * 1.12), turn, 0.05)
    scene.paint(shadow, wall * 0.4, r * 0.12 + 1, alpha=rng.uniform(0.1, 0.5))
    tone = wall * rng.uniform(0.8, 1.15) * rng.uniform(0.93, 1.07, 3)
    texture = 1 + rng.uniform(0.03, 0.12) * fractal(rng, int(rng.integers(8, 40)), 3)
    scene.paint(shape, tone * (dome * texture)[..., None], rng.uniform(0.8, 3), name="polyp", cover=True)
    for _ in range(int(rng.integers(0, 6))):
        glint = blob(rng, inside(rng, shape), (rng.uniform(0.8, 4), rng.uniform(0.8, 2)), rng.uniform(0, 3), 0.2)
        scene.paint(glint & shape, np.array([1.0, 1.0, 1.0]), 0.5, alpha=0.9)
