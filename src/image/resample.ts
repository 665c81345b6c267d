// Resizings of the original SAM's, MedSAM's and LiteMedSAM's own code, to within one gray level. Fetched when such a model gets an image.
import type { RawImage } from "./image.ts";

/** What target pixels along an axis are made of: `count` sources each, with the weights that go with them. */
interface Axis {
  readonly count: number;
  /** [targets, count] */
  readonly sources: Int32Array;
  readonly weights: Float64Array;
}

/** What the network subtracts from each channel and divides it by, [2, 4], so that pixels of `preprocess` come to 0 … 1 by the image's own range. */
export function ownColours(pixels: Uint32Array): Float32Array<ArrayBuffer> {
  let [low, high] = [255, 0];
  for (const pixel of pixels) {
    if (pixel >>> 24 === 0) continue;
    for (let shift = 0; shift < 24; shift += 8) {
      const value = (pixel >>> shift) & 255;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const range = Math.max(high - low, 1e-8);
  return Float32Array.of(low, low, low, 0, range, range, range, 1);
}

/** OpenCV's INTER_AREA: covered parts where it shrinks, its own linear weights where it stretches; rounded to 8 bits. */
export function resizeArea(image: RawImage, width: number, height: number): RawImage {
  return toBytes(apply(image, areaAxis(image.width, width), areaAxis(image.height, height)), image, width, height);
}

/** scikit-image's resize of order 3: Gaussian where it shrinks, cubic B-spline through the pixels, mirrored edges; in the image's range, truncated. */
export function resizeCubic(image: RawImage, width: number, height: number): RawImage {
  const { data } = image;
  let [low, high] = [255, 0];
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const across = splineAxis(image.width, width);
  const down = splineAxis(image.height, height);
  const smooth = apply(image, gaussianAxis(image.width, width), gaussianAxis(image.height, height));
  const coefficients = splineCoefficients(smooth, image.width, image.height, image.channels);
  const values = applyTo(coefficients, image.width, image.channels, across, down);
  return toBytes(values, image, width, height, (value) => Math.trunc(Math.min(high, Math.max(low, value)) + 1e-9));
}

function toBytes(values: Float64Array, { channels }: RawImage, width: number, height: number, whole = (value: number) => value): RawImage {
  // Clamped bytes round halves to even.
  return { data: Uint8ClampedArray.from(values, whole), width, height, channels };
}

function apply({ data, width, channels }: RawImage, across: Axis, down: Axis): Float64Array {
  return applyTo(data, width, channels, across, down);
}

/** [height, width, channels] → [targets down, targets across, channels]; rows already narrowed are kept while they may be needed again. */
function applyTo(data: ArrayLike<number>, width: number, channels: number, across: Axis, down: Axis): Float64Array {
  const columns = across.sources.length / across.count;
  const rows = down.sources.length / down.count;
  const out = new Float64Array(rows * columns * channels);
  const narrowed = new Map<number, Float64Array>();
  const row = (source: number): Float64Array => {
    const known = narrowed.get(source);
    if (known) return known;
    const made = new Float64Array(columns * channels);
    for (let x = 0; x < columns; x++) {
      for (let k = x * across.count; k < (x + 1) * across.count; k++) {
        const weight = across.weights[k] as number;
        const from = (source * width + (across.sources[k] as number)) * channels;
        for (let c = 0; c < channels; c++) made[x * channels + c] = (made[x * channels + c] as number) + weight * (data[from + c] as number);
      }
    }
    narrowed.set(source, made);
    return made;
  };
  for (let y = 0; y < rows; y++) {
    let first = Number.POSITIVE_INFINITY;
    for (let k = y * down.count; k < (y + 1) * down.count; k++) {
      const weight = down.weights[k] as number;
      first = Math.min(first, down.sources[k] as number);
      if (weight === 0) continue;
      const values = row(down.sources[k] as number);
      for (let i = 0; i < values.length; i++) out[y * values.length + i] = (out[y * values.length + i] as number) + weight * (values[i] as number);
    }
    for (const source of narrowed.keys()) if (source < first) narrowed.delete(source);
  }
  return out;
}

function axisOf(targets: number, count: number, of: (target: number, k: number) => readonly [source: number, weight: number]): Axis {
  const sources = new Int32Array(targets * count);
  const weights = new Float64Array(targets * count);
  for (let i = 0; i < targets * count; i++) {
    const [source, weight] = of(Math.floor(i / count), i % count);
    sources[i] = source;
    weights[i] = weight;
  }
  return { count, sources, weights };
}

function areaAxis(source: number, size: number): Axis {
  const scale = source / size;
  const last = source - 1;
  if (scale >= 1) {
    return axisOf(size, Math.ceil(scale) + 1, (target, k) => {
      const [begin, end] = [target * scale, Math.min((target + 1) * scale, source)];
      const i = Math.floor(begin) + k;
      return [Math.min(i, last), Math.max(0, Math.min(i + 1, end) - Math.max(i, begin)) / (end - begin)];
    });
  }
  return axisOf(size, 2, (target, k) => {
    const low = Math.floor(target * scale);
    const part = target + 1 - (low + 1) / scale;
    const high = part <= 0 ? 0 : part - Math.floor(part);
    return [Math.min(low + k, last), k === 0 ? 1 - high : high];
  });
}

/** … 2 1 | 0 1 2 … n-1 | n-2 n-3 …: the edge pixel itself is not repeated. */
function mirrored(i: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((i % period) + period) % period;
  return inside < size ? inside : period - inside;
}

/** Standard deviations half of what the side shrinks by, cut at four of them. */
function gaussianAxis(source: number, size: number): Axis {
  const sigma = Math.max(0, (source / size - 1) / 2);
  const radius = sigma > 0 ? Math.trunc(4 * sigma + 0.5) : 0;
  const heights = Array.from({ length: 2 * radius + 1 }, (_, k) => (sigma > 0 ? Math.exp(-((k - radius) ** 2) / (2 * sigma * sigma)) : 1));
  const total = heights.reduce((sum, height) => sum + height, 0);
  return axisOf(source, heights.length, (target, k) => [mirrored(target + k - radius, source), (heights[k] as number) / total]);
}

function splineAxis(source: number, size: number): Axis {
  return axisOf(size, 4, (target, k) => {
    const at = ((target + 0.5) * source) / size - 0.5;
    const first = Math.floor(at) - 1;
    return [mirrored(first + k, source), cubic(at - first - k)];
  });
}

/** The cubic B-spline. */
function cubic(x: number): number {
  const a = Math.abs(x);
  if (a < 1) return (4 - 6 * a * a + 3 * a * a * a) / 6;
  return a < 2 ? (2 - a) ** 3 / 6 : 0;
}

const POLE = Math.sqrt(3) - 2;

/** Coefficients whose spline passes through the values, along both axes; mirrored edges. In place. */
function splineCoefficients(values: Float64Array, width: number, height: number, channels: number): Float64Array {
  for (let y = 0; y < height; y++) for (let c = 0; c < channels; c++) filter(values, y * width * channels + c, channels, width);
  for (let i = 0; i < width * channels; i++) filter(values, i, width * channels, height);
  return values;
}

/** One line of `count` values, `stride` apart: a recursive filter there and back. */
function filter(values: Float64Array, first: number, stride: number, count: number): void {
  if (count === 1) return;
  const at = (i: number) => values[first + i * stride] as number;
  let start = at(0);
  // Mirrored once around both ends: the sum over a whole period, closed.
  let power = POLE;
  let sum = start + POLE ** (count - 1) * at(count - 1);
  for (let i = 1; i < count - 1; i++) {
    sum += (power + POLE ** (2 * count - 2) / power) * at(i);
    power *= POLE;
  }
  start = sum / (1 - POLE ** (2 * count - 2));
  let previous = 6 * start;
  values[first] = previous;
  for (let i = 1; i < count; i++) {
    previous = 6 * at(i) + POLE * previous;
    values[first + i * stride] = previous;
  }
  previous = (POLE / (POLE * POLE - 1)) * (previous + POLE * at(count - 2));
  values[first + (count - 1) * stride] = previous;
  for (let i = count - 2; i >= 0; i--) {
    previous = POLE * (previous - at(i));
    values[first + i * stride] = previous;
  }
}

/** Bilinear, with the triangle widened by the ratio where the image shrinks; rounded to 8 bits, halves to even. */
export function resizeSmoothly(image: RawImage, width: number, height: number): RawImage {
  const { data, channels } = image;
  if (width === image.width && height === image.height) return image;
  const across = triangleTaps(image.width, width);
  const down = triangleTaps(image.height, height);
  const out = new Uint8ClampedArray(height * width * channels);
  // Rows already narrowed, kept while they are under the triangle of the row being made.
  const narrowed = new Map<number, Float32Array>();
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y] as Taps;
    for (const row of narrowed.keys()) if (row < first) narrowed.delete(row);
    const sum = new Float32Array(width * channels);
    weights.forEach((weight, k) => {
      const row = narrowed.get(first + k) ?? narrow(data.subarray((first + k) * image.width * channels), across, channels);
      narrowed.set(first + k, row);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (row[i] as number);
    });
    out.set(sum, y * width * channels);
  }
  return { data: out, width, height, channels };
}

/** Source pixels `first …` and what each adds to one target pixel; the weights sum to 1. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

function triangleTaps(source: number, size: number): Taps[] {
  const ratio = source / size;
  const radius = Math.max(1, ratio);
  return Array.from({ length: size }, (_, target) => {
    const centre = (target + 0.5) * ratio;
    const first = Math.max(0, Math.trunc(centre - radius + 0.5));
    const end = Math.min(source, Math.trunc(centre + radius + 0.5));
    const heights = Array.from({ length: end - first }, (_, k) => Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / radius));
    const total = heights.reduce((sum, height) => sum + height, 0);
    return { first, weights: heights.map((height) => height / total) };
  });
}

function narrow(row: Uint8Array | Uint8ClampedArray, taps: readonly Taps[], channels: number): Float32Array {
  const out = new Float32Array(taps.length * channels);
  taps.forEach(({ first, weights }, x) => {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (row[(first + k) * channels + c] as number);
      out[x * channels + c] = sum;
    }
  });
  return out;
}
