// A curved-array view of the liver: speckle, an anechoic cyst with enhancement behind it, a stone with its shadow.
import { Field, toGray } from "./field.ts";
import { fractal, hash, mix, normal, smooth, step } from "./noise.ts";
import { blob, grown, type Shape, tube, union, without } from "./shapes.ts";
import { type Drawing, shaped } from "./structure.ts";

const WIDTH = 640;
const HEIGHT = 480;
/** Where the rays of the fan meet, and its extent in pixels and radians. */
const APEX = [320, -74] as const;
const NEAR = 104;
const FAR = 528;
const HALF_ANGLE = 0.62;
/** Samples along and across the fan. */
const RANGES = 424;
const RAYS = 300;

const CYST = blob(402, 250, 47, 40, { turn: 0.3, wobble: 0.07, seed: 3 });
const NODULE = blob(214, 292, 44, 35, { turn: -0.3, wobble: 0.12, seed: 4 });
const HALO = 5;
const GALLBLADDER = blob(306, 362, 66, 27, { turn: -0.35, wobble: 0.08, seed: 5 });
const STONE = blob(296, 371, 13, 8, { turn: -0.3, wobble: 0.12, seed: 6 });
const VESSELS = union(
  tube(
    [
      [128, 196],
      [196, 206],
      [262, 198],
      [332, 216],
    ],
    8,
    5,
  ),
  tube(
    [
      [262, 198],
      [276, 172],
      [318, 158],
    ],
    5,
    3,
  ),
  tube(
    [
      [452, 342],
      [486, 316],
      [524, 306],
    ],
    9,
    6,
  ),
);
const VESSEL_WALL: Shape = { distance: (x, y) => Math.abs(VESSELS.distance(x, y) - 2) - 1.6, bounds: VESSELS.bounds };

export function drawUltrasound(): Drawing {
  const fan = speckledFan();
  const field = new Field(WIDTH, HEIGHT, 0.012);
  field.each((background, x, y) => {
    const range = Math.hypot(x - APEX[0], y - APEX[1]);
    const turn = Math.atan2(x - APEX[0], y - APEX[1]);
    const inside = Math.min(
      step(NEAR - 0.7, NEAR + 0.7, range),
      step(FAR + 0.7, FAR - 0.7, range),
      step(HALF_ANGLE + 0.0015, HALF_ANGLE - 0.0015, Math.abs(turn)),
    );
    return inside === 0 ? background : mix(background, sample(fan, turn, range), inside);
  });
  depthMarks(field);
  return {
    picture: toGray(field),
    structures: [
      shaped("cyst", field, without(CYST, GALLBLADDER)),
      // Its dark halo is part of it.
      shaped("hypoechoic nodule", field, without(grown(NODULE, HALO), GALLBLADDER)),
      shaped("gallbladder", field, without(GALLBLADDER, STONE)),
    ],
  };
}

/** Log-compressed echo strength over [range, ray]. */
function speckledFan(): Field {
  // Two quadratures of noise, wider across the beam than along it.
  const wave = (seed: number) => {
    const plane = new Field(RAYS, RANGES).each((_, x, y) => normal(x, y, seed));
    const at = (x: number, y: number) => plane.data[Math.min(RANGES - 1, y) * RAYS + Math.min(RAYS - 1, x)] as number;
    return plane.each((value, x, y) => (value + 0.9 * at(x + 1, y) + 0.6 * at(x + 2, y) + 0.7 * at(x, y + 1) + 0.6 * at(x + 1, y + 1)) / 1.73);
  };
  const [real, imaginary] = [wave(11), wave(21)];
  const gain = new Float32Array(RAYS).fill(1);
  return new Field(RAYS, RANGES).each((_, ray, depth) => {
    const turn = (ray / (RAYS - 1) - 0.5) * 2 * HALF_ANGLE;
    const range = NEAR + (depth / (RANGES - 1)) * (FAR - NEAR);
    const [x, y] = [APEX[0] + range * Math.sin(turn), APEX[1] + range * Math.cos(turn)];
    const { echo, through } = tissue(x, y, depth);
    gain[ray] = (gain[ray] as number) * through;
    const i = depth * RAYS + ray;
    const strength = echo * (gain[ray] as number) * Math.hypot(real.data[i] as number, imaginary.data[i] as number);
    const decibels = 20 * Math.log10(strength + 1e-4);
    return Math.max(0, (decibels + 33) / 58) ** 1.25 * mix(1, 0.8, depth / RANGES);
  });
}

/** Echo strength, and what share of the sound goes on per sample: above 1 where less is lost than the machine expects. */
function tissue(x: number, y: number, depth: number): { echo: number; through: number } {
  if (STONE.distance(x, y) < 0) return { echo: 9, through: 0.6 };
  if (GALLBLADDER.distance(x, y) < 0) return { echo: GALLBLADDER.distance(x, y) > -2.4 ? 1.9 : 0.012, through: 1.004 };
  if (CYST.distance(x, y) < 0) return { echo: CYST.distance(x, y) > -2.4 ? 1.5 : 0.014, through: 1.0075 };
  if (VESSELS.distance(x, y) < 0) return { echo: 0.03, through: 1.001 };
  if (VESSEL_WALL.distance(x, y) < 0) return { echo: 1.5, through: 1 };
  const layer = depth + 3.5 * smooth(x / 60, 0, 31);
  if (layer < 9) return { echo: 2.6, through: 1 };
  if (layer < 30) return { echo: 0.42 + 1.3 * Math.max(0, fractal(x / 40, y / 3, 32)), through: 1 };
  if (layer < 33) return { echo: 3, through: 1 };
  if (layer < 54) return { echo: 0.26 + 0.5 * Math.max(0, fractal(x / 26, y / 2.6, 33)), through: 1 };
  if (layer < 58) return { echo: 3.4, through: 1 };
  const diaphragm = 436 - 0.0013 * (x - 260) ** 2;
  if (Math.abs(y - diaphragm) < 3.2) return { echo: 6.5 * (0.7 + 0.3 * smooth(x / 16, 0, 34)), through: 0.96 };
  if (y > diaphragm) return { echo: 0.5 + 0.4 * fractal(x / 30, y / 9, 35), through: 0.997 };
  const nodule = NODULE.distance(x, y);
  if (nodule < 0) return { echo: 0.2 * (1 + 0.6 * fractal(x / 14, y / 14, 36)), through: 0.9988 };
  if (nodule < HALO) return { echo: 0.11, through: 1 };
  return { echo: 0.5 * (1 + 0.5 * fractal(x / 46, y / 40, 37)), through: 0.9999 };
}

function sample(fan: Field, turn: number, range: number): number {
  const u = Math.min(RAYS - 1.001, Math.max(0, (turn / HALF_ANGLE / 2 + 0.5) * (RAYS - 1)));
  const v = Math.min(RANGES - 1.001, Math.max(0, ((range - NEAR) / (FAR - NEAR)) * (RANGES - 1)));
  const [x, y] = [Math.floor(u), Math.floor(v)];
  const at = (i: number, j: number) => fan.data[j * RAYS + i] as number;
  return mix(mix(at(x, y), at(x + 1, y), u - x), mix(at(x, y + 1), at(x + 1, y + 1), u - x), v - y);
}

/** The machine's depth scale and gray bar. */
function depthMarks(field: Field): void {
  for (let mark = 0; mark <= 8; mark++) {
    const y = 32 + mark * 50;
    field.paint(
      { distance: (u, v) => Math.max(Math.abs(u - 620) - (mark % 4 === 0 ? 7 : 4), Math.abs(v - y) - 0.6), bounds: [610, y - 2, 630, y + 2] },
      0.6,
      0.5,
    );
  }
  field.paint(
    { distance: (u, v) => Math.max(Math.abs(u - 18) - 5, Math.abs(v - 92) - 60), bounds: [10, 28, 26, 156] },
    (_, v) => 1 - (v - 32) / 120 + 0.01 * hash(0, v, 41),
    0.5,
  );
}
