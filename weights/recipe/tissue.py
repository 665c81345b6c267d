"""Phantoms of tissue itself: stained sections under the microscope, and the breast on X-ray."""
from __future__ import annotations

from typing import Tuple

import numpy as np

from shapes import SIDE, Phantom, Scene, blob, curve, dilate, erode, fractal, grain, inside, lines, noise, soften, tube

Generator = np.random.Generator
MIDDLE = SIDE / 2


def histology(rng: Generator) -> Phantom:
    """Haematoxylin and eosin: pink fibres, purple nuclei; glands, single nuclei, or a region of other cells."""
    pale = rng.uniform(0, 0.6)
    pink = np.array([rng.uniform(0.72, 0.93), rng.uniform(0.4, 0.66), rng.uniform(0.6, 0.82)], np.float32)
    pink = pink + pale * (0.9 - pink)
    purple = np.array([rng.uniform(0.25, 0.5), rng.uniform(0.12, 0.3), rng.uniform(0.42, 0.62)], np.float32)
    fibres = fractal(rng, int(rng.integers(3, 12)), 5, rng.uniform(0.5, 0.8)) + 0.5 * streaks(rng)
    scene = Scene((pink * (1 + rng.uniform(0.02, 0.09) * fibres)[..., None]).astype(np.float32))
    kind = rng.random()
    size = rng.uniform(1.3, 3) if kind < 0.75 else rng.uniform(3, 11)
    sprinkle(rng, scene, np.ones((SIDE, SIDE), bool), purple, size * 0.8, rng.uniform(0.01, 0.1))
    if kind < 0.45:
        glands(rng, scene, purple, size)
    elif kind < 0.75:
        region(rng, scene, pink, purple, size)
    else:
        single_nuclei(rng, scene, purple, size)
    if rng.random() < 0.25:  # empty glass at an edge of the section
        glass = noise(rng, 2) + 2.2 * ramp_at(rng) > rng.uniform(1.1, 2)
        scene.paint(glass, np.array([0.93, 0.92, 0.94]) - 0.1 * rng.random(3), 1, cover=True)
    if rng.random() < 0.2:  # out of focus, dim
        scene.canvas = np.stack([soften(np.clip(scene.canvas[..., c], 0, 1), rng.uniform(0.6, 1.8)) for c in range(3)], -1)
        scene.canvas = scene.canvas * rng.uniform(0.45, 1)
    scene.canvas = scene.canvas + grain(rng, rng.uniform(0.005, 0.03))[..., None]
    return scene.finish("histology", rng)


def streaks(rng: Generator) -> np.ndarray:
    """Wavy fibres in one direction, float32 [S, S], about unit variance."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    turn, wave = rng.uniform(0, np.pi), rng.uniform(0.15, 0.9)
    across = np.cos(turn) * columns + np.sin(turn) * rows + rng.uniform(2, 14) * noise(rng, 4)
    return (np.sqrt(2) * np.sin(wave * across) * np.clip(noise(rng, 5), 0, 1.5)).astype(np.float32)


def ramp_at(rng: Generator) -> np.ndarray:
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    return np.cos(turn) * columns + np.sin(turn) * rows


def sprinkle(rng: Generator, scene: Scene, where: np.ndarray, colour: np.ndarray, size: float, cover: float) -> None:
    """Small nuclei, not structures, over about a share `cover` of `where`."""
    y, x = np.nonzero(where)
    count = int(np.clip(cover * len(y) / (np.pi * size * size), 0, 1500))
    dots = np.zeros((SIDE, SIDE), bool)
    for i in rng.integers(len(y), size=count) if count else ():
        a, b = size * rng.uniform(0.6, 1.2), size * rng.uniform(0.4, 1)
        reach = int(size * 1.3) + 1
        top, left = max(0, y[i] - reach), max(0, x[i] - reach)
        dy, dx = np.mgrid[top : min(SIDE, y[i] + reach + 1), left : min(SIDE, x[i] + reach + 1)]
        turn = rng.uniform(0, np.pi)
        u = (dx - x[i]) * np.cos(turn) + (dy - y[i]) * np.sin(turn)
        v = (dy - y[i]) * np.cos(turn) - (dx - x[i]) * np.sin(turn)
        dots[top : top + dy.shape[0], left : left + dy.shape[1]] |= (u / a) ** 2 + (v / b) ** 2 <= 1
    tone = 1 + 0.25 * fractal(rng, 40, 2)
    scene.paint(dots & where, colour * tone[..., None], 0.5, alpha=rng.uniform(0.6, 0.95))


def glands(rng: Generator, scene: Scene, purple: np.ndarray, size: float) -> None:
    """Closed rings of dark cells around a light, often folded, opening."""
    typical = rng.uniform(12, 55)
    for _ in range(int(np.clip(rng.uniform(0.15, 0.6) * SIDE**2 / (np.pi * typical**2), 1, 16))):
        r = typical * rng.uniform(0.7, 1.4)
        at, turn, flat = tuple(rng.uniform(0, SIDE, 2)), rng.uniform(0, 3), rng.uniform(0.45, 1)
        gland = blob(rng, at, (r, r * flat), turn, rng.uniform(0.04, 0.22), 6)
        if not gland.any():
            continue
        body = purple * rng.uniform(1.1, 1.6) + rng.uniform(0.05, 0.25)
        scene.paint(gland, body * (1 + 0.1 * fractal(rng, 24, 3))[..., None], 0.7, name="gland", cover=True)
        inner = erode(gland, max(1, int(r * rng.uniform(0.12, 0.35))))
        rim = gland & ~inner
        sprinkle(rng, scene, rim, purple, size * rng.uniform(0.8, 1.2), rng.uniform(0.5, 1.1))
        if rng.random() < 0.8 and inner.any():
            folds = inner & (noise(rng, int(rng.integers(6, 20))) < rng.uniform(-0.2, 1.6))
            light = np.array([0.93, 0.9, 0.95]) - rng.uniform(0, 0.25, 3)
            scene.paint(folds, light * (1 + 0.04 * fractal(rng, 10, 4))[..., None], 1.0)
            if rng.random() < 0.3:
                sprinkle(rng, scene, folds, purple, size, 0.05)


def region(rng: Generator, scene: Scene, pink: np.ndarray, purple: np.ndarray, size: float) -> None:
    """A part of the section whose cells are larger, denser or paler than those around; vacuoles of fat here and there."""
    field = noise(rng, int(rng.integers(1, 4))) + 0.25 * fractal(rng, 6, 4)
    part = field > np.quantile(field, rng.uniform(0.3, 0.8))
    dark, light = rng.uniform(0.15, 0.5), rng.uniform(0.02, 0.14)
    there, elsewhere = (light, dark) if rng.random() < 0.6 else (dark, light)
    tone = pink * rng.uniform(0.8, 1.12, 3)
    scene.paint(part, tone * (1 + 0.06 * fractal(rng, 20, 3))[..., None], 2, name="region", alpha=rng.uniform(0.4, 0.9))
    sprinkle(rng, scene, part, purple, size * rng.uniform(1, 1.6), there)
    sprinkle(rng, scene, ~part, purple * rng.uniform(0.8, 1.2), size * rng.uniform(0.7, 1), elsewhere)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(3, 40))):
            r = rng.uniform(3, 14)
            drop = blob(rng, tuple(rng.uniform(0, SIDE, 2)), (r, r * rng.uniform(0.6, 1)), rng.uniform(0, 3), 0.08)
            scene.paint(drop, np.array([0.92, 0.9, 0.92]), 0.7)


def single_nuclei(rng: Generator, scene: Scene, purple: np.ndarray, size: float) -> None:
    """Nuclei large enough to mark one by one: a rim, grains of chromatin, a pale cell around."""
    for _ in range(int(np.clip(rng.uniform(0.04, 0.3) * SIDE**2 / (np.pi * size**2), 5, 70))):
        r, at, turn = size * rng.uniform(0.7, 1.4), tuple(rng.uniform(0, SIDE, 2)), rng.uniform(0, 3)
        nucleus = blob(rng, at, (r, r * rng.uniform(0.4, 1)), turn, rng.uniform(0.03, 0.12))
        if not nucleus.any():
            continue
        if rng.random() < 0.5:
            scene.paint(dilate(nucleus, int(r * 0.6) + 1), 0.6 * purple + 0.4, 2, alpha=rng.uniform(0.1, 0.4))
        colour = purple * rng.uniform(0.8, 1.9)
        scene.paint(nucleus, colour * (1 + 0.2 * fractal(rng, 50, 2))[..., None], 0.8, name="nucleus", cover=True)
        if rng.random() < 0.5 and r > 3:
            scene.paint(nucleus & ~erode(nucleus, 1), colour * 0.7, 0.5)
            scene.paint(blob(rng, inside(rng, nucleus), (r * 0.2,) * 2, 0, 0.1) & nucleus, colour * 0.55, 0.5)


def mammogram(rng: Generator) -> Phantom:
    """A breast pressed flat: skin line, strands of gland in fat, chest muscle, and a mass with a soft or spiked border."""
    scene = Scene(np.full((SIDE, SIDE), rng.uniform(0, 0.04), np.float32))
    wall, deep, tall = rng.uniform(-10, 50), rng.uniform(80, 170), rng.uniform(80, 150)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    middle = MIDDLE + rng.normal() * 18
    reach = np.sqrt(np.clip(1 - ((rows - middle) / tall) ** 2, 0, 1)) ** rng.uniform(0.7, 1.1)
    breast = (columns > wall) & (columns < wall + deep * reach + 3 * noise(rng, 3))
    edge = soften(breast, rng.uniform(6, 16))
    gland = np.clip(fractal(rng, int(rng.integers(2, 5)), 6, rng.uniform(0.55, 0.75)) * 0.5 + rng.uniform(0, 0.6), 0, 2)
    centre = np.exp(-(((columns - wall - deep * 0.45) / (deep * 0.4)) ** 2 + ((rows - middle) / (tall * 0.55)) ** 2))
    base = rng.uniform(0.12, 0.4)
    tissue = base * (0.4 + 0.6 * edge) + rng.uniform(0.05, 0.35) * gland * centre + 0.02 * fractal(rng, 30, 3)
    scene.paint(breast, tissue.astype(np.float32), 0.8, name="breast")
    at_nipple = (wall + deep + rng.uniform(-6, 3), middle + rng.normal() * 8)
    if rng.random() < 0.6:
        scene.paint(blob(rng, at_nipple, (rng.uniform(3, 6),) * 2, 0, 0.1), rng.uniform(0.5, 1), 0.8)
    if rng.random() < 0.4:
        corner = columns - wall < rng.uniform(25, 80) * (1 - rows / rng.uniform(100, 220))
        scene.paint(corner & breast, rng.uniform(0.4, 0.75) + 0.03 * fractal(rng, 8, 3), 2, name="muscle")
    strands = [(curve(rng, inside(rng, breast), at_nipple, 0.3), rng.uniform(0.7, 2), 1.0) for _ in range(int(rng.integers(4, 30)))]
    scene.paint((lines(strands) > 0.5) & breast, base + rng.uniform(0.05, 0.3), 0.9, alpha=rng.uniform(0.1, 0.5))
    for _ in range(1 if rng.random() < 0.8 else 2):
        mass(rng, scene, erode(breast, 8), base)
    if rng.random() < 0.3:  # calcifications
        near = inside(rng, breast)
        for _ in range(int(rng.integers(4, 25))):
            spot = blob(rng, (near[0] + rng.normal() * 10, near[1] + rng.normal() * 10), (rng.uniform(0.6, 1.6),) * 2, 0, 0.1)
            scene.paint(spot & breast, rng.uniform(0.7, 1), 0.4)
    scene.canvas = scene.canvas + grain(rng, rng.uniform(0.002, 0.02))
    phantom = scene.finish("mammogram", rng, clip=breast)
    if rng.random() < 0.5:
        phantom.image = np.ascontiguousarray(phantom.image[:, ::-1])
        phantom.masks = [np.ascontiguousarray(mask[:, ::-1]) for mask in phantom.masks]
    return phantom


def mass(rng: Generator, scene: Scene, where: np.ndarray, base: float) -> None:
    if not where.any():
        return
    r, at = rng.uniform(6, 34), inside(rng, where)
    shape = blob(rng, at, (r, r * rng.uniform(0.6, 1)), rng.uniform(0, 3), rng.uniform(0.05, 0.25), 7)
    bright = base + rng.uniform(0.12, 0.5)
    if rng.random() < 0.4:
        ends: Tuple[Tuple[float, float], ...] = tuple(
            (at[0] + r * s * np.cos(a), at[1] + r * s * np.sin(a))
            for a, s in zip(rng.uniform(0, 6.3, 14), rng.uniform(1.2, 2.2, 14))
        )
        for end in ends:
            scene.paint(tube(curve(rng, at, end, 0.1), rng.uniform(1, 2)), bright, 0.8, alpha=rng.uniform(0.2, 0.6))
    value = bright * (1 + 0.08 * fractal(rng, 12, 4))
    scene.paint(shape, value, rng.uniform(1, 4), name="mass", alpha=rng.uniform(0.6, 1))
