// Histology, stained with haematoxylin and eosin: nuclei in violet on a pink stroma of fibres.
import { blend, cell, type Rgb, shade } from "../dermoscopy.ts";
import { Field, toColour } from "../field.ts";
import { fractal, normal, smooth, step, stream } from "../noise.ts";
import { blob, type Shape } from "../shapes.ts";
import type { Drawing } from "../structure.ts";

const SIDE = 480;
const EOSIN: Rgb = [0.9, 0.66, 0.76];
const FIBRE: Rgb = [0.8, 0.48, 0.62];
const PALE: Rgb = [0.95, 0.9, 0.93];
const VIOLET: Rgb = [0.42, 0.3, 0.58];
const DARK: Rgb = [0.24, 0.15, 0.42];
const MOST = 24;

interface Nucleus {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly shape: Shape;
}

export function drawNuclei(): Drawing {
  const nuclei = scatter();
  const planes = [0, 1, 2].map(() => new Field(SIDE, SIDE)) as [Field, Field, Field];
  const masks = nuclei.map(() => new Uint8Array(SIDE * SIDE));
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, i++) {
      const fibres = fractal((x + 0.6 * y) / 40, (y - 0.5 * x) / 7, 801, 3);
      let colour = blend(EOSIN, FIBRE, 0.45 + 0.55 * fibres);
      colour = blend(colour, PALE, step(0.25, 0.6, fractal(x / 34, y / 34, 802, 3)));
      colour = shade(colour, 1 + 0.04 * smooth(x / 3, y / 3, 803));
      for (const [n, { shape, x: cx, y: cy, radius }] of nuclei.entries()) {
        if (Math.abs(x - cx) > 2 * radius || Math.abs(y - cy) > 2 * radius) continue;
        const distance = shape.distance(x, y);
        // A halo of cytoplasm, the body, and a membrane that is darker than it.
        colour = blend(colour, FIBRE, 0.35 * step(9, 2, distance));
        const body = step(1.2, -1.2, distance);
        if (body > 0) {
          const chromatin = blend(VIOLET, DARK, 0.3 + 0.6 * fractal(x / 5, y / 5, 810 + n, 3) + 0.15 * step(0.5, 0.2, cell(x, y, 9, 811 + n)));
          colour = blend(colour, chromatin, 0.95 * body);
        }
        colour = blend(colour, DARK, 0.6 * step(1.6, 0.3, Math.abs(distance + 1.4)));
        if (distance < 0) (masks[n] as Uint8Array)[i] = 1;
      }
      for (const channel of [0, 1, 2] as const) planes[channel].data[i] = colour[channel] + 0.012 * normal(x, y, 820 + channel);
    }
  }
  return { picture: toColour(...planes), structures: masks.map((mask) => ({ name: "nucleus", mask })) };
}

/** Apart from each other, whole within the picture. */
function scatter(): Nucleus[] {
  const random = stream(830);
  const found: Nucleus[] = [];
  for (let attempt = 0; attempt < 2000 && found.length < MOST; attempt++) {
    const radius = 19 + 9 * random();
    const [x, y] = [40 + (SIDE - 80) * random(), 40 + (SIDE - 80) * random()];
    if (found.some((other) => Math.hypot(other.x - x, other.y - y) < 1.5 * (other.radius + radius))) continue;
    const shape = blob(x, y, radius * (1 + 0.3 * random()), radius * (0.75 + 0.2 * random()), {
      turn: 3.14 * random(),
      wobble: 0.12,
      seed: 840 + found.length,
    });
    found.push({ x, y, radius, shape });
  }
  return found;
}
