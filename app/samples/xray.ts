// A chest radiograph: attenuation added up along the beam, then seen through the film's response; a nodule in one lung.
import { Field, toGray } from "./field.ts";
import { fractal, hash, mix, normal, smooth, step, stream } from "./noise.ts";
import { blob, grown, type Shape, tube, union, type Vertex, without } from "./shapes.ts";
import { type Drawing, shaped } from "./structure.ts";

const WIDTH = 512;
const HEIGHT = 560;
const CX = 256;

const NODULE = blob(364, 208, 15, 13.5, { wobble: 0.1, seed: 6 });
const HEART = union(blob(CX + 34, 372, 88, 74, { turn: 0.55, wobble: 0.04, seed: 31 }), blob(CX - 24, 358, 46, 66, { wobble: 0.05, seed: 32 }));
const MEDIASTINUM = tube(
  [
    [CX, 92],
    [CX - 2, 170],
    [CX + 2, 330],
    [CX, 560],
  ],
  34,
  46,
);

export function drawXray(): Drawing {
  const body = new Field(WIDTH, HEIGHT);
  const trunk = union(
    blob(CX, 360, 226, 330, { wobble: 0.03, seed: 3 }),
    tube(
      [
        [CX, 20],
        [CX, 90],
      ],
      62,
      84,
    ),
    tube(
      [
        [40, 190],
        [140, 118],
        [CX, 92],
        [372, 118],
        [472, 190],
      ],
      44,
    ),
    tube(
      [
        [22, 200],
        [-6, 330],
      ],
      46,
    ),
    tube(
      [
        [490, 200],
        [518, 330],
      ],
      46,
    ),
  );
  add(body, trunk, (x, y, distance) => 0.62 * dome(distance, 62) + 0.12 * fractal(x / 80, y / 80, 4), 2);
  for (const side of [-1, 1]) add(body, blob(CX + side * 128, 372, 92, 78, { wobble: 0.05, seed: 5 }), 0.06, 34);

  const lungs = [lung(-1), lung(1)] as const;
  for (const shape of lungs) add(body, shape, (_x, _y, distance) => -0.47 * dome(distance, 46) - 0.03, 3);
  for (const [index, shape] of lungs.entries()) airways(body, shape, index === 0 ? -1 : 1);
  mediastinum(body);
  bones(body);
  add(body, NODULE, 0.17, 2.6);
  // The letter that marks the patient's left.
  add(
    body,
    union(
      tube(
        [
          [446, 34],
          [446, 60],
        ],
        2.2,
      ),
      tube(
        [
          [446, 60],
          [460, 60],
        ],
        2.2,
      ),
    ),
    1.2,
    0.7,
  );

  body.blur(1);
  body.each((thickness, x, y) => {
    const exposure = Math.exp(-2.05 * thickness);
    const grain = normal(x, y, 7) * 0.012 + smooth(x / 2, y / 2, 8) * 0.006;
    return 1.06 * (1 - exposure ** 0.82) - 0.03 + grain;
  });
  // As lung fields are traced: up to the heart's shadow, which hides the lung beside it.
  const clear = (shape: Shape) => without(shape, union(HEART, MEDIASTINUM));
  return {
    picture: toGray(body),
    structures: [
      shaped("nodule", body, NODULE),
      shaped("right lung", body, clear(lungs[0])),
      shaped("left lung", body, clear(lungs[1])),
      shaped("heart", body, HEART),
    ],
  };
}

type Amount = number | ((x: number, y: number, distance: number) => number);

function add(field: Field, shape: Shape, amount: Amount, soft: number): void {
  field.paint(shape, (x, y, before, distance) => before + (typeof amount === "number" ? amount : amount(x, y, distance)), soft);
}

/** How far through a rounded body the beam goes: 0 at the outline, 1 from `depth` pixels inside. */
function dome(distance: number, depth: number): number {
  const t = Math.min(1, Math.max(0, -distance / depth));
  return Math.sqrt(t * (2 - t));
}

function lung(side: number): Shape {
  const at = (dx: number) => CX + side * dx;
  const base = blob(at(118), side < 0 ? 486 : 500, 118, 84, { wobble: 0.03, seed: 11 });
  const field = union(
    blob(at(104), 216, 66, 116, { turn: side * -0.12, wobble: 0.04, seed: 12 }),
    blob(at(120), 318, 82, 142, { turn: side * -0.06, wobble: 0.04, seed: 13 }),
  );
  return { distance: (x, y) => Math.max(field.distance(x, y), -base.distance(x, y)), bounds: field.bounds };
}

/** Vessels fan out from the hilum and thin towards the border. */
function airways(body: Field, shape: Shape, side: number): void {
  const random = stream(side < 0 ? 21 : 22);
  const hilum: Vertex = [CX + side * 46, 262];
  add(body, blob(hilum[0], hilum[1], 17, 30, { turn: side * -0.2, wobble: 0.3, seed: 23 }), 0.13, 8);
  const tree = new Field(WIDTH, HEIGHT);
  for (let branch = 0; branch < 24; branch++) {
    const turn = -1.45 + 2.9 * ((branch + random()) / 24);
    const length = 60 + 95 * random();
    const start: Vertex = [hilum[0] + side * 10 * random(), hilum[1] + 36 * (random() - 0.5)];
    const end: Vertex = [start[0] + side * length * Math.cos(turn), start[1] + 1.2 * length * Math.sin(turn)];
    const middle: Vertex = [mix(start[0], end[0], 0.5) + 12 * (random() - 0.5), mix(start[1], end[1], 0.5) + 16 * (random() - 0.5)];
    const fade = (x: number, y: number) => 0.1 * step(170, 20, Math.hypot(x - hilum[0], y - hilum[1]));
    tree.paint(tube([start, middle, end], 2.8 + 1.4 * random(), 0.4), (x, y, before) => Math.max(before, fade(x, y)), 1.8);
  }
  add(body, shape, (x, y) => tree.data[y * WIDTH + x] as number, 3);
}

function mediastinum(body: Field): void {
  add(body, MEDIASTINUM, 0.24, 12);
  add(body, HEART, (_x, _y, distance) => 0.34 * dome(distance, 40), 4);
  add(body, blob(CX + 40, 208, 24, 24, { wobble: 0.05, seed: 33 }), 0.18, 4);
  add(
    body,
    tube(
      [
        [CX + 1, 40],
        [CX + 1, 150],
        [CX - 3, 226],
      ],
      10,
      9,
    ),
    -0.22,
    3.5,
  );
  add(
    body,
    tube(
      [
        [CX - 3, 226],
        [CX - 34, 262],
      ],
      7,
      6,
    ),
    -0.13,
    3,
  );
  add(
    body,
    tube(
      [
        [CX - 3, 226],
        [CX + 34, 258],
      ],
      7,
      6,
    ),
    -0.13,
    3,
  );
}

function bones(body: Field): void {
  for (let level = 0; level < 18; level++) {
    const y = 60 + level * 28;
    const bone = blob(CX, y, 21, 11.5, { wobble: 0.08, seed: 41 });
    add(body, bone, 0.12, 2.4);
    add(body, grown(bone, -2), -0.04, 2);
    add(body, blob(CX, y + 6, 3.4, 8), 0.09, 1.6);
  }
  for (const side of [-1, 1]) {
    const at = (dx: number) => CX + side * dx;
    for (let rib = 0; rib < 10; rib++) {
      const y = 112 + rib * 35;
      const wide = 98 + 92 * Math.sin(Math.min(1.57, 0.35 + rib / 4.6));
      const behind: Vertex[] = [
        [at(18), y],
        [at(wide * 0.5), y - 17 + rib * 2],
        [at(wide * 0.9), y + 14 + rib * 3],
        [at(wide), y + 50 + rib * 3],
      ];
      hollow(body, tube(behind, 6.6, 5), 0.11);
      if (rib > 0 && rib < 8)
        hollow(
          body,
          tube(
            [
              [at(wide), y + 54 + rib * 3],
              [at(wide * 0.84), y + 90 + rib * 2],
              [at(wide * 0.45), y + 104],
            ],
            4.6,
            6.6,
          ),
          0.06,
        );
    }
    hollow(
      body,
      tube(
        [
          [at(16), 146],
          [at(70), 128],
          [at(126), 116],
          [at(184), 104],
        ],
        9,
        7.5,
      ),
      0.2,
    );
    hollow(
      body,
      union(
        tube(
          [
            [at(140), 132],
            [at(176), 190],
            [at(182), 272],
          ],
          10,
          6,
        ),
        tube(
          [
            [at(176), 120],
            [at(216), 132],
          ],
          14,
        ),
      ),
      0.1,
    );
    hollow(body, blob(at(226), 152, 25, 26, { wobble: 0.06, seed: 42 }), 0.2);
    hollow(
      body,
      tube(
        [
          [at(232), 166],
          [at(252), 320],
        ],
        17,
        14,
      ),
      0.22,
    );
  }
}

/** A bone's rind takes more of the beam than its middle. */
function hollow(body: Field, bone: Shape, amount: number): void {
  add(body, bone, (x, y, distance) => amount * (0.72 + 0.28 * step(-4, -0.5, distance)) * (1 + 0.06 * (hash(x, y, 51) - 0.5)), 1.2);
}
