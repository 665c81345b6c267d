// Twenty skin lesions through a dermatoscope, no two alike: place, size, outline, pigment and skin drawn from a number each.
import { atRow, blend, cell, inBounds, type Rgb, shade } from "../dermoscopy.ts";
import { Field, toColour } from "../field.ts";
import { fractal, mix, normal, smooth, step, stream } from "../noise.ts";
import { blob, type Shape, tube, union } from "../shapes.ts";
import type { Drawing } from "../structure.ts";

export const LESIONS = 20;

const WIDTH = 384;
const HEIGHT = 288;
const SKINS: readonly Rgb[] = [
  [0.9, 0.72, 0.64],
  [0.86, 0.665, 0.58],
  [0.78, 0.58, 0.47],
  [0.66, 0.47, 0.36],
];
const PIGMENTS: readonly (readonly [light: Rgb, dark: Rgb])[] = [
  [
    [0.62, 0.4, 0.28],
    [0.36, 0.21, 0.14],
  ],
  [
    [0.5, 0.32, 0.24],
    [0.2, 0.12, 0.1],
  ],
  [
    [0.7, 0.44, 0.36],
    [0.48, 0.26, 0.2],
  ],
];

export function drawLesion(number: number): Drawing {
  const random = stream(700 + number);
  const skin = SKINS[Math.floor(random() * SKINS.length)] as Rgb;
  const [light, dark] = PIGMENTS[Math.floor(random() * PIGMENTS.length)] as (typeof PIGMENTS)[number];
  const seed = 710 + 37 * number;
  const lesion = outline(random, seed);
  const hairs = Array.from({ length: Math.floor(8 * random()) }, () => hair(random));
  const planes = [0, 1, 2].map(() => new Field(WIDTH, HEIGHT)) as [Field, Field, Field];
  const mask = new Uint8Array(WIDTH * HEIGHT);
  const edgeSoftness = 5 + 6 * random();
  const netSize = 5 + 3 * random();
  for (let y = 0, i = 0; y < HEIGHT; y++) {
    const across = atRow(hairs, y);
    for (let x = 0; x < WIDTH; x++, i++) {
      const edge = lesion.distance(x, y) + 4 * fractal(x / 11, y / 11, seed + 1, 3);
      const pigment = step(edgeSoftness, -edgeSoftness * 2, edge);
      const net = Math.min(cell(x, y, netSize, seed + 2), 1);
      let colour = shade(skin, 1 + 0.04 * fractal(x / 40, y / 40, seed + 4, 3) - 0.025 * (1 - net));
      if (pigment > 0) {
        const inside = blend(light, dark, 0.5 + 0.5 * fractal(x / 30, y / 30, seed + 5, 3) + 0.3 * (1 - net));
        colour = blend(colour, inside, pigment);
      }
      // Half there is where a border that is traced by hand would lie.
      mask[i] = Number(pigment > 0.5);
      for (const one of across) if (inBounds(one, x, y)) colour = blend(colour, [0.14, 0.09, 0.07], 0.85 * step(0.8, -0.8, one.distance(x, y)));
      const light2 = 1.04 - 0.26 * (Math.hypot(x - WIDTH / 2, y - HEIGHT / 2) / 240) ** 2.2 + 0.02 * smooth(x / 60, y / 60, seed + 6);
      for (const channel of [0, 1, 2] as const) planes[channel].data[i] = colour[channel] * light2 + 0.011 * normal(x, y, seed + 7 + channel);
    }
  }
  return { picture: toColour(...planes), structures: [{ name: "lesion", mask }] };
}

/** One body, or two or three that have grown together. */
function outline(random: () => number, seed: number): Shape {
  const size = mix(34, 74, random());
  const [cx, cy] = [WIDTH / 2 + 60 * (random() - 0.5), HEIGHT / 2 + 40 * (random() - 0.5)];
  const bodies = 1 + Math.floor(3 * random());
  const shapes = Array.from({ length: bodies }, (_, body) => {
    const r = size * (body === 0 ? 1 : 0.45 + 0.3 * random());
    const turn = 6.28 * random();
    const away = body === 0 ? 0 : size * 0.75;
    return blob(cx + away * Math.cos(turn), cy + 0.8 * away * Math.sin(turn), r, r * (0.65 + 0.3 * random()), {
      turn: 3.14 * random(),
      wobble: 0.25,
      seed: seed + 20 + body,
    });
  });
  return union(...shapes);
}

function hair(random: () => number): Shape {
  const [x, y, turn, length] = [WIDTH * random(), HEIGHT * random(), 6.28 * random(), 60 + 110 * random()];
  const bow = 24 * (random() - 0.5);
  const at = (share: number, side: number) =>
    [x + share * length * Math.cos(turn) - side * Math.sin(turn), y + share * length * Math.sin(turn) + side * Math.cos(turn)] as const;
  return tube([at(0, 0), at(0.5, bow), at(1, 0)], 1, 0.4);
}
