// Binary masks at original size.

export interface Mask {
  /** [height, width], 0 or 1 */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Pixels inside. */
export function area({ data }: Mask): number {
  let sum = 0;
  for (const pixel of data) sum += pixel;
  return sum;
}

/** `[x0, y0, x1, y1)` around all pixels inside, or null for an empty mask. */
export function boundingBox({ data, width, height }: Mask): [number, number, number, number] | null {
  let x0 = width;
  let x1 = 0;
  let y0 = height;
  let y1 = 0;
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first < 0) continue;
    x0 = Math.min(x0, first);
    x1 = Math.max(x1, row.lastIndexOf(1) + 1);
    y0 = Math.min(y0, y);
    y1 = y + 1;
  }
  return x1 > x0 ? [x0, y0, x1, y1] : null;
}

/** The GPU's answer, pixel `i` in bit `i % 32` of word `i / 32`, as one byte a pixel. */
export function unpackBits(words: Uint32Array, width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) data[i] = ((words[i >> 5] as number) >>> (i & 31)) & 1;
  return { data, width, height };
}
