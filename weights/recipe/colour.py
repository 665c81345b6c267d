"""Phantoms of what a camera sees, skin and cells; and of nothing in particular."""
from __future__ import annotations

import numpy as np

from shapes import (
    SIDE,
    Phantom,
    Scene,
    blob,
    blob_from,
    curve,
    dilate,
    fractal,
    grain,
    inside,
    lines,
    ramp,
    soften,
    tube,
)

Generator = np.random.Generator
MIDDLE = SIDE / 2


def dermoscopy(rng: Generator) -> Phantom:
    """Skin with one or two pigmented lesions of irregular border, hairs, ink, ruler and a dark frame."""
    skin = np.array([rng.uniform(0.7, 0.98), rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.78)], np.float32)
    shade = 1 + 0.05 * fractal(rng, 3, 5) + rng.uniform(0, 0.12) * ramp(rng)
    scene = Scene((skin * shade[..., None]).astype(np.float32))
    scene.canvas[..., 0] += 0.03 * fractal(rng, 4, 4)
    for number in range(1 if rng.random() < 0.85 else 2):
        size = rng.uniform(14, 92)
        at = (MIDDLE + rng.normal() * 24 + number * 60, MIDDLE + rng.normal() * 24)
        lesion = blob(rng, at, (size, size * rng.uniform(0.6, 1)), rng.uniform(0, 3), rng.uniform(0.04, 0.2), 8)
        colour = skin * np.array([rng.uniform(0.35, 0.95), rng.uniform(0.2, 0.85), rng.uniform(0.2, 0.85)], np.float32)
        texture = 1 + rng.uniform(0.03, 0.2) * fractal(rng, int(rng.integers(8, 40)), 3)
        scene.paint(lesion, colour * texture[..., None], rng.uniform(0.8, 6), name="lesion", cover=True)
        for _ in range(int(rng.integers(0, 7))):
            r = size * rng.uniform(0.12, 0.5)
            patch = blob(rng, inside(rng, lesion), (r, r * rng.uniform(0.5, 1)), rng.uniform(0, 3), 0.25) & lesion
            scene.paint(
                patch,
                colour * rng.uniform(0.4, 1.5) * rng.uniform(0.85, 1.15, 3),
                rng.uniform(1, 5),
                alpha=rng.uniform(0.3, 0.9),
            )
        if rng.random() < 0.35:
            spots = (fractal(rng, 50, 2) > rng.uniform(0.8, 1.6)) & dilate(lesion, 3)
            scene.paint(spots, colour * rng.uniform(0.4, 0.8), 0.7, alpha=0.7)
    for _ in range(int(rng.integers(0, 30)) if rng.random() < 0.6 else 0):
        hair = curve(rng, tuple(rng.uniform(-20, SIDE + 20, 2)), tuple(rng.uniform(-20, SIDE + 20, 2)), 0.25)
        scene.paint(tube(hair, rng.choice([1, 1, 2])), skin * rng.uniform(0.15, 0.7), 0.5, alpha=rng.uniform(0.4, 0.95))
    if rng.random() < 0.2:
        ink = curve(rng, tuple(rng.uniform(0, SIDE, 2)), tuple(rng.uniform(0, SIDE, 2)), 0.4)
        scene.paint(tube(ink, rng.uniform(4, 14)), np.array([0.35, 0.2, 0.6]), 2, alpha=0.6)
    for _ in range(int(rng.integers(0, 5))):
        r = rng.uniform(2, 7)
        scene.paint(
            blob(rng, tuple(rng.uniform(0, SIDE, 2)), (r, r), 0, 0.1),
            np.array([0.95, 0.95, 0.95]),
            0.8,
            alpha=rng.uniform(0.2, 0.8),
        )
    if rng.random() < 0.35:
        field = soften(blob(rng, (MIDDLE, MIDDLE), (rng.uniform(120, 165),) * 2, 0, 0), 3)
        scene.canvas = scene.canvas * field[..., None]
    scene.canvas += grain(rng, rng.uniform(0.003, 0.02))[..., None]
    return scene.finish("dermoscopy", rng)


def microscopy(rng: Generator) -> Phantom:
    """Fluorescent nuclei on dark, or stained cells on light; crowded, touching, out of focus here and there."""
    bright = rng.random() < 0.65
    typical = rng.lognormal(2.2, 0.45)
    if bright:
        scene = Scene(np.full((SIDE, SIDE), rng.uniform(0.01, 0.12), np.float32) + 0.02 * fractal(rng, 3, 3))
    else:
        paper = np.array([rng.uniform(0.75, 0.95), rng.uniform(0.55, 0.85), rng.uniform(0.75, 0.95)], np.float32)
        scene = Scene((paper * (1 + 0.12 * fractal(rng, 10, 4))[..., None]).astype(np.float32))
    stain = np.array([rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.35), rng.uniform(0.4, 0.7)], np.float32)
    count = int(np.clip(rng.uniform(0.08, 0.5) * SIDE * SIDE / (np.pi * typical**2), 4, 60))
    texture = np.exp(0.25 * fractal(rng, 30, 2))
    for _ in range(count):
        r = typical * rng.uniform(0.7, 1.35)
        nucleus = blob(
            rng,
            tuple(rng.uniform(0, SIDE, 2)),
            (r, r * rng.uniform(0.55, 1)),
            rng.uniform(0, 3),
            rng.uniform(0.02, 0.1),
        )
        blur = rng.uniform(0.6, 1.4) if rng.random() < 0.85 else rng.uniform(2, 4)
        if bright:
            scene.paint(nucleus, rng.uniform(0.2, 0.95) * texture, blur, name="nucleus", cover=True)
        else:
            scene.paint(dilate(nucleus, int(r * 0.5) + 1), stain * 1.2 + 0.3, 2, alpha=0.4)
            scene.paint(nucleus, stain * rng.uniform(0.7, 1.4) * texture[..., None], blur, name="nucleus", cover=True)
            if rng.random() < 0.4:
                scene.paint(blob(rng, inside(rng, nucleus), (r * 0.25, r * 0.25), 0, 0.1), stain * 0.5, 0.6)
    noisy = grain(rng, rng.uniform(0.005, 0.05))
    scene.canvas = scene.canvas + (noisy if bright else noisy[..., None])
    return scene.finish("microscopy", rng)


def abstract(rng: Generator) -> Phantom:
    """No anatomy at all: textured shapes, rings, tubes and thin lines of any contrast, so that no shape is assumed."""
    colour = rng.random() < 0.25
    ground = rng.uniform(0.05, 0.9) + rng.uniform(0, 0.15) * fractal(rng, int(rng.integers(2, 30)), 4)
    scene = Scene(
        np.repeat(ground[..., None], 3, 2) * rng.uniform(0.5, 1.3, 3).astype(np.float32) if colour else ground
    )
    for _ in range(int(rng.integers(2, 12))):
        at, r, kind = tuple(rng.uniform(10, SIDE - 10, 2)), rng.lognormal(2.9, 0.6), rng.random()
        if kind < 0.6:
            shape = blob(
                rng,
                at,
                (r, r * rng.uniform(0.35, 1)),
                rng.uniform(0, 3),
                rng.uniform(0, 0.35),
                int(rng.integers(2, 10)),
            )
            if rng.random() < 0.2:
                shape &= ~blob(rng, at, (r * rng.uniform(0.3, 0.7), r * 0.35), rng.uniform(0, 3), 0.15)
        elif kind < 0.8:
            shape = tube(curve(rng, at, tuple(rng.uniform(0, SIDE, 2)), 0.35), rng.uniform(3, 22))
        else:
            turn, c, s = rng.uniform(0, 3), r * rng.uniform(0.5, 1.2), r
            corners = [(-c, -s), (c, -s * rng.uniform(0.3, 1)), (c, s), (-c * rng.uniform(0.3, 1), s)]
            from_corner = [
                (at[0] + np.cos(turn) * x - np.sin(turn) * y, at[1] + np.sin(turn) * x + np.cos(turn) * y)
                for x, y in corners
            ]
            shape = blob_from(from_corner)
        value = rng.uniform(0, 1) + rng.uniform(0, 0.15) * fractal(rng, int(rng.integers(3, 50)), 3)
        paint = np.repeat(value[..., None], 3, 2) * rng.uniform(0.5, 1.3, 3) if colour else value
        scene.paint(
            shape, paint, rng.uniform(0.5, 3), name="shape", alpha=rng.uniform(0.6, 1), cover=rng.random() < 0.8
        )
    strokes = [
        (curve(rng, tuple(rng.uniform(0, SIDE, 2)), tuple(rng.uniform(0, SIDE, 2)), 0.3), rng.uniform(1, 2.5), 1.0)
        for _ in range(int(rng.integers(0, 8)))
    ]
    if strokes:
        scene.paint(lines(strokes) > 0.5, rng.uniform(0, 1), 0.6, alpha=rng.uniform(0.3, 0.9))
    noisy = grain(rng, rng.uniform(0.0, 0.08))
    scene.canvas = scene.canvas + (noisy[..., None] if colour else noisy)
    return scene.finish("abstract", rng)
