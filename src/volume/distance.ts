// Distances to what is drawn, exact, by two passes of lower envelopes of parabolas (Felzenszwalb and Huttenlocher), within a window of a slice.
import { type Runs, rowRuns } from "./runs.ts";

/** A part of a slice: `left` and `top` in pixels, negative ones outside the picture. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Larger than any distance in a picture, and still exact when squared and added. */
const FAR = 1e12;

/** Of each pixel of the frame: how far inside, positive, or outside, negative, to the nearest pixel on the other side; in units of the steps. [height, width] */
export function signedDistances(runs: Runs, columns: number, frame: Frame, stepX: number, stepY: number): Float32Array {
  const { left, top, width, height } = frame;
  const [toInside, toOutside] = [new Float64Array(width * height).fill(FAR), new Float64Array(width * height)];
  for (const [row, begin, end] of rowRuns(runs, columns)) {
    const y = row - top;
    const [from, to] = [Math.max(0, begin - left), Math.min(width, end - left)];
    if (y < 0 || y >= height || from >= to) continue;
    toInside.fill(0, y * width + from, y * width + to);
    toOutside.fill(FAR, y * width + from, y * width + to);
  }
  spread(toInside, width, height, stepX, stepY);
  spread(toOutside, width, height, stepX, stepY);
  return Float32Array.from(toInside, (inside, i) => Math.sqrt(toOutside[i] as number) - Math.sqrt(inside));
}

/** In place: 0 at what is set and FAR elsewhere becomes the squared distance to what is set. */
function spread(grid: Float64Array, width: number, height: number, stepX: number, stepY: number): void {
  for (let x = 0; x < width; x++) along(grid, x, width, height, stepY);
  for (let y = 0; y < height; y++) along(grid, y * width, 1, width, stepX);
}

function along(grid: Float64Array, start: number, stride: number, count: number, step: number): void {
  const values = Float64Array.from({ length: count }, (_, i) => grid[start + i * stride] as number);
  const [bottoms, bounds] = [new Int32Array(count), new Float64Array(count + 1)];
  const cross = (a: number, b: number) => ((values[b] as number) - (values[a] as number)) / (2 * step * step * (b - a)) + (a + b) / 2;
  let last = 0;
  bounds[0] = Number.NEGATIVE_INFINITY;
  bounds[1] = Number.POSITIVE_INFINITY;
  for (let i = 1; i < count; i++) {
    let at = cross(bottoms[last] as number, i);
    while (at <= (bounds[last] as number)) at = cross(bottoms[--last] as number, i);
    bottoms[++last] = i;
    bounds[last] = at;
    bounds[last + 1] = Number.POSITIVE_INFINITY;
  }
  for (let i = 0, which = 0; i < count; i++) {
    while ((bounds[which + 1] as number) < i) which++;
    const bottom = bottoms[which] as number;
    grid[start + i * stride] = (step * (i - bottom)) ** 2 + (values[bottom] as number);
  }
}
