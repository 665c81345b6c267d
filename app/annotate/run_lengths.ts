// A mask as the lengths of its runs: thousands of numbers instead of millions of pixels.
import type { Mask } from "../../src/index.ts";
import type { Bits } from "./contour.ts";

export interface Runs {
  readonly width: number;
  readonly height: number;
  /** Row by row, through row ends: so many pixels outside, then inside, then outside, …; the first may be 0. */
  readonly lengths: Uint32Array;
  /** Pixels inside. */
  readonly area: number;
}

export function packRuns({ data, width, height }: Mask): Runs {
  const lengths: number[] = [];
  let area = 0;
  for (let at = 0, inside = 0; at < data.length; inside = 1 - inside) {
    const found = data.indexOf(1 - inside, at);
    const end = found === -1 ? data.length : found;
    lengths.push(end - at);
    if (inside) area += end - at;
    at = end;
  }
  return { width, height, lengths: Uint32Array.from(lengths), area };
}

export function unpackRuns({ width, height, lengths }: Runs): Mask {
  const data = new Uint8Array(width * height);
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    if (index % 2 === 1) data.fill(1, at, at + length);
    at += length;
  }
  return { data, width, height };
}

/** The mask at another size, nearest pixels, without unpacking it. */
export function sampleRuns({ width, height, lengths }: Runs, toWidth: number, toHeight: number): Bits {
  const data = new Uint8Array(toWidth * toHeight);
  let run = 0;
  let end = lengths[0] ?? 0;
  for (let y = 0; y < toHeight; y++) {
    const row = Math.floor(((y + 0.5) * height) / toHeight) * width;
    // Enlarged, the same row is sampled again.
    while (run > 0 && end - (lengths[run] as number) > row) end -= lengths[run--] as number;
    for (let x = 0; x < toWidth; x++) {
      const at = row + Math.floor(((x + 0.5) * width) / toWidth);
      while (at >= end && run < lengths.length - 1) end += lengths[++run] as number;
      data[y * toWidth + x] = run % 2;
    }
  }
  return { data, width: toWidth, height: toHeight };
}
