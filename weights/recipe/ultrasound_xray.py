"""Phantoms of what sound and rays leave on the way: ultrasound and X-ray."""
from __future__ import annotations

import numpy as np

from shapes import (
    SIDE,
    Phantom,
    Scene,
    blob,
    curve,
    curve_through,
    dilate,
    erode,
    fractal,
    grain,
    inside,
    lines,
    noise,
    soften,
    tube,
)

Generator = np.random.Generator
MIDDLE = SIDE / 2


def us(rng: Generator) -> Phantom:
    """A linear or curved probe's image: layered speckle, vessels with enhancement, nerves, bone with its shadow."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    top, left = (rng.uniform(0, 60), rng.uniform(0, 40)) if rng.random() < 0.7 else (0.0, 0.0)
    height, width = rng.uniform(120, SIDE - top), SIDE - 2 * left
    window = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    if rng.random() < 0.15:
        apex, reach = (MIDDLE, top - rng.uniform(20, 90)), rng.uniform(190, 300)
        distance = np.hypot(columns - apex[0], rows - apex[1])
        angle = np.abs(np.arctan2(columns - apex[0], rows - apex[1]))
        window = (distance > top - apex[1]) & (distance < reach) & (angle < rng.uniform(0.4, 0.75))
    depth = np.clip((rows - top) / height, 0, 1)

    tilt = rng.normal() * 0.15
    shear = ((rows + tilt * (columns - MIDDLE)).clip(0, SIDE - 1)).astype(np.int64)
    streaks = noise(rng, int(rng.integers(30, 90)), int(rng.integers(3, 10)))[shear, columns.astype(np.int64)]
    layers = noise(rng, int(rng.integers(4, 10)), 2)[shear, columns.astype(np.int64)]
    tissue = np.exp(rng.uniform(0.3, 0.9) * streaks + rng.uniform(0.2, 0.7) * layers) * rng.uniform(0.05, 0.25)
    strokes = []
    for _ in range(int(rng.integers(4, 36))):
        x, y, long = rng.uniform(0, SIDE), top + height * rng.beta(1, 1.6), rng.uniform(15, 160)
        slope = tilt + rng.normal() * 0.12
        strokes.append(
            (
                curve(rng, (x - long / 2, y + slope * long / 2), (x + long / 2, y - slope * long / 2), 0.06),
                rng.choice([1, 1, 2, 3]),
                rng.uniform(0.2, 1),
            )
        )
    tissue += soften(lines(strokes), rng.uniform(0.5, 1.2)) * rng.uniform(0.4, 1.6)
    scene = Scene(tissue.astype(np.float32))
    gain = np.ones((SIDE, SIDE), np.float32)

    spots = []
    for _ in range(int(rng.integers(1, 6))):
        at = (left + width * rng.uniform(0.06, 0.94), top + height * rng.uniform(0.1, 0.85))
        r = min(rng.lognormal(2.75, 0.45), 52.0)
        if any(np.hypot(at[0] - x, at[1] - y) < 0.85 * (r + other) for x, y, other in spots):
            continue
        spots.append((*at, r))
        kind = rng.choice(["vessel", "vessel", "nerve", "nerve", "mass"])
        radii, turn = (r, r * rng.uniform(0.5, 1)), rng.normal() * 0.3
        if kind == "vessel":
            vessel = blob(rng, at, radii, turn, rng.uniform(0.02, 0.12))
            if rng.random() < 0.15:
                vessel |= blob(
                    rng, (at[0] + r * 0.9, at[1] + rng.normal() * r * 0.4), (radii[0] * 0.7, radii[1] * 0.6), turn, 0.08
                )
            if rng.random() < 0.7:
                scene.paint(dilate(vessel, 1), float(tissue.mean()) * rng.uniform(0.8, 3), 1.0, alpha=0.7)
            scene.paint(vessel, rng.uniform(0.0, 0.035), rng.uniform(0.7, 1.6), name="vessel", cover=True)
            below = soften((np.abs(columns - at[0]) < radii[0] * 0.8) & (rows > at[1] + radii[1] * 0.8), 4)
            gain *= 1 + below * rng.uniform(-0.2, 0.9)
        elif kind == "nerve":
            nerve = blob(rng, at, (radii[0] * 1.1, radii[1] * 0.8), turn, rng.uniform(0.05, 0.16))
            level = float(tissue.mean()) * rng.uniform(0.7, 2.2)
            scene.paint(dilate(nerve, 1), level * rng.uniform(1, 1.8), 1.0, alpha=0.8)
            scene.paint(nerve, level * np.exp(0.3 * fractal(rng, 30, 2)), 1.0, name="nerve", cover=True)
            for _ in range(int(rng.integers(2, 16))):
                f = rng.uniform(0.08, 0.24) * r
                scene.paint(
                    blob(rng, inside(rng, nerve), (f, f * rng.uniform(0.6, 1)), turn, 0.1) & erode(nerve, 1),
                    level * rng.uniform(0.05, 0.35),
                    0.7,
                )
        else:
            mass = blob(rng, at, radii, turn, rng.uniform(0.1, 0.25))
            scene.paint(
                mass,
                float(tissue.mean()) * rng.uniform(0.1, 0.6) * np.exp(0.3 * fractal(rng, 20, 2)),
                rng.uniform(1, 3.5),
                name="mass",
                cover=True,
            )
            gain *= 1 + soften((np.abs(columns - at[0]) < radii[0] * 0.8) & (rows > at[1] + radii[1]), 4) * rng.uniform(
                -0.6, 0.3
            )
    if rng.random() < 0.45:
        start = (rng.uniform(-20, MIDDLE), top + height * rng.uniform(0.45, 0.85))
        bone = curve(rng, start, (start[0] + rng.uniform(70, 200), start[1] + rng.normal() * 30), 0.15)
        layer = tube(bone, rng.uniform(2, 5))
        for mask in scene.masks:
            layer &= ~mask
        scene.paint(layer, rng.uniform(1.0, 2.0), 1.2)
        shade = np.maximum.accumulate(np.vstack([np.zeros((3, SIDE), bool), layer[:-3]]), axis=0)
        gain *= 1 - soften(shade, 3) * rng.uniform(0.5, 0.95)
    for _ in range(int(rng.integers(0, 3))):
        x, w = rng.uniform(0, SIDE), rng.uniform(3, 25)
        gain *= 1 - rng.uniform(0.2, 0.7) * np.exp(-(((columns - x) / w) ** 2)) * depth
    gain *= np.exp(-rng.uniform(0, 2.2) * depth) * (0.5 + rng.uniform(0, 1) * np.sin(np.pi * depth.clip(0.02, 1)))
    raw = rng.standard_normal((2, SIDE, SIDE)).astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):  # lateral resolution is worse than axial
        raw = (raw + np.roll(raw, 1, 2)) * 0.7071
    raw = (raw + np.roll(raw, 1, 1)) * 0.7071
    speckle = np.hypot(raw[0], raw[1])
    blend = rng.uniform(0.3, 1)
    signal = scene.canvas * gain * (1 - blend + blend * speckle)
    signal = signal / max(float(np.percentile(signal[window], 97)), 1e-3)
    steep = rng.uniform(2, 40)  # of the log compression
    image = np.log1p(signal * steep) / np.log1p(steep) * rng.uniform(0.3, 0.85)
    scene.canvas = np.where(window, image + rng.uniform(0, 0.06), 0.0).astype(np.float32)
    return scene.finish("us", rng, clip=window)


def xray(rng: Generator) -> Phantom:
    """A projection: lungs under crossing ribs, heart, clavicles, spine, or a limb's bones; either polarity."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    scene = Scene(np.zeros((SIDE, SIDE), np.float32))
    if rng.random() < 0.75:
        centre, wide, tall = (
            (MIDDLE + rng.normal() * 8, 125 + rng.normal() * 10),
            rng.uniform(42, 60),
            rng.uniform(66, 96),
        )
        body = blob(rng, (centre[0], 150), (rng.uniform(105, 130), 170), 0, 0.04)
        density = 0.72 * soften(body, 6) + 0.05 * fractal(rng, 3, 3)
        clear = np.zeros((SIDE, SIDE), np.float32)
        for sign, side_name in ((-1, "lung_right"), (1, "lung_left")):
            lung = blob(
                rng,
                (centre[0] + sign * (wide * 0.55 + 26), centre[1] + rng.normal() * 4),
                (wide * 0.62, tall),
                sign * -0.12,
                0.07,
            )
            floor = (
                centre[1]
                + tall * rng.uniform(0.6, 0.85)
                + 0.006 * (columns - centre[0] - sign * wide) ** 2 * rng.uniform(0.3, 1)
            )
            lung &= rows < floor
            if sign > 0:
                lung &= ~blob(
                    rng,
                    (centre[0] + 12, centre[1] + tall * 0.45),
                    (rng.uniform(26, 40), rng.uniform(28, 44)),
                    0.5,
                    0.05,
                )
            scene.names.append(side_name)
            scene.masks.append(lung)
            clear = np.maximum(clear, soften(lung, rng.uniform(1, 2.5)))
            if rng.random() < 0.35 and lung.sum() > 300:
                r = rng.uniform(6, 20)
                spot = blob(rng, inside(rng, lung), (r, r * rng.uniform(0.7, 1)), 0, 0.15) & lung
                density += soften(spot, 2) * rng.uniform(0.08, 0.22)
                scene.names.append("opacity")
                scene.masks.append(spot)
        density -= clear * rng.uniform(0.3, 0.45)
        heart = blob(
            rng,
            (centre[0] + rng.uniform(6, 16), centre[1] + tall * rng.uniform(0.3, 0.45)),
            (rng.uniform(28, 44), rng.uniform(30, 46)),
            0.5,
            0.06,
        )
        density += soften(heart, 2) * rng.uniform(0.05, 0.16)
        scene.names.append("heart")
        scene.masks.append(heart)
        density += soften(tube([(centre[0], 0), (centre[0], SIDE)], rng.uniform(18, 28)), 3) * 0.12
        for k in range(int(rng.integers(6, 11))):
            y = 36 + k * rng.uniform(15, 21)
            for sign in (-1, 1):
                out = centre[0] + sign * (wide * 1.3 + 22)
                rib = [
                    (centre[0] + sign * 10, y),
                    (centre[0] + sign * wide * 0.7, y - 4),
                    (out, y + 18),
                    (out - sign * 12, y + 36),
                ]
                layer = soften(tube(curve_through(rib), rng.uniform(4, 8)), 1.2)
                density += layer * rng.uniform(0.02, 0.09)
        for sign in (-1, 1):
            clavicle = tube(
                curve(rng, (centre[0] + sign * 8, 44), (centre[0] + sign * 90, 30 + rng.normal() * 8), 0.08),
                rng.uniform(6, 10),
            )
            density += soften(clavicle, 1) * rng.uniform(0.05, 0.14)
            scene.names.append("clavicle")
            scene.masks.append(clavicle)
        strokes = [
            (
                curve(
                    rng,
                    (centre[0] + rng.choice([-1, 1]) * 22, centre[1]),
                    (rng.uniform(20, 236), rng.uniform(60, 200)),
                    0.2,
                ),
                rng.uniform(1, 3),
                rng.uniform(0.2, 0.8),
            )
            for _ in range(24)
        ]
        density += soften(lines(strokes), 1) * clear * 0.08
    else:
        density = 0.3 * soften(blob(rng, (MIDDLE, MIDDLE), (rng.uniform(50, 80), 170), 0, 0.05), 5)
        for k in range(int(rng.integers(1, 4))):
            x = MIDDLE + (k - 1) * rng.uniform(30, 44)
            path = curve(rng, (x, rng.uniform(-20, 60)), (x + rng.normal() * 12, rng.uniform(170, 280)), 0.05)
            bone = tube(path, rng.uniform(14, 30)) | blob(
                rng, path[-1], (rng.uniform(12, 24), rng.uniform(12, 20)), 0, 0.1
            )
            density += soften(bone, 1) * 0.35 - soften(erode(bone, 4), 2) * rng.uniform(0, 0.18)
            scene.names.append("bone")
            scene.masks.append(bone)
    density += grain(rng, rng.uniform(0.003, 0.03))
    scene.canvas = (density if rng.random() < 0.75 else 0.9 - density) * rng.uniform(0.8, 1.3) + rng.uniform(
        -0.05, 0.15
    )
    return scene.finish("xray", rng)
