// A CT series of the upper abdomen in Hounsfield units, from below upwards: five organs through some forty slices, each known exactly.
import { Field } from "../field.ts";
import { fractal, normal, smooth } from "../noise.ts";
import { blob, grown, type Shape, tube, union, within, without } from "../shapes.ts";

export const ORGANS = ["liver", "spleen", "right kidney", "left kidney", "aorta"] as const;

export const SERIES = { columns: 256, rows: 256, slices: 40, pixel: 1.5, step: 5 } as const;

const PART = { liver: 1, spleen: 2, rightKidney: 3, leftKidney: 4, aorta: 5 } as const;
const AIR = -1000;
const FAT = -104;
const MUSCLE = 58;

export interface DrawnSlice {
  /** [rows, columns], HU. */
  readonly values: Int16Array<ArrayBuffer>;
  /** [rows, columns]: 1 + index in ORGANS, 0 elsewhere. */
  readonly parts: Uint8Array;
}

/** A share of an organ's size on the slice: as of an ellipsoid around slice `middle` that ends `half` slices away. */
const share = (slice: number, middle: number, half: number) => Math.sqrt(Math.max(0, 1 - ((slice - middle) / half) ** 2));

export function drawSlice(slice: number): DrawnSlice {
  const { columns, rows } = SERIES;
  const field = new Field(columns, rows, AIR);
  const level = slice / (SERIES.slices - 1);
  // Wider at the ribs than at the waist.
  const girth = 0.94 + 0.06 * level;
  const body = blob(128, 129, 111 * girth, 83 * girth, { wobble: 0.05, seed: 903 });
  const wall = blob(128, 128, 100 * girth, 71.5 * girth, { wobble: 0.045, seed: 903 });
  const cavity = blob(128, 125, 91 * girth, 61 * girth, { wobble: 0.045, seed: 903 });
  field.paint(
    tube(
      [
        [10, 224],
        [128, 239],
        [246, 224],
      ],
      1.5,
    ),
    -150,
  );
  field.paint(body, 10).paint(grown(body, -1.5), (x, y) => FAT + 14 * fractal(x / 12, y / 5, 911, 2));
  field.paint(wall, (x, y) => MUSCLE + 8 * fractal(x / 9, y / 9, 913, 2));
  field.paint(cavity, (x, y) => FAT + 12 * fractal(x / 10, y / 10, 914, 2));
  back(field, slice);
  organs(field, grown(cavity, -1.5), slice);
  bones(field, wall, slice);
  const grain = new Field(columns, rows).each((_, x, y) => normal(x, y, 921 + 7 * slice)).blur(1);
  const values = Int16Array.from(field.data, (value, i) => Math.round(value + 40 * (grain.data[i] as number)));
  return { values, parts: field.parts };
}

function back(field: Field, slice: number): void {
  for (const side of [-1, 1]) {
    field.paint(blob(128 + side * 29, 199, 25, 12, { turn: side * 0.18, wobble: 0.08, seed: 932 }), (x, y) => MUSCLE + 10 * smooth(x / 5, y / 8, 931));
    // The psoas grows downwards.
    const size = 1.1 - 0.02 * slice;
    field.paint(blob(128 + side * 26, 177, 10.5 * size, 13.5 * size, { turn: side * -0.3, wobble: 0.08, seed: 933 }), MUSCLE + 6);
  }
}

function organs(field: Field, room: Shape, slice: number): void {
  bowel(field, room, slice);
  const right = share(slice, 27, 18);
  const left = share(slice, 31, 12);
  if (right > 0.12) {
    const lobes = [blob(84 - 0.3 * (slice - 27), 112, 53 * right, 46 * right, { turn: 0.25, wobble: 0.09, seed: 941 })];
    if (left > 0.12) lobes.push(blob(122, 88, 42 * left, 21 * left, { turn: 0.12, wobble: 0.1, seed: 942 }));
    const liver = within(union(...lobes), room);
    field.paint(liver, (x, y) => 106 + 6 * fractal(x / 8, y / 8, 943, 2), 0.7, PART.liver);
    const vessel = tube(
      [
        [104, 128 - 0.4 * slice],
        [88, 122],
        [62 + 0.5 * slice, 116],
      ],
      3 * right,
      1,
    );
    field.paint(within(vessel, liver), 150, 0.8, PART.liver);
  }
  const spleen = share(slice, 27, 13);
  if (spleen > 0.15) {
    const shape = without(
      blob(202, 130 - 0.3 * (slice - 27), 19 * spleen, 34 * spleen, { turn: -0.32, wobble: 0.07, seed: 947 }),
      blob(182, 134, 12 * spleen, 20 * spleen, { wobble: 0.15, seed: 948 }),
    );
    field.paint(within(shape, room), (x, y) => 122 + 5 * fractal(x / 6, y / 6, 949, 2), 0.7, PART.spleen);
  }
  kidney(field, 75 + 0.25 * (slice - 13), 161, -1, share(slice, 13, 12), PART.rightKidney);
  kidney(field, 181 - 0.25 * (slice - 16), 162, 1, share(slice, 16, 12), PART.leftKidney);
  field.paint(blob(112, 152, 9, 6.5, { turn: 0.2, wobble: 0.05, seed: 951 }), 132);
  const drift = 1.5 * Math.sin(slice / 9);
  field.paint(blob(136 + drift, 153, 8.6, 8.4, { wobble: 0.03, seed: 952 }), 60, 0.7, PART.aorta);
  field.paint(blob(136 + drift, 153, 7.8, 7.6, { wobble: 0.03, seed: 952 }), 226, 0.7, PART.aorta);
}

function kidney(field: Field, cx: number, cy: number, side: number, size: number, part: number): void {
  if (size < 0.2) return;
  const shape = blob(cx, cy, 16 * size, 21 * size, { turn: side * 0.32, wobble: 0.06, seed: 961 + side });
  field.paint(shape, (x, y) => 182 + 8 * smooth(x / 4, y / 4, 963), 0.8, part);
  if (size > 0.75) field.paint(blob(cx - side * 7, cy, 5.5, 8 * size, { turn: side * 0.3, wobble: 0.15, seed: 965 }), FAT + 24, 1);
}

function bowel(field: Field, room: Shape, slice: number): void {
  const stomach = share(slice, 30, 15);
  if (stomach > 0.2) {
    const shape = within(blob(168, 95, 34 * stomach, 22 * stomach, { turn: 0.35, wobble: 0.1, seed: 971 }), room);
    field.paint(shape, 74).paint(grown(shape, -3), (x, y) => (y < 86 ? AIR + 60 : 24 + 6 * smooth(x / 6, y / 6, 973)), 0.7);
  }
  const loops: [x: number, y: number, r: number, from: number][] = [
    [60, 100, 12, 0],
    [88, 84, 13, 0],
    [118, 90, 12, 0],
    [148, 84, 12, 0],
    [178, 96, 13, 0],
    [196, 118, 12, 0],
    [150, 120, 11, 4],
    [110, 122, 11, 4],
  ];
  for (const [index, [x, y, r, from]] of loops.entries()) {
    const size = share(slice, from + 2, 16);
    if (size < 0.3) continue;
    const shape = within(
      blob(x + 5 * Math.sin(slice / 5 + index), y + 3 * Math.cos(slice / 6 + index), r * size, 0.8 * r * size, {
        turn: index,
        wobble: 0.12,
        seed: 974 + index,
      }),
      room,
    );
    field.paint(shape, 66).paint(grown(shape, -2.2), index % 3 === 0 ? -640 : 22, 0.8);
  }
}

function bones(field: Field, wall: Shape, slice: number): void {
  // Every seventh slice is a disc.
  const disc = slice % 7 === 3;
  const vertebra = blob(128, 173, disc ? 17 : 18.5, 13.5, { wobble: 0.05, seed: 982 });
  if (disc) field.paint(vertebra, 78);
  else field.paint(vertebra, 600).paint(grown(vertebra, -1.5), (x, y) => 205 + 55 * fractal(x / 1.7, y / 1.7, 981, 2), 0.8);
  const arch = tube(
    [
      [116, 181],
      [120, 199],
      [128, 202],
      [136, 199],
      [140, 181],
    ],
    2.6,
  );
  field
    .paint(arch, 560)
    .paint(blob(128, 190, 8, 6.5), -30)
    .paint(blob(128, 190, 6, 5), 24, 0.8);
  for (let rib = 0; rib < 9; rib++) {
    const turn = 0.62 * rib + 0.045 * slice;
    const [x, y] = [128 + 95 * Math.cos(turn), 128.5 + 67 * Math.sin(turn)];
    // None in front, none through the spine.
    if (y > 182 || (y < 84 && Math.abs(x - 128) < 45) || slice < 8) continue;
    field.paint(within(blob(x, y, 8, 2.8, { turn: turn + Math.PI / 2 + 0.2, seed: 991 }), grown(wall, 1)), 420);
  }
}
