// How well the rim of a mask fits the truth's, and in how many pieces a mask is: what a person sees that Dice hardly counts.
import { boundingBox, type Mask } from "../image/mask.ts";

/** Share of the image's diagonal that a rim may be off and still counts, as in the DAVIS benchmark; a pixel at least. */
const TOLERANCE = 0.008;

/**
 * Boundary F-score, 0 to 1: the harmonic mean of the share of the mask's rim that lies within the tolerance of the truth's, and of the
 * truth's rim within that of the mask's. A rim is the inside pixels with an outside pixel, or the image's edge, above, below, left
 * or right. Both empty: 1; one empty: 0. Both masks are of one size.
 */
export function boundaryF(mask: Mask, truth: Mask): number {
  const boxes = [boundingBox(mask), boundingBox(truth)];
  const [one, other] = boxes;
  if (!one || !other) return one === other ? 1 : 0;
  const tolerance = Math.max(1, TOLERANCE * Math.hypot(truth.width, truth.height));
  // Nothing of either rim lies outside both boxes.
  const window = { x0: Math.min(one[0], other[0]), y0: Math.min(one[1], other[1]), x1: Math.max(one[2], other[2]), y1: Math.max(one[3], other[3]) };
  const [rim, wanted] = [rimOf(mask, window), rimOf(truth, window)];
  const [width, height] = [window.x1 - window.x0, window.y1 - window.y0];
  const precision = shareWithin(rim, squaredDistances(wanted, width, height), tolerance);
  const recall = shareWithin(wanted, squaredDistances(rim, width, height), tolerance);
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

interface Window {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

function rimOf({ data, width, height }: Mask, { x0, y0, x1, y1 }: Window): Uint8Array {
  const rim = new Uint8Array((x1 - x0) * (y1 - y0));
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      if (inside(x, y) && !(inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1))) rim[(y - y0) * (x1 - x0) + x - x0] = 1;
    }
  }
  return rim;
}

function shareWithin(rim: Uint8Array, squared: Float64Array, tolerance: number): number {
  let all = 0;
  let near = 0;
  for (let i = 0; i < rim.length; i++) {
    if (rim[i] !== 1) continue;
    all++;
    if ((squared[i] as number) <= tolerance * tolerance) near++;
  }
  return near / all;
}

/** [height, width]: of each pixel to the nearest set one, exact: along columns, then the lower envelope of parabolas along rows. */
function squaredDistances(set: Uint8Array, width: number, height: number): Float64Array {
  const out = Float64Array.from(set, (value) => (value === 1 ? 0 : FAR));
  for (let x = 0; x < width; x++) envelope(out, x, width, height);
  for (let y = 0; y < height; y++) envelope(out, y * width, 1, width);
  return out;
}

/** Beyond any distance in an image, squared. */
const FAR = 1e12;

/** In place over `count` values from `begin`, `step` apart (Felzenszwalb and Huttenlocher). */
function envelope(values: Float64Array, begin: number, step: number, count: number): void {
  const f = Float64Array.from({ length: count }, (_, i) => values[begin + i * step] as number);
  const at = new Int32Array(count);
  const from = new Float64Array(count + 1);
  let last = 0;
  from[0] = Number.NEGATIVE_INFINITY;
  from[1] = Number.POSITIVE_INFINITY;
  const height = (i: number) => (f[i] as number) + i * i;
  for (let i = 1; i < count; i++) {
    let meets = (height(i) - height(at[last] as number)) / (2 * (i - (at[last] as number)));
    while (meets <= (from[last] as number)) {
      last--;
      meets = (height(i) - height(at[last] as number)) / (2 * (i - (at[last] as number)));
    }
    last++;
    at[last] = i;
    from[last] = meets;
    from[last + 1] = Number.POSITIVE_INFINITY;
  }
  for (let i = 0, k = 0; i < count; i++) {
    while ((from[k + 1] as number) < i) k++;
    const parabola = at[k] as number;
    values[begin + i * step] = (i - parabola) ** 2 + (f[parabola] as number);
  }
}
