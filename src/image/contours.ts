// A mask's outlines along the edges of its pixels: whole coordinates, filled to exactly the same pixels.
import type { Mask } from "./mask.ts";
import { checkedMask } from "./mask_check.ts";

/** One part of a mask: pixels that touch by an edge. Closed lines [x, y, x, y, …] of their corners, original pixels. */
export interface Contour {
  /** Clockwise as seen, from the corner right of the first row's first run. */
  readonly outer: readonly number[];
  /** Counter-clockwise. */
  readonly holes: readonly (readonly number[])[];
}

/** Right, down, left, up: the part is to the right hand. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** The parts from the top on. For `Path2D`, SVG, GeoJSON, COCO: `outer` and `holes` together, filled by even-odd or nonzero, are the mask. */
export function maskToContours(mask: Pick<Mask, "data" | "width" | "height">): Contour[] {
  const { data, width, height } = checkedMask("maskToContours", mask);
  const inside = (x: number, y: number) => x >= 0 && x < width && y >= 0 && y < height && data[y * width + x] !== 0;
  const found: { outer: number[]; holes: number[][] }[] = [];
  /** Number of the part that a pixel is of, from 1. */
  const part = new Uint32Array(width * height);
  const walked = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      // Every line runs right along the top of a pixel somewhere; the first that a part is met by is its outer one.
      if (data[at] === 0 || walked[at] || inside(x, y - 1)) continue;
      const line = walk(x, y, inside, (u, v) => {
        walked[v * width + u] = 1;
      });
      const of = part[at] as number;
      if (of > 0) found[of - 1]?.holes.push(line);
      else {
        found.push({ outer: line, holes: [] });
        flood(at, width, data, part, found.length);
      }
    }
  }
  return found;
}

function walk(startX: number, startY: number, inside: (x: number, y: number) => boolean, mark: (x: number, y: number) => void): number[] {
  const points: number[] = [];
  let [x, y, direction] = [startX, startY, 0];
  do {
    const [dx, dy] = STEPS[direction] as (typeof STEPS)[number];
    if (direction === 0) mark(x, y);
    [x, y] = [x + dx, y + dy];
    // Of the two pixels ahead, the one to the right hand and the one to the left.
    const ahead = (side: 1 | -1) => inside(x + (dx - side * dy - 1) / 2, y + (dy + side * dx - 1) / 2);
    const turn = !ahead(1) ? 1 : ahead(-1) ? 3 : 0;
    if (turn !== 0) points.push(x, y);
    direction = (direction + turn) % 4;
  } while (x !== startX || y !== startY || direction !== 0);
  return points;
}

/** Writes `number` to the pixel and all that it touches by edges. */
function flood(from: number, width: number, data: Uint8Array, part: Uint32Array, number: number): void {
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (part[at] !== 0 || data[at] === 0) continue;
    part[at] = number;
    if (at % width > 0) open.push(at - 1);
    if (at % width < width - 1) open.push(at + 1);
    if (at >= width) open.push(at - width);
    if (at + width < data.length) open.push(at + width);
  }
}
