// Masks out, on the CPU: the oracle of the GPU's resize and threshold.
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
    const { low: top, high: bottom, weight: v } = down[y] as Neighbours;
    for (let x = 0; x < width; x++) {
      const { low: left, high: right, weight: u } = across[x] as Neighbours;
      const at = (row: number, column: number) => values[row * fromWidth + column] as number;
      out[y * width + x] = (1 - v) * ((1 - u) * at(top, left) + u * at(top, right)) + v * ((1 - u) * at(bottom, left) + u * at(bottom, right));
    }
  }
  return out;
}

interface Neighbours {
  readonly low: number;
  readonly high: number;
  /** Of `high`. */
  readonly weight: number;
}

/** Positions in single precision, as PyTorch and the kernel compute them: on a wide image they decide the last bits. */
function neighbours(from: number, to: number): Neighbours[] {
  const ratio = Math.fround(from / to);
  return Array.from({ length: to }, (_, target) => {
    const position = Math.max(0, Math.fround(Math.fround(ratio * Math.fround(target + 0.5)) - 0.5));
    const low = Math.min(Math.floor(position), from - 1);
    return { low, high: Math.min(low + 1, from - 1), weight: Math.min(1, Math.fround(position - low)) };
  });
}
