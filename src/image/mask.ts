// Binary masks at original size.
import type { Framing } from "./image.ts";

export interface Mask {
  /** [height, width], 0 or 1. Of an answer, made when it is read: hold it where it is needed again. */
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

/** A mask as it is kept: pixel `i` in bit `i % 32` of word `i / 32`, or the logits to make it of. */
export interface PackedMask {
  readonly width: number;
  readonly height: number;
  bits?: Uint32Array;
  /** [4g, 4g], in model space */
  readonly logits?: Float32Array;
  readonly framing?: Framing;
  /** Resized as probabilities, straight to the image's size. */
  readonly probabilities?: boolean;
}

const packed = new WeakMap<Mask, PackedMask>();

let upsampling: typeof import("./postprocess.ts") | undefined;

/** To be awaited before masks are made of logits. */
export async function fetchUpsampling(): Promise<void> {
  upsampling ??= await import("./postprocess.ts");
}

/** What `maskOf` was given. */
export function packedOf(mask: Mask): PackedMask | undefined {
  return packed.get(mask);
}

/** Kept packed: its bytes are made when they are asked for, and again once nobody holds them. */
export function maskOf(kept: PackedMask): Mask {
  const { width, height } = kept;
  let held: WeakRef<Uint8Array> | undefined;
  const mask: Mask = {
    width,
    height,
    get data() {
      const made = held?.deref() ?? bytesOf(kept);
      held = new WeakRef(made);
      return made;
    },
  };
  packed.set(mask, kept);
  return mask;
}

function bytesOf(kept: PackedMask): Uint8Array {
  const { width, height, bits, logits, framing, probabilities } = kept;
  if (bits) return unpackBits(bits, width * height);
  if (!logits || !framing || !upsampling) throw new RangeError("a mask of neither bits nor logits");
  const inside = upsampling.insideOf(logits, framing, probabilities === true);
  kept.bits = packBits(inside);
  return inside;
}

export function unpackBits(words: Uint32Array, length: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = ((words[i >> 5] as number) >>> (i & 31)) & 1;
  return data;
}

export function packBits(data: Uint8Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(data.length / 32));
  for (let i = 0; i < data.length; i++) words[i >> 5] = (words[i >> 5] as number) | ((data[i] as number) << (i & 31));
  return words;
}
