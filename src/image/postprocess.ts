// Masks out, on the CPU: of candidates that were not the best, and the oracle of the GPU's resize and threshold.
import { type Framing, innerSides } from "./image.ts";

/**
 * Low-res logits [side, side] → logits [height, width] at original size: bilinear to the square, the part that shows the
 * image cut out, bilinear to the original. One direct step is not the same.
 */
export function upsampleTwin(logits: Float32Array, side: number, framing: Framing): Float32Array {
  const { size, left, top, width, height, fit } = framing;
  const square = bilinear(logits, side, side, size, size);
  const inner = innerSides(framing);
  const cut = new Float32Array(inner.width * inner.height);
  for (let y = 0; y < inner.height; y++) {
    const from = (y + top) * size + left;
    cut.set(square.subarray(from, from + inner.width), y * inner.width);
  }
  return fit === "pad" ? cut : bilinear(cut, inner.width, inner.height, width, height);
}

/** Logits [side, side] → the mask at original size; `probabilities` are resized instead, in one step. */
export function insideOf(logits: Float32Array, framing: Framing, probabilities: boolean): Uint8Array<ArrayBuffer> {
  const side = Math.sqrt(logits.length);
  if (!probabilities) return thresholdTwin(upsampleTwin(logits, side, framing));
  const half = logits.map((logit) => 1 / (1 + Math.exp(-logit)) - 0.5);
  return thresholdTwin(bilinear(half, side, side, framing.width, framing.height));
}

/** 1 where sigmoid > 0.5. */
export function thresholdTwin(upsampled: Float32Array): Uint8Array<ArrayBuffer> {
  const inside = new Uint8Array(upsampled.length);
  for (let i = 0; i < inside.length; i++) inside[i] = (upsampled[i] as number) > 0 ? 1 : 0;
  return inside;
}

/** Bilinear with align_corners false, no antialiasing: [fromHeight, fromWidth] → [height, width]. */
export function bilinear(values: Float32Array, fromWidth: number, fromHeight: number, width: number, height: number): Float32Array {
  const across = neighbours(fromWidth, width);
  const down = neighbours(fromHeight, height);
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const upper = (down.low[y] as number) * fromWidth;
    const lower = (down.high[y] as number) * fromWidth;
    const v = down.weight[y] as number;
    for (let x = 0; x < width; x++) {
      const left = across.low[x] as number;
      const right = across.high[x] as number;
      const u = across.weight[x] as number;
      const top = (1 - u) * (values[upper + left] as number) + u * (values[upper + right] as number);
      out[y * width + x] = (1 - v) * top + v * ((1 - u) * (values[lower + left] as number) + u * (values[lower + right] as number));
    }
  }
  return out;
}

/**
 * For each target the sources on both sides and the weight of the higher one. Positions in single precision, as PyTorch and the kernel
 * compute them: on a wide image they decide the last bits.
 */
function neighbours(from: number, to: number): { readonly low: Uint32Array; readonly high: Uint32Array; readonly weight: Float32Array } {
  const ratio = Math.fround(from / to);
  const [low, high, weight] = [new Uint32Array(to), new Uint32Array(to), new Float32Array(to)];
  for (let target = 0; target < to; target++) {
    const position = Math.max(0, Math.fround(Math.fround(ratio * Math.fround(target + 0.5)) - 0.5));
    low[target] = Math.min(Math.floor(position), from - 1);
    high[target] = Math.min((low[target] as number) + 1, from - 1);
    weight[target] = Math.min(1, Math.fround(position - (low[target] as number)));
  }
  return { low, high, weight };
}
