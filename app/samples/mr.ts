// An axial T1-weighted slice of the head after contrast: folded cortex, ventricles, a ring-enhancing tumour with oedema.
import { Field, toGray } from "./field.ts";
import { fractal, hash, mix, normal, smooth, step } from "./noise.ts";
import { blob, grown, type Shape, tube, union } from "./shapes.ts";
import { type Drawing, painted } from "./structure.ts";

const WIDTH = 416;
const HEIGHT = 480;
const CX = 208;
const CY = 244;

const FLUID = 0.13;
const GRAY_MATTER = 0.42;
const WHITE_MATTER = 0.6;
const ENHANCED = 0.97;

const PART = { tumourRim: 1, tumourCore: 2, rightVentricle: 3, leftVentricle: 4 } as const;

export function drawMr(): Drawing {
  const field = new Field(WIDTH, HEIGHT, 0.015);
  const head = blob(CX, CY, 176, 218, { wobble: 0.03, seed: 3 });
  const skull = blob(CX, CY - 1, 164, 205, { wobble: 0.025, seed: 4 });
  const inner = blob(CX, CY - 1, 151, 190, { wobble: 0.025, seed: 4 });
  const brain = grown(inner, -5);

  field
    .paint(blob(CX - 172, CY + 22, 12, 34, { turn: 0.12, wobble: 0.15, seed: 5 }), 0.42, 2)
    .paint(blob(CX + 172, CY + 22, 12, 34, { turn: -0.12, wobble: 0.15, seed: 6 }), 0.42, 2);
  field.paint(head, 0.45, 1.2).paint(grown(head, -2.5), (x, y) => 0.8 + 0.12 * fractal(x / 14, y / 14, 7));
  // The temporal muscles lie between scalp and skull.
  for (const side of [-1, 1])
    field.paint(blob(CX + side * 158, CY - 12, 13, 58, { turn: side * -0.06, wobble: 0.1, seed: 8 }), (x, y) => 0.36 + 0.06 * smooth(x / 5, y / 14, 9), 1.4);
  field.paint(skull, 0.05, 1.2).paint(ring(skull, -7, 2.6), (x, y) => 0.3 + 0.16 * fractal(x / 10, y / 10, 10), 1.6);
  field.paint(inner, FLUID, 1);
  cortex(field, brain);
  deep(field);
  tumour(field, brain);
  midline(field);

  return {
    picture: toGray(receive(field)),
    structures: [
      painted("enhancing tumour", field, PART.tumourRim, PART.tumourCore),
      painted("tumour's necrotic core", field, PART.tumourCore),
      painted("right lateral ventricle", field, PART.rightVentricle),
      painted("left lateral ventricle", field, PART.leftVentricle),
    ],
  };
}

function ring(shape: Shape, depth: number, half: number): Shape {
  return { distance: (x, y) => Math.abs(shape.distance(x, y) - depth) - half, bounds: shape.bounds };
}

/** Pixels from one sulcus to the next along the surface. */
const FOLD = 25;

/** Sulci run inwards from the surface, bent by noise; gray matter lines them and the surface, white matter fills the rest. */
function cortex(field: Field, brain: Shape): void {
  field.paint(
    brain,
    (x, y) => {
      const depth = -brain.distance(x, y);
      const bend = 15 * fractal(x / 44, y / 44, 21, 2) + 5 * smooth(x / 13, y / 13, 22);
      const turn = Math.atan2(y - CY + 0.6 * bend, (x - CX) * 1.22);
      const along = ((turn + Math.PI) * 168) / FOLD + (bend * 0.9) / FOLD;
      const index = Math.floor(along);
      const reach = 15 + 38 * hash(index, 1, 23) ** 1.3;
      // The outline narrows towards the middle, and so does the space between two sulci.
      const away = Math.abs(along - index - 0.5) * FOLD * Math.max(0.35, 1 - depth / 190);
      const side = Math.hypot(away, Math.max(0, depth - reach));
      const wavy = side + 1.6 * smooth(x / 6, y / 6, 24);
      const width = 0.5 + 1.7 * step(reach, 0, depth) * (0.4 + hash(index, 2, 23));
      const ribbon = Math.max(step(8.2, 5.6, wavy), step(8, 5, depth + 2.5 * smooth(x / 11, y / 11, 25)));
      const tissue = mix(WHITE_MATTER + 0.025 * fractal(x / 12, y / 12, 26), GRAY_MATTER + 0.02 * smooth(x / 7, y / 7, 27), ribbon);
      return mix(tissue, FLUID + 0.06, 0.9 * step(width + 0.9, width - 0.9, side));
    },
    1.2,
  );
}

function deep(field: Field): void {
  for (const side of [-1, 1]) {
    const at = (dx: number) => CX + side * dx;
    field.paint(blob(at(34), CY + 24, 21, 27, { turn: side * 0.35, wobble: 0.1, seed: 31 }), 0.49, 2.2);
    field.paint(blob(at(50), CY - 12, 12, 31, { turn: side * -0.25, wobble: 0.1, seed: 32 }), 0.45, 2);
    field.paint(blob(at(24), CY - 40, 11, 19, { turn: side * -0.2, wobble: 0.1, seed: 33 }), 0.44, 1.8);
    const front = tube(
      [
        [at(7), CY - 20],
        [at(14), CY - 46],
        [at(25), CY - 66],
      ],
      5.5,
      5,
    );
    const rear = tube(
      [
        [at(8), CY - 4],
        [at(22), CY + 46],
        [at(42), CY + 76],
        [at(38), CY + 100],
      ],
      4,
      8.5,
    );
    field.paint(
      union(
        front,
        rear,
        tube(
          [
            [at(6), CY - 22],
            [at(7), CY + 6],
          ],
          4,
        ),
      ),
      FLUID,
      1.4,
      side < 0 ? PART.rightVentricle : PART.leftVentricle,
    );
    // The choroid plexus takes up contrast.
    field.paint(blob(at(37), CY + 74, 4, 11, { turn: side * -0.3, wobble: 0.3, seed: 34 }), 0.82, 1.6);
  }
  field.paint(
    tube(
      [
        [CX, CY + 4],
        [CX, CY + 32],
      ],
      2.6,
    ),
    FLUID,
    1.2,
  );
  field.paint(
    tube(
      [
        [CX - 30, CY - 74],
        [CX, CY - 60],
        [CX + 30, CY - 74],
      ],
      5,
    ),
    WHITE_MATTER + 0.05,
    1.6,
  );
  field.paint(
    tube(
      [
        [CX - 32, CY + 62],
        [CX, CY + 50],
        [CX + 32, CY + 62],
      ],
      6,
    ),
    WHITE_MATTER + 0.05,
    1.6,
  );
}

function tumour(field: Field, brain: Shape): void {
  const [x, y] = [286, 186];
  const oedema = blob(x + 4, y - 2, 62, 56, { turn: 0.3, wobble: 0.4, seed: 41 });
  field.paint(oedema, (u, v, before) => (brain.distance(u, v) < -12 ? mix(before, 0.37, 0.85) : before), 9);
  const mass = blob(x, y, 33, 29, { turn: 0.5, wobble: 0.16, seed: 42 });
  field.paint(mass, (u, v) => ENHANCED - 0.16 * Math.abs(fractal(u / 8, v / 8, 43)), 1.4, PART.tumourRim);
  field.paint(
    grown(blob(x + 2, y - 1, 27, 23, { turn: 0.5, wobble: 0.28, seed: 44 }), -2),
    (u, v) => 0.24 + 0.07 * fractal(u / 7, v / 7, 45),
    2,
    PART.tumourCore,
  );
}

function midline(field: Field): void {
  field
    .paint(
      tube(
        [
          [CX, CY - 186],
          [CX + 1, CY - 120],
          [CX, CY - 80],
        ],
        1.5,
      ),
      0.5,
      1,
    )
    .paint(
      tube(
        [
          [CX, CY + 118],
          [CX, CY + 184],
        ],
        1.5,
      ),
      0.5,
      1,
    );
  field
    .paint(
      tube(
        [
          [CX - 9, CY + 190],
          [CX, CY + 178],
          [CX + 9, CY + 190],
        ],
        5,
      ),
      ENHANCED,
      1.2,
    )
    .paint(blob(CX, CY - 186, 4, 5), ENHANCED, 1.2);
  for (const side of [-1, 1]) field.paint(blob(CX + side * 5, CY - 90, 2, 2.4), 0.9, 0.9);
}

/** What the coils add: a slow brightness field, and noise that is never negative. */
function receive(field: Field): Field {
  const sharpness = new Field(WIDTH, HEIGHT).each((_, x, y) => normal(x, y, 51)).blur(1);
  return field.each((value, x, y) => {
    const bias = 1 + 0.13 * ((x - CX) / WIDTH) - 0.16 * ((y - CY) / HEIGHT) + 0.05 * smooth(x / 170, y / 170, 52);
    const real = value * bias + 0.055 * (sharpness.data[y * WIDTH + x] as number) + 0.012 * normal(x, y, 53);
    return Math.hypot(real, 0.016 * normal(x, y, 54));
  });
}
