// An axial slice of the upper abdomen with contrast, painted in Hounsfield units and seen through a soft-tissue window.
import { Field, toGray } from "./field.ts";
import { fractal, hash, normal, smooth } from "./noise.ts";
import { blob, grown, type Shape, tube, union, within, without } from "./shapes.ts";
import { type Drawing, painted } from "./structure.ts";

const WIDTH = 512;
const HEIGHT = 512;
const AIR = -1000;
const FAT = -104;
const MUSCLE = 58;
/** The window: gray runs from LEVEL - RANGE/2 to LEVEL + RANGE/2. */
const LEVEL = 42;
const RANGE = 430;

const PART = { rightKidney: 1, leftKidney: 2, liver: 3, metastasis: 4, spleen: 5, aorta: 6 } as const;

export function drawCt(): Drawing {
  const field = new Field(WIDTH, HEIGHT, AIR);
  const body = blob(256, 258, 222, 166, { wobble: 0.05, seed: 3 });
  const wall = blob(256, 256, 200, 143, { wobble: 0.045, seed: 3 });
  const cavity = blob(256, 250, 183, 123, { wobble: 0.045, seed: 3 });

  field.paint(
    tube(
      [
        [20, 446],
        [130, 470],
        [256, 477],
        [382, 470],
        [492, 446],
      ],
      3,
    ),
    -150,
  );
  field.paint(
    tube(
      [
        [20, 456],
        [130, 480],
        [256, 487],
        [382, 480],
        [492, 456],
      ],
      1.4,
    ),
    -60,
  );
  field.paint(body, 10).paint(grown(body, -2.5), (x, y) => FAT + 14 * fractal(x / 24, y / 9, 11) + 60 * Math.max(0, fractal(x / 34, y / 5, 12) - 0.42));
  field.paint(wall, (x, y) => MUSCLE + 8 * fractal(x / 18, y / 18, 13));
  // Three layers of the flank, with fat between them.
  for (const depth of [-5.5, -10.5]) field.paint(ring(grown(wall, depth), 1), (x, _y, before) => (Math.abs(x - 256) > 120 ? -20 : before));
  field.paint(cavity, (x, y) => FAT + 12 * fractal(x / 20, y / 20, 14) + 70 * Math.max(0, fractal(x / 14, y / 14, 15) - 0.5));

  back(field, wall);
  organs(field, cavity);
  bowel(field, cavity);
  spine(field);
  ribs(field, wall);

  // Grain as a reconstruction filter leaves it: short-range, with a little more along the lines of highest attenuation.
  const grain = new Field(WIDTH, HEIGHT).each((_, x, y) => normal(x, y, 21)).blur(1);
  field.each((value, x, y) => {
    const i = y * WIDTH + x;
    const streak = 5 * normal(0, y, 22) * Math.exp(-(((y - 350) / 60) ** 2));
    return value + 52 * (grain.data[i] as number) + 5 * normal(x, y, 23) + streak;
  });
  return {
    picture: toGray(field.each((value) => (value - LEVEL) / RANGE + 0.5)),
    structures: [
      painted("right kidney", field, PART.rightKidney),
      painted("left kidney", field, PART.leftKidney),
      // What grows in the liver is counted to it.
      painted("liver", field, PART.liver, PART.metastasis),
      painted("metastasis", field, PART.metastasis),
      painted("spleen", field, PART.spleen),
      painted("aorta", field, PART.aorta),
    ],
  };
}

function ring(shape: Shape, half: number): Shape {
  return { distance: (x, y) => Math.abs(shape.distance(x, y)) - half, bounds: shape.bounds };
}

function back(field: Field, wall: Shape): void {
  for (const side of [-1, 1]) {
    const fibres = (x: number, y: number) => MUSCLE - 90 * Math.max(0, fractal(x / 7, y / 16, 31 + side) - 0.3);
    field.paint(within(blob(256 + side * 58, 398, 52, 25, { turn: side * 0.18, wobble: 0.08, seed: 32 }), grown(wall, 6)), fibres);
    field.paint(blob(256 + side * 52, 352, 21, 27, { turn: side * -0.3, wobble: 0.08, seed: 33 + side }), (x, y) => MUSCLE + 5 + 7 * smooth(x / 9, y / 9, 34));
    field.paint(blob(256 + side * 96, 366, 27, 12, { turn: side * -0.25, wobble: 0.1, seed: 35 }), MUSCLE);
  }
}

function organs(field: Field, cavity: Shape): void {
  const room = grown(cavity, -3);
  const liver = within(
    union(blob(158, 226, 104, 92, { turn: 0.25, wobble: 0.1, seed: 41 }), blob(238, 174, 86, 42, { turn: 0.12, wobble: 0.12, seed: 42 })),
    room,
  );
  field.paint(liver, (x, y) => 104 + 7 * fractal(x / 16, y / 16, 43), 0.8, PART.liver);
  const vessels = [
    tube(
      [
        [205, 262],
        [176, 250],
        [140, 246],
        [104, 262],
      ],
      6,
      2,
    ),
    tube(
      [
        [176, 250],
        [150, 218],
        [112, 196],
      ],
      4.5,
      1.6,
    ),
    tube(
      [
        [205, 262],
        [208, 225],
        [232, 188],
        [270, 172],
      ],
      5,
      1.6,
    ),
    tube(
      [
        [222, 292],
        [186, 226],
        [168, 180],
        [172, 148],
      ],
      4,
      1.6,
    ),
    tube(
      [
        [140, 246],
        [118, 232],
        [92, 232],
      ],
      2.4,
      1.2,
    ),
    tube(
      [
        [150, 218],
        [152, 190],
        [138, 168],
      ],
      2.4,
      1.2,
    ),
  ];
  for (const vessel of vessels) field.paint(within(vessel, liver), 152, 1.1, PART.liver);
  // A metastasis with a soft border and a brighter rim, and a sharp cyst.
  field.paint(blob(116, 292, 25, 21, { turn: 0.4, wobble: 0.14, seed: 44 }), 122, 2, PART.metastasis);
  field.paint(blob(116, 292, 21, 17, { turn: 0.4, wobble: 0.16, seed: 44 }), (x, y) => 48 + 14 * smooth(x / 6, y / 6, 45), 3, PART.metastasis);
  field.paint(blob(212, 180, 9, 8), 6, 0.8, PART.liver);
  field.paint(blob(214, 240, 15, 23, { turn: 0.5, wobble: 0.08, seed: 46 }), 68).paint(blob(214, 240, 12.5, 20, { turn: 0.5, wobble: 0.08, seed: 46 }), 9);

  const spleen = within(without(blob(406, 262, 36, 66, { turn: -0.32, wobble: 0.08, seed: 47 }), blob(368, 268, 24, 40, { wobble: 0.15, seed: 48 })), room);
  field.paint(spleen, (x, y) => 118 + 5 * fractal(x / 12, y / 12, 49), 0.8, PART.spleen);
  for (const side of [-1, 1]) kidney(field, 256 + side * 106, 320 + side * 3, side);

  for (let lobule = 0; lobule < 22; lobule++) {
    const t = lobule / 21;
    const [x, y] = [236 + 128 * t, 264 - 26 * Math.sin(t * 2.6) + 10 * t];
    field.paint(blob(x, y, 10 - 3 * t + 3 * hash(lobule, 1, 50), 9 - 2 * t, { wobble: 0.2, seed: 50 + lobule }), 88 + 14 * hash(lobule, 2, 50));
  }
  field.paint(
    tube(
      [
        [214, 262],
        [262, 270],
        [318, 254],
        [378, 258],
      ],
      5,
      3.4,
    ),
    158,
  );
  field.paint(blob(246, 281, 5, 5), 210).paint(blob(262, 283, 4.5, 4.5), 235);
  field.paint(blob(224, 305, 19, 13, { turn: 0.2, wobble: 0.05, seed: 51 }), 138);
  field
    .paint(blob(272, 306, 15.5, 15, { wobble: 0.03, seed: 52 }), 60, 0.8, PART.aorta)
    .paint(blob(272, 306, 14, 13.5, { wobble: 0.03, seed: 52 }), 228, 0.8, PART.aorta)
    .paint(blob(262, 297, 2.6, 1.4, { turn: -0.8 }), 620, 0.6, PART.aorta);
  for (const side of [-1, 1]) {
    field.paint(
      tube(
        [
          [256 + side * 22, 268 + side * 2],
          [256 + side * 30, 284],
          [256 + side * 26, 296],
        ],
        2.6,
        1.8,
      ),
      62,
    );
  }
}

function kidney(field: Field, cx: number, cy: number, side: number): void {
  // Seen from the feet: the patient's right is on the left.
  const part = side < 0 ? PART.rightKidney : PART.leftKidney;
  const outline = blob(cx, cy, 32, 42, { turn: side * 0.32, wobble: 0.06, seed: 61 + side });
  const hilum = blob(cx - side * 30, cy - 2, 21, 15, { turn: side * 0.3, wobble: 0.1, seed: 62 });
  field.paint(grown(outline, 6), (x, y, before) => (before > 0 ? before : FAT + 6 * smooth(x / 8, y / 8, 66)), 2);
  field.paint(without(outline, hilum), (x, y) => 188 + 8 * smooth(x / 7, y / 7, 63), 1, part);
  for (let pyramid = 0; pyramid < 7; pyramid++) {
    const turn = side > 0 ? -1.45 + 0.48 * pyramid : Math.PI - 1.45 + 0.48 * pyramid;
    const [x, y] = [cx + side * 3 + 17 * Math.cos(turn), cy + 24 * Math.sin(turn)];
    field.paint(blob(x, y, 6.5, 4.6, { turn, wobble: 0.15, seed: 64 + pyramid }), 128, 1.6, part);
  }
  field.paint(blob(cx - side * 9, cy - 1, 13, 17, { turn: side * 0.3, wobble: 0.2, seed: 65 }), FAT + 20, 1.6);
  field.paint(
    tube(
      [
        [cx - side * 6, cy - 3],
        [cx - side * 24, cy - 6],
        [cx - side * 62, cy - 12],
      ],
      5,
      3.4,
    ),
    165,
  );
  field.paint(blob(cx - side * 13, cy + 4, 6, 4.4, { turn: side * 0.5 }), 12);
}

function bowel(field: Field, cavity: Shape): void {
  const room = grown(cavity, -2);
  const stomach = within(blob(336, 186, 70, 44, { turn: 0.35, wobble: 0.1, seed: 71 }), room);
  field
    .paint(stomach, 78)
    .paint(grown(stomach, -5), (x, y) => (y < 168 + 0.6 * smooth(x / 20, 0, 72) ? AIR + 40 : 22 + 26 * Math.max(0, fractal(x / 9, y / 9, 73))), 0.8);
  const loops: [number, number, number, number, number][] = [
    [86, 326, 21, 24, 1],
    [424, 334, 18, 20, 1],
    [300, 232, 20, 15, 0],
    [338, 240, 19, 14, 0],
    [290, 206, 17, 13, 0],
  ];
  for (const [index, [x, y, rx, ry, stool]] of loops.entries()) {
    const loop = within(blob(x, y, rx, ry, { turn: index, wobble: 0.12, seed: 74 + index }), room);
    const lumen = (u: number, v: number) => (stool ? (fractal(u / 6, v / 6, 75) > 0.12 ? -620 : 25) : 24 + 60 * Math.max(0, fractal(u / 4, v / 7, 76)));
    field.paint(loop, 72).paint(grown(loop, -3.2), lumen, 1);
  }
}

function spine(field: Field): void {
  const trabecular = (x: number, y: number) => 205 + 55 * fractal(x / 3.4, y / 3.4, 81);
  const vertebra = blob(256, 346, 37, 27, { wobble: 0.05, seed: 82 });
  const arch = union(
    tube(
      [
        [233, 362],
        [230, 382],
        [240, 398],
        [256, 404],
      ],
      6,
    ),
    tube(
      [
        [279, 362],
        [282, 382],
        [272, 398],
        [256, 404],
      ],
      6,
    ),
    tube(
      [
        [231, 380],
        [206, 386],
        [186, 382],
      ],
      5.5,
      4,
    ),
    tube(
      [
        [281, 380],
        [306, 386],
        [326, 382],
      ],
      5.5,
      4,
    ),
    tube(
      [
        [256, 402],
        [256, 432],
      ],
      5,
      4,
    ),
  );
  field.paint(arch, 640).paint(grown(arch, -2.4), trabecular, 1);
  field.paint(vertebra, 620).paint(grown(vertebra, -2.6), trabecular, 1.2);
  field
    .paint(blob(256, 380, 16, 13, { wobble: 0.05, seed: 83 }), -40)
    .paint(blob(256, 380, 12.5, 10.5), 22, 1.2)
    .paint(blob(256, 380, 6.5, 5), 42, 1.6);
}

function ribs(field: Field, wall: Shape): void {
  for (const turn of [-2.72, -2.2, 2.52, 2.98, 0.2, 0.66, -0.42, -0.96]) {
    const [x, y] = [256 + 191 * Math.cos(turn), 257 + 134 * Math.sin(turn)];
    const rib = within(blob(x, y, 18, 5.6, { turn: turn + Math.PI / 2 + 0.2, wobble: 0.06, seed: 91 }), grown(wall, 2));
    field.paint(rib, 560).paint(grown(rib, -2), (u, v) => 190 + 60 * fractal(u / 3, v / 3, 92), 1);
  }
}
