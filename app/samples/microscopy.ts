// Fluorescence: nuclei in blue, some touching, one dividing, over faint cytoplasm in green and red; shot noise.
import { Field, toColour } from "./field.ts";
import { fractal, hash, normal, smooth, step, stream } from "./noise.ts";
import { blob, type Shape, tube, union } from "./shapes.ts";
import { type Drawing, painted } from "./structure.ts";

const WIDTH = 520;
const HEIGHT = 520;
/** In the nucleus that is suggested. */
const TRY = [76, 200] as const;

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly nucleus: Shape;
  readonly bright: number;
  readonly seed: number;
}

export function drawMicroscopy(): Drawing {
  const cells = scatter();
  const [red, green, blue] = [0, 1, 2].map(() => new Field(WIDTH, HEIGHT)) as [Field, Field, Field];
  const add = (field: Field, shape: Shape, level: (x: number, y: number, distance: number) => number, soft: number) =>
    field.paint(shape, (x, y, before, distance) => before + level(x, y, distance), soft);

  for (const { x, y, radius, seed } of cells) {
    const turn = 6.28 * hash(seed, 7, 3);
    const body = blob(x + 5 * Math.cos(turn), y + 5 * Math.sin(turn), radius * 2.1, radius * 1.5, { turn, wobble: 0.34, seed });
    add(green, body, (u, v, distance) => 0.15 * (0.7 + 0.5 * fractal(u / 9, v / 9, seed)) * step(0, -18, distance), 4);
    // Fibres run the length of the cell.
    const along = (u: number, v: number) => (u - x) * Math.cos(turn) + (v - y) * Math.sin(turn);
    const across = (u: number, v: number) => (v - y) * Math.cos(turn) - (u - x) * Math.sin(turn);
    add(red, body, (u, v, distance) => 0.32 * Math.max(0, fractal(along(u, v) / 34, across(u, v) / 2.6, seed + 50) - 0.08) * step(2, -9, distance), 3);
  }
  green.blur(1);

  // Out of focus, the light of every nucleus lies around it.
  for (const { nucleus, bright } of cells) add(blue, nucleus, () => 0.5 * bright, 3);
  const haze = new Field(WIDTH, HEIGHT).each((_, x, y) => at(blue, x, y)).blur(13);
  blue.each((_, x, y) => 0.42 * at(haze, x, y));
  for (const [index, { nucleus, bright, seed }] of cells.entries()) {
    const chromatin = (x: number, y: number) =>
      0.74 +
      0.3 * fractal(x / 6, y / 6, seed + 90) +
      0.28 * step(0.3, 0.6, smooth(x / 4.2, y / 4.2, seed + 91)) -
      0.34 * step(0.42, 0.62, smooth(x / 8, y / 8, seed + 92));
    blue.paint(nucleus, (x, y, _, distance) => bright * chromatin(x, y) * (0.8 + 0.2 * step(0, -7, distance)), 1.5, index + 1);
  }
  const mitosis = union(
    tube(
      [
        [398, 122],
        [410, 134],
        [424, 140],
      ],
      6,
      5,
    ),
    tube(
      [
        [386, 142],
        [397, 154],
        [411, 161],
      ],
      6,
      5,
    ),
  );
  blue.paint(mitosis, (x, y) => 0.86 + 0.42 * fractal(x / 3.4, y / 3.4, 77), 2.2, cells.length + 1);

  for (const [channel, field] of [red, green, blue].entries()) {
    field.each((value, x, y) => value + 0.022 + (0.014 + 0.05 * Math.sqrt(Math.max(0, value))) * normal(x, y, 60 + channel) * 0.7);
  }
  // A display mixes a little of each dye into the others, so that blue stays visible on a screen.
  const shown = (r: number, g: number, b: number) => new Field(WIDTH, HEIGHT).each((_, x, y) => r * at(red, x, y) + g * at(green, x, y) + b * at(blue, x, y));
  const nuclei = cells.map((_, index) => painted("nucleus", blue, index + 1));
  const first = nuclei.findIndex(({ mask }) => mask[TRY[1] * WIDTH + TRY[0]] === 1);
  return {
    picture: toColour(shown(1, 0, 0.1), shown(0, 1, 0.3), shown(0, 0.12, 1.05)),
    structures: [...nuclei.splice(first, 1), ...nuclei, painted("mitotic figure", blue, cells.length + 1)],
  };
}

function at(field: Field, x: number, y: number): number {
  return field.data[y * WIDTH + x] as number;
}

/** Cells by rejection; a few are set against a neighbour so that nuclei touch. */
function scatter(): Cell[] {
  const random = stream(5);
  const cells: Cell[] = [];
  const place = (x: number, y: number, radius: number) => {
    const seed = 100 + cells.length;
    const nucleus = blob(x, y, radius * (1.05 + 0.25 * random()), radius * (0.8 + 0.12 * random()), { turn: 6.28 * random(), wobble: 0.13, seed });
    cells.push({ x, y, radius, nucleus, bright: 0.55 + 0.42 * random(), seed });
  };
  for (let attempt = 0; attempt < 900 && cells.length < 26; attempt++) {
    const radius = 19 + 10 * random();
    const [x, y] = [8 + (WIDTH - 16) * random(), 8 + (HEIGHT - 16) * random()];
    if (Math.hypot(x - 405, y - 141) < 62) continue;
    if (cells.every((cell) => Math.hypot(cell.x - x, cell.y - y) > (cell.radius + radius) * 1.34)) place(x, y, radius);
  }
  for (const index of [2, 6, 11]) {
    const { x, y, radius } = cells[index] as Cell;
    const turn = 6.28 * random();
    place(x + radius * 1.75 * Math.cos(turn), y + radius * 1.75 * Math.sin(turn), radius * 0.92);
  }
  return cells;
}
