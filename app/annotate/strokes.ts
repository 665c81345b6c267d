// What is drawn with the pointer, as pixels: strokes of a round brush, areas inside a line, points along a scribble.
import { type Runs, runsOf } from "../../src/volume/index.ts";
import type { Pixel, Size } from "../stage/view.ts";

type Spots = readonly (readonly [x: number, y: number])[];

/** Pixels whose centres are within `radius` of the line; pixels may be `ratio` times as tall as wide. At least the one under each end. */
export function strokeRuns(points: Spots, radius: number, { width, height, ratio = 1 }: Size): Runs {
  const mask = new Uint8Array(width * height);
  const dot = (x: number, y: number) => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column >= 0 && row >= 0 && column < width && row < height) mask[row * width + column] = 1;
  };
  points.forEach((to, i) => {
    const from = points[Math.max(0, i - 1)] as readonly [number, number];
    dot(...to);
    const [x0, x1] = [Math.min(from[0], to[0]) - radius, Math.max(from[0], to[0]) + radius];
    const [y0, y1] = [Math.min(from[1], to[1]) - radius / ratio, Math.max(from[1], to[1]) + radius / ratio];
    const [dx, dy] = [to[0] - from[0], (to[1] - from[1]) * ratio];
    const long = dx * dx + dy * dy;
    for (let row = Math.max(0, Math.floor(y0)); row <= Math.min(height - 1, Math.ceil(y1)); row++) {
      for (let column = Math.max(0, Math.floor(x0)); column <= Math.min(width - 1, Math.ceil(x1)); column++) {
        const [px, py] = [column + 0.5 - from[0], (row + 0.5 - from[1]) * ratio];
        const along = long === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / long));
        if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius * radius) mask[row * width + column] = 1;
      }
    }
  });
  return runsOf(mask);
}

/** Pixels whose centres are inside closed lines, by the even-odd rule: a line within another is a hole. */
export function areaRuns(rings: readonly Spots[], { width, height }: Size): Runs {
  const out: number[] = [];
  for (let row = 0; row < height; row++) {
    const y = row + 0.5;
    const crossings: number[] = [];
    for (const points of rings) {
      for (let i = 0; i < points.length; i++) {
        const [x0, y0] = points[i] as readonly [number, number];
        const [x1, y1] = points[(i + 1) % points.length] as readonly [number, number];
        if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
      }
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const begin = Math.max(0, Math.ceil((crossings[i] as number) - 0.5));
      const end = Math.min(width, Math.ceil((crossings[i + 1] as number) - 0.5));
      if (end <= begin) continue;
      if (out.at(-1) === row * width + begin) out[out.length - 1] = row * width + end;
      else out.push(row * width + begin, row * width + end);
    }
  }
  return Uint32Array.from(out);
}

/** So many points a scribble is to the model: evenly along it. */
const MOST_POINTS = 5;

/** Whole pixels on the image, evenly spaced along the line. */
export function pointsAlong(points: Spots, { width, height }: Size): Pixel[] {
  const lengths = points.map(([x, y], i) => {
    const [fromX, fromY] = points[Math.max(0, i - 1)] as readonly [number, number];
    return Math.hypot(x - fromX, y - fromY);
  });
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  const count = Math.max(1, Math.min(MOST_POINTS, Math.round(whole / 8)));
  const out: Pixel[] = [];
  let [gone, next] = [0, 0];
  points.forEach(([x, y], i) => {
    gone += lengths[i] as number;
    if (out.length >= count || gone + 1e-9 < (whole * (next + 0.5)) / count) return;
    next += 1;
    const pixel = { x: Math.floor(x), y: Math.floor(y) };
    if (pixel.x >= 0 && pixel.y >= 0 && pixel.x < width && pixel.y < height) out.push(pixel);
  });
  return out;
}
