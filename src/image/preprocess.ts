// Pixels in: the square the network sees, one word a pixel, still 8-bit. The patch embedding normalises as it reads.
import { type ChannelOrder, type Framing, innerSides, type RawImage } from "./image.ts";

/** Marks a pixel of the image; padding has 0 there, and becomes zero after normalising. */
const VALID = 0xff000000;

/**
 * image [height, width, channels] → [size, size] words `c0 | c1 << 8 | c2 << 16 | valid << 24`, where c0 is the network's
 * channel 0 (blue for "bgr") and valid is 255 inside the image, 0 in the padding.
 */
export function preprocess(image: RawImage, framing: Framing, channelOrder: ChannelOrder): Uint32Array<ArrayBuffer> {
  const { size, left, top, fit } = framing;
  const inner = innerSides(framing);
  const shown = fit === "long-side" ? resizeSmoothly(image, inner.width, inner.height) : image;
  const { data, width, channels } = shown;
  const columns = fit === "resize" ? nearestIndices(image.width, size) : undefined;
  const rows = fit === "resize" ? nearestIndices(image.height, size) : undefined;
  const [first, second, third] = channels === 1 ? [0, 0, 0] : channelOrder === "bgr" ? [2, 1, 0] : [0, 1, 2];

  const words = new Uint32Array(size * size);
  for (let y = 0; y < inner.height; y++) {
    const row = (rows ? (rows[y] as number) : y) * width;
    const to = (y + top) * size + left;
    for (let x = 0; x < inner.width; x++) {
      const at = (row + (columns ? (columns[x] as number) : x)) * channels;
      words[to + x] = VALID | (data[at + first] as number) | ((data[at + second] as number) << 8) | ((data[at + third] as number) << 16);
    }
  }
  return words;
}

/**
 * Source index of each of `size` targets along an axis of `source` pixels.
 *
 * The reference's image library multiplies by the reciprocal of a ratio, in double precision. Where
 * `target * source / size` is whole this can fall one short of it, as for source 372 and size 256.
 */
export function nearestIndices(source: number, size: number): Uint32Array {
  const step = 1 / (size / source);
  return Uint32Array.from({ length: size }, (_, target) => Math.min(Math.floor(target * step), source - 1));
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
