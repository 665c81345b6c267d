"""Phantoms of slices through a body: CT and MR."""
from __future__ import annotations

import numpy as np

from shapes import SIDE, Phantom, Scene, blob, curve, erode, fractal, grain, inside, lines, noise, ramp, soften, tube

Generator = np.random.Generator
MIDDLE = SIDE / 2


def ct(rng: Generator) -> Phantom:
    """An axial slice: body, fat, muscle, spine, ribs, organs with lesions, bowel with gas, or lungs with vessels."""
    scene = Scene(np.full((SIDE, SIDE), 0.02, np.float32))
    window = rng.uniform(0.25, 0.6)  # gray of soft tissue under this window
    contrast = rng.uniform(0.4, 1.6)
    centre = (MIDDLE + rng.normal() * 8, MIDDLE + rng.normal() * 8)
    size = rng.uniform(80, 122)
    radii = (size * rng.uniform(0.95, 1.1), size * rng.uniform(0.68, 0.9))
    body = blob(rng, centre, radii, rng.normal() * 0.08, 0.03)
    fat, muscle = window - 0.22 * contrast, window
    scene.paint(body, window - 0.05, 0.8)
    scene.paint(erode(body, 2), fat, 0.8)
    layer = int(rng.integers(4, 11))
    inner = erode(body, layer)
    scene.paint(inner, muscle + 0.03 * fractal(rng, 8, 3), 1.0)
    cavity = erode(inner, int(rng.integers(4, 9)))
    chest = rng.random() < 0.35
    scene.paint(cavity, fat + 0.03 * fractal(rng, 6, 3), 1.0, name=None)

    spine = (centre[0] + rng.normal() * 3, centre[1] + radii[1] * 0.55)
    for sign, side_name in ((-1, "muscle_left"), (1, "muscle_right")):
        back = blob(
            rng,
            (spine[0] + sign * rng.uniform(17, 26), spine[1] + rng.uniform(12, 20)),
            (rng.uniform(11, 18), rng.uniform(8, 12)),
            sign * 0.3,
            0.08,
        )
        scene.paint(back & body, muscle + 0.02 * fractal(rng, 16, 2), 0.8, name=side_name)

    if chest:
        for sign, side_name in ((-1, "lung_left"), (1, "lung_right")):
            lung = (
                blob(
                    rng,
                    (centre[0] + sign * radii[0] * 0.45, centre[1] - 4),
                    (radii[0] * rng.uniform(0.24, 0.33), radii[1] * rng.uniform(0.5, 0.68)),
                    sign * 0.1,
                    0.08,
                )
                & inner
            )
            scene.paint(lung, 0.05 + 0.02 * fractal(rng, 16, 2), 0.8, name=side_name, cover=True)
            if lung.sum() > 100:
                hilum = (centre[0] + sign * radii[0] * 0.15, centre[1])
                strokes = [
                    (curve(rng, hilum, inside(rng, lung), 0.2), rng.uniform(1, 4), rng.uniform(0.5, 1))
                    for _ in range(int(rng.integers(6, 18)))
                ]
                scene.canvas = np.maximum(scene.canvas, lines(strokes) * lung * window)
                if rng.random() < 0.6:
                    at = inside(rng, erode(lung, 5) if erode(lung, 5).any() else lung)
                    r = rng.uniform(4, 13)
                    scene.paint(
                        blob(rng, at, (r, r * rng.uniform(0.7, 1)), rng.uniform(0, 3), 0.15) & lung,
                        window * rng.uniform(0.7, 1.1),
                        1.0,
                        name="nodule",
                    )
        heart = (
            blob(
                rng,
                (centre[0] + rng.normal() * 8, centre[1] - 8),
                (radii[0] * rng.uniform(0.22, 0.34), radii[1] * rng.uniform(0.28, 0.4)),
                0.5,
                0.08,
            )
            & inner
        )
        scene.paint(heart, window + 0.03, 1.0, name="heart", cover=True)
        for chamber in range(int(rng.integers(1, 4))):
            at = inside(rng, heart) if heart.any() else centre
            scene.paint(
                blob(rng, at, (rng.uniform(7, 18), rng.uniform(6, 14)), rng.uniform(0, 3), 0.1) & erode(heart, 2),
                window + rng.uniform(0.06, 0.2) * contrast,
                1.2,
                name="chamber",
                cover=True,
            )
    else:
        if rng.random() < 0.85:
            liver = (
                blob(
                    rng,
                    (centre[0] - radii[0] * rng.uniform(0.3, 0.45), centre[1] - radii[1] * rng.uniform(0.0, 0.25)),
                    (radii[0] * rng.uniform(0.3, 0.5), radii[1] * rng.uniform(0.4, 0.6)),
                    rng.normal() * 0.3,
                    0.14,
                )
                & cavity
            )
            gray = window + rng.uniform(0.04, 0.16) * contrast
            scene.paint(liver, gray + 0.015 * fractal(rng, 12, 3), 0.8, name="liver")
            if liver.sum() > 400:
                strokes = [
                    (curve(rng, inside(rng, liver), inside(rng, liver), 0.2), rng.uniform(1.5, 4), 1.0)
                    for _ in range(int(rng.integers(1, 5)))
                ]
                scene.paint((lines(strokes) > 0.5) & liver, gray + rng.uniform(-0.05, 0.1), 0.8)
                for _ in range(int(rng.integers(0, 4))):
                    r = rng.uniform(3, 13)
                    scene.paint(
                        blob(rng, inside(rng, liver), (r, r * rng.uniform(0.7, 1)), rng.uniform(0, 3), 0.12)
                        & erode(liver, 1),
                        gray + rng.choice([-1, -1, 1]) * rng.uniform(0.05, 0.16),
                        rng.uniform(0.6, 2.5),
                        name="lesion",
                    )
        if rng.random() < 0.8:
            spleen = (
                blob(
                    rng,
                    (centre[0] + radii[0] * rng.uniform(0.5, 0.66), centre[1] + radii[1] * rng.uniform(-0.1, 0.2)),
                    (radii[0] * rng.uniform(0.1, 0.2), radii[1] * rng.uniform(0.22, 0.4)),
                    rng.normal() * 0.3,
                    0.1,
                )
                & cavity
            )
            scene.paint(spleen, window + rng.uniform(0.03, 0.16) * contrast, 0.8, name="spleen", cover=True)
        for sign, side_name in ((-1, "kidney_right"), (1, "kidney_left")):
            if rng.random() < 0.75:
                at = (
                    centre[0] + sign * radii[0] * rng.uniform(0.38, 0.5),
                    centre[1] + radii[1] * rng.uniform(0.25, 0.45),
                )
                kidney = blob(rng, at, (rng.uniform(10, 17), rng.uniform(14, 22)), sign * 0.4, 0.1) & cavity
                pelvis = blob(
                    rng, (at[0] - sign * rng.uniform(3, 9), at[1]), (rng.uniform(4, 9), rng.uniform(4, 8)), 0, 0.2
                )
                gray = window + rng.uniform(0.08, 0.3) * contrast
                scene.paint(kidney, gray, 0.8, cover=True)
                scene.paint(pelvis & kidney, fat, 0.8)
                scene.names.append(side_name)
                scene.masks.append(kidney & ~pelvis)
        for _ in range(int(rng.integers(2, 9))):
            at = (centre[0] + rng.normal() * radii[0] * 0.35, centre[1] - radii[1] * rng.uniform(-0.2, 0.6))
            r = rng.uniform(6, 18)
            loop = blob(rng, at, (r, r * rng.uniform(0.5, 1)), rng.uniform(0, 3), 0.15) & cavity
            wall = window + rng.uniform(-0.03, 0.08)
            scene.paint(loop, wall, 0.8, name="bowel", cover=True)
            lumen = erode(loop, int(rng.integers(1, 4)))
            if rng.random() < 0.6:
                scene.paint(lumen, rng.choice([0.02, window - 0.05, window + 0.3]) + 0.04 * fractal(rng, 24, 2), 0.7)
        stomach = rng.random() < 0.4
        if stomach:
            organ = (
                blob(
                    rng,
                    (centre[0] + radii[0] * 0.3, centre[1] - radii[1] * 0.4),
                    (radii[0] * 0.28, radii[1] * 0.25),
                    rng.normal(),
                    0.12,
                )
                & cavity
            )
            scene.paint(organ, window - 0.02 + 0.05 * fractal(rng, 10, 3), 0.8, name="stomach", cover=True)
            level = np.arange(SIDE)[:, None] < centre[1] - radii[1] * rng.uniform(0.35, 0.55)
            if rng.random() < 0.5:
                scene.paint(erode(organ, 2) & level, 0.02, 0.7)

    for name, offset in (("aorta", 6), ("inferior_vena_cava", -14)):
        r = rng.uniform(4.5, 10)
        at = (spine[0] + offset + rng.normal() * 3, spine[1] - rng.uniform(22, 28))
        vessel = blob(rng, at, (r, r * (1 if name == "aorta" else rng.uniform(0.6, 1))), rng.uniform(0, 3), 0.04)
        scene.paint(vessel, window + rng.uniform(0.0, 0.3) * contrast, 0.8, name=name, cover=True)
    bone = min(1.0, window + rng.uniform(0.25, 0.6))
    vertebra = blob(rng, spine, (rng.uniform(13, 18), rng.uniform(10, 14)), 0, 0.08)
    arch = tube(
        [(spine[0] - 20, spine[1] + 14), (spine[0], spine[1] + 20), (spine[0] + 20, spine[1] + 14)], rng.uniform(4, 7)
    ) | tube([(spine[0], spine[1] + 18), (spine[0], spine[1] + 32)], 5)
    canal = blob(rng, (spine[0], spine[1] + 15), (6, 5), 0, 0.05)
    scene.paint(vertebra | arch, bone, 0.8, cover=True)
    scene.paint(erode(vertebra, 2), bone - 0.12 + 0.06 * fractal(rng, 32, 2), 0.8)
    scene.paint(canal, window, 0.8)
    scene.names.append("vertebra")
    scene.masks.append((vertebra | arch) & ~canal)
    for k in range(int(rng.integers(4, 13))):
        turn = rng.uniform(0, 2 * np.pi)
        at = (centre[0] + (radii[0] - layer - 4) * np.cos(turn), centre[1] + (radii[1] - layer - 4) * np.sin(turn))
        rib = (
            blob(rng, at, (rng.uniform(5, 11), rng.uniform(2.5, 4.5)), turn + np.pi / 2 + rng.normal() * 0.2, 0.08)
            & body
        )
        scene.paint(rib, bone, 0.7, name="rib", cover=True)
        scene.paint(erode(rib, 1), bone - 0.15, 0.7)
    if rng.random() < 0.5:
        y = centre[1] + radii[1] + rng.uniform(2, 12)
        scene.paint(tube([(20, y - 12), (MIDDLE, y), (SIDE - 20, y - 12)], 3) & ~body, 0.3, 0.7)
    scene.canvas = np.where(soften(body, 1) > 0.02, scene.canvas + grain(rng, rng.uniform(0.003, 0.05)), scene.canvas)
    return scene.finish("ct", rng)


def mr(rng: Generator) -> Phantom:
    """Brain (axial, with tumour), spine (sagittal, with cord) or a limb, under a bias field and Rician noise."""
    scene = Scene(np.full((SIDE, SIDE), 0.0, np.float32))
    kind = rng.choice(["brain", "brain", "spine", "limb"])
    if kind == "brain":
        centre = (MIDDLE + rng.normal() * 6, MIDDLE + rng.normal() * 6)
        size = rng.uniform(70, 118)
        radii = (size * rng.uniform(0.76, 0.9), size)
        head = blob(rng, centre, radii, rng.normal() * 0.1, 0.03)
        base = rng.uniform(0.25, 0.6)
        scene.paint(head, rng.uniform(0.4, 1.0), 0.8)
        scene.paint(erode(head, int(rng.integers(4, 8))), rng.uniform(0.02, 0.2), 0.8)
        brain = erode(head, int(rng.integers(8, 13)))
        white = base + rng.uniform(-0.15, 0.15)
        folds = np.tanh(3 * fractal(rng, int(rng.integers(9, 15)), 2))
        scene.paint(brain, base + 0.08 * rng.uniform(0.3, 1) * folds, 1.0, name="brain")
        scene.paint(
            blob(rng, centre, (radii[0] * 0.6, radii[1] * 0.62), 0, 0.12) & brain,
            white + 0.02 * fractal(rng, 12, 2),
            2.0,
        )
        fluid = float(np.clip(base + rng.choice([-1, 1]) * rng.uniform(0.15, 0.35), 0.02, 1))
        for sign in (-1, 1):
            ventricle = (
                blob(
                    rng,
                    (centre[0] + sign * rng.uniform(8, 12), centre[1] + rng.normal() * 5),
                    (rng.uniform(4, 9), rng.uniform(14, 26)),
                    -sign * 0.3,
                    0.15,
                )
                & brain
            )
            scene.paint(ventricle, fluid, 1.0, name="ventricle", cover=False)
            nucleus = (
                blob(
                    rng,
                    (centre[0] + sign * rng.uniform(20, 28), centre[1] + rng.normal() * 6),
                    (rng.uniform(6, 10), rng.uniform(10, 17)),
                    sign * 0.3,
                    0.1,
                )
                & brain
                & ~ventricle
            )
            scene.paint(nucleus, base + rng.uniform(-0.1, 0.1), 1.2, name="nucleus")
        scene.paint(
            tube([(centre[0], centre[1] - radii[1]), (centre[0] + rng.normal() * 3, centre[1] + radii[1])], 1.5)
            & brain,
            fluid,
            0.7,
        )
        for _ in range(int(rng.integers(1, 4))):
            at, r = inside(rng, erode(brain, 4)), rng.uniform(6, 24)
            if rng.random() < 0.6:
                swelling = blob(rng, at, (r * 1.6, r * 1.4), rng.uniform(0, 3), 0.3) & brain
                scene.paint(swelling, base + rng.choice([-1, 1]) * rng.uniform(0.06, 0.2), 2.5)
            tumour = blob(rng, at, (r, r * rng.uniform(0.6, 1)), rng.uniform(0, 3), rng.uniform(0.1, 0.35)) & brain
            rim = base + rng.choice([-1, 1, 1]) * rng.uniform(0.15, 0.4)
            scene.paint(tumour, rim + 0.06 * fractal(rng, 20, 2), rng.uniform(0.8, 2), name="tumour")
            core = erode(tumour, int(rng.integers(2, 5)))
            if core.sum() > 40 and rng.random() < 0.6:
                scene.paint(core, base + rng.uniform(-0.2, 0.15) + 0.05 * fractal(rng, 24, 2), 1.2, name="core")
        strokes = [
            (curve(rng, inside(rng, brain), inside(rng, brain), 0.3), 1, rng.uniform(0.5, 1))
            for _ in range(int(rng.integers(0, 6)))
        ]
        if strokes:
            scene.canvas = np.maximum(scene.canvas, soften(lines(strokes), 0.6) * 0.8 * brain)
    elif kind == "spine":
        base, sign = rng.uniform(0.25, 0.6), rng.choice([-1, 1])
        scene.canvas += base * 0.7 + 0.15 * fractal(rng, 6, 4)
        x = rng.uniform(90, 166)
        bow = curve(rng, (x + rng.normal() * 10, -6), (x + rng.normal() * 14, SIDE + 6), 0.1)
        width = rng.uniform(10, 44)
        canal, cord = tube(bow, width * rng.uniform(1.3, 1.9)), tube(bow, width)
        fluid = base + sign * rng.uniform(0.2, 0.4)
        scene.paint(canal, fluid, 1.0, name="canal")
        scene.paint(cord, base + 0.03 * fractal(rng, 12, 3), 1.0, name="cord")
        step, y, side = rng.uniform(26, 42), rng.uniform(-10, 20), rng.choice([-1, 1])
        while y < SIDE:
            at = (np.interp(y, [p[1] for p in bow], [p[0] for p in bow]) + side * (width * 0.9 + 24), y)
            scene.paint(
                blob(rng, at, (rng.uniform(16, 24), step * 0.38), rng.normal() * 0.1, 0.07),
                base + rng.uniform(-0.1, 0.25),
                1.0,
                name="vertebra",
                cover=True,
            )
            scene.paint(
                blob(rng, (at[0], y + step / 2), (rng.uniform(14, 22), step * 0.12), rng.normal() * 0.1, 0.1),
                base + rng.uniform(-0.25, 0.1),
                1.0,
                name="disc",
                cover=True,
            )
            scene.paint(
                blob(
                    rng,
                    (at[0] - side * (2 * width + 34), y + rng.normal() * 4),
                    (rng.uniform(10, 22), rng.uniform(4, 8)),
                    side * 0.4,
                    0.12,
                ),
                base - 0.2,
                1.0,
            )
            y += step
        scene.canvas = scene.canvas.clip(0, 1)
        if rng.random() < 0.5:
            scene.canvas = np.rot90(scene.canvas).copy()
            scene.masks = [np.rot90(m).copy() for m in scene.masks]
    else:
        centre, size, base = (MIDDLE, MIDDLE), rng.uniform(70, 112), rng.uniform(0.2, 0.5)
        limb = blob(rng, centre, (size, size * rng.uniform(0.8, 1)), 0, 0.05)
        scene.paint(limb, rng.uniform(0.6, 1), 0.8)
        flesh = erode(limb, int(rng.integers(5, 16)))
        scene.paint(flesh, base, 1)
        for _ in range(int(rng.integers(4, 10))):
            r = rng.uniform(12, 34)
            scene.paint(
                blob(rng, inside(rng, flesh), (r, r * rng.uniform(0.5, 0.9)), rng.uniform(0, 3), 0.12) & flesh,
                base + rng.uniform(-0.1, 0.12) + 0.03 * fractal(rng, 20, 2),
                1.0,
                name="muscle",
                cover=True,
            )
        for _ in range(int(rng.integers(1, 3))):
            bone = (
                blob(
                    rng,
                    inside(rng, erode(flesh, 9)),
                    (rng.uniform(12, 24), rng.uniform(10, 20)),
                    rng.uniform(0, 3),
                    0.06,
                )
                & flesh
            )
            scene.paint(bone, 0.05, 0.8, name="bone", cover=True)
            scene.paint(erode(bone, 3), rng.uniform(0.5, 0.9), 0.8)
    field = np.exp(rng.uniform(0, 0.35) * (ramp(rng) + noise(rng, 2)))
    sigma = rng.uniform(0.003, 0.07)
    scene.canvas = np.hypot(np.clip(scene.canvas, 0, 2) * field + grain(rng, sigma), grain(rng, sigma))
    return scene.finish("mr", rng)
