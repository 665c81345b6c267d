// A pigmented lesion through a dermatoscope: network, globules, a regression area, hairs, and a scale at the edge.
import { Field, toColour } from "./field.ts";
import { fractal, hash, mix, normal, smooth, step, stream } from "./noise.ts";
import { blob, type Shape, tube, union, type Vertex } from "./shapes.ts";
import type { Drawing } from "./structure.ts";

type Mask = Uint8Array<ArrayBuffer>;

const WIDTH = 600;
const HEIGHT = 450;

export type Rgb = readonly [number, number, number];
const SKIN: Rgb = [0.86, 0.665, 0.58];
const TAN: Rgb = [0.62, 0.4, 0.28];
const BROWN: Rgb = [0.36, 0.21, 0.14];
const DARK: Rgb = [0.16, 0.09, 0.075];
const VEIL: Rgb = [0.42, 0.4, 0.45];
const ROSE: Rgb = [0.82, 0.52, 0.47];

export function drawDermoscopy(): Drawing {
  const planes = [0, 1, 2].map(() => new Field(WIDTH, HEIGHT)) as [Field, Field, Field];
  const lesion = union(blob(290, 224, 128, 98, { turn: -0.35, wobble: 0.3, seed: 3 }), blob(366, 178, 62, 50, { turn: 0.4, wobble: 0.3, seed: 4 }));
  const core = blob(262, 236, 62, 46, { turn: 0.2, wobble: 0.45, seed: 5 });
  const veil = blob(332, 196, 40, 28, { turn: -0.5, wobble: 0.4, seed: 6 });
  const regression = blob(222, 262, 34, 24, { turn: 0.6, wobble: 0.4, seed: 7 });
  const globules = globulesWithin(lesion);
  const hairs = hairsAcross();
  const [lesionMask, coreMask, veilMask] = [0, 1, 2].map(() => new Uint8Array(WIDTH * HEIGHT)) as [Mask, Mask, Mask];

  const lens = (x: number, y: number) => Math.hypot(x - WIDTH / 2, y - HEIGHT / 2);
  for (let y = 0, i = 0; y < HEIGHT; y++) {
    const [near, across] = [atRow(globules, y), atRow(hairs, y)];
    for (let x = 0; x < WIDTH; x++, i++) {
      const edge = lesion.distance(x, y) + 9 * fractal(x / 16, y / 16, 11);
      const pigment = step(11, -26, edge);
      // Ridges of the epidermis: a fine net on the skin, pigmented inside the lesion.
      const net = Math.min(cell(x, y, 8.5, 12), 1);
      let colour = shade(SKIN, 1 + 0.035 * fractal(x / 60, y / 60, 13) + 0.02 * smooth(x / 3, y / 3, 14) - 0.028 * (1 - net));
      colour = blend(colour, ROSE, 0.3 * step(44, 4, edge) * (1 - pigment));
      let dark = 0;
      if (pigment > 0) {
        const inside = blend(blend(TAN, BROWN, 0.5 + 0.5 * fractal(x / 46, y / 46, 15)), BROWN, 0.62 * (1 - net));
        colour = blend(colour, inside, pigment);
        dark = step(8, -16, core.distance(x, y) + 7 * fractal(x / 11, y / 11, 16)) * pigment;
      }
      const veiled = step(6, -18, veil.distance(x, y));
      const regressed = step(6, -14, regression.distance(x, y) + 5 * fractal(x / 7, y / 7, 17));
      colour = blend(blend(blend(colour, DARK, 0.82 * dark), VEIL, 0.62 * veiled), [0.8, 0.66, 0.6], 0.5 * regressed);
      // A soft border is where it is half there. Hairs lie across the lesion and leave it whole, as when one is traced by hand.
      lesionMask[i] = Number(pigment > 0.5);
      veilMask[i] = Number(veiled > 0.5 && regressed <= 0.5);
      coreMask[i] = Number(dark > 0.5 && veiled <= 0.5 && regressed <= 0.5);
      if (edge < 20) for (const globule of near) if (inBounds(globule, x, y)) colour = blend(colour, DARK, 0.75 * step(1.4, -1.4, globule.distance(x, y)));
      for (const hair of across) if (inBounds(hair, x, y)) colour = blend(colour, [0.13, 0.08, 0.06], 0.86 * step(0.9, -0.9, hair.distance(x, y)));
      colour = marks(colour, x, y);
      const light = (1.05 - 0.34 * (lens(x, y) / 375) ** 2.4) * step(372, 352, lens(x, y));
      for (const channel of [0, 1, 2] as const) planes[channel].data[i] = colour[channel] * light + 0.011 * normal(x, y, 20 + channel);
    }
  }
  return {
    picture: toColour(...planes),
    structures: [
      { name: "lesion", mask: lesionMask },
      { name: "dark area", mask: coreMask },
      { name: "blue-white veil", mask: veilMask },
    ],
  };
}

/** Distance to the nearest border of an irregular honeycomb, as a share of the cell. */
export function cell(x: number, y: number, size: number, seed: number): number {
  const u = x / size + 0.5 * smooth(x / 30, y / 30, seed);
  const v = y / size + 0.5 * smooth(x / 30, y / 30, seed + 1);
  const [column, row] = [Math.floor(u), Math.floor(v)];
  let nearest = 9;
  let second = 9;
  for (let j = row - 1; j <= row + 1; j++) {
    for (let i = column - 1; i <= column + 1; i++) {
      const dx = i + 0.2 + 0.6 * hash(i, j, seed) - u;
      const dy = j + 0.2 + 0.6 * hash(i, j, seed + 2) - v;
      const away = Math.sqrt(dx * dx + dy * dy);
      second = Math.min(second, Math.max(nearest, away));
      nearest = Math.min(nearest, away);
    }
  }
  return (second - nearest) * 2.2;
}

function globulesWithin(lesion: Shape): Shape[] {
  const random = stream(31);
  const found: Shape[] = [];
  while (found.length < 70) {
    const [x, y] = [160 + 270 * random(), 110 + 230 * random()];
    const depth = -lesion.distance(x, y);
    const size = 1.6 + 2.2 * random();
    if (depth > 2 && depth < 34) found.push(blob(x, y, size, size * (0.8 + 0.3 * random()), { wobble: 0.2, seed: found.length }));
  }
  return found;
}

function hairsAcross(): Shape[] {
  const random = stream(41);
  return Array.from({ length: 9 }, () => {
    const start: Vertex = [60 + 480 * random(), 40 + 370 * random()];
    const turn = 0.5 + 1.1 * random();
    const length = 90 + 150 * random();
    const bow = 36 * (random() - 0.5);
    const middle: Vertex = [start[0] + (length / 2) * Math.cos(turn) - bow * Math.sin(turn), start[1] + (length / 2) * Math.sin(turn) + bow * Math.cos(turn)];
    return tube([start, middle, [start[0] + length * Math.cos(turn), start[1] + length * Math.sin(turn)]], 1.5, 0.5);
  });
}

/** Those that a row of pixels may meet: of dozens a few. */
export function atRow(shapes: readonly Shape[], y: number): Shape[] {
  return shapes.filter(({ bounds: [, y0, , y1] }) => y >= y0 && y <= y1);
}

export function inBounds({ bounds: [x0, y0, x1, y1] }: Shape, x: number, y: number): boolean {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
}

/** The millimetre scale engraved in the contact plate. */
function marks(colour: Rgb, x: number, y: number): Rgb {
  const at = (x - 96) / 17;
  const index = Math.round(at);
  if (index < 0 || index > 24) return colour;
  const length = index % 10 === 0 ? 17 : index % 5 === 0 ? 12 : 7;
  const ink = step(1.1, 0.4, Math.abs(at - index) * 17) * step(length + 0.5, length - 0.5, Math.abs(y - 420 + length));
  return blend(colour, [0.1, 0.09, 0.09], 0.8 * ink);
}

export function blend(a: Rgb, b: Rgb, t: number): Rgb {
  // Most places are of one colour alone.
  if (t === 0) return a;
  return [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)];
}

export function shade(colour: Rgb, by: number): Rgb {
  return [colour[0] * by, colour[1] * by, colour[2] * by];
}
