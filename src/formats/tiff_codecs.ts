// LZW, PackBits and the predictors of TIFF.
import { badFile, CUT_OFF, DAMAGED } from "./fail.ts";
import type { ScalarType } from "./voxels.ts";
import { bytesOf } from "./voxels.ts";

/** LZW with the highest bit first, codes of 9 to 12 bits; at most `size` bytes. */
export function unpackLzw(bytes: Uint8Array, size: number, path: string): Uint8Array<ArrayBuffer> {
  if (bytes[0] === 0 && ((bytes[1] as number) & 1) === 1)
    throw badFile(path, "LZW as TIFF 5 and later have it", "the older kind", "Save it again with another compression.");
  const out = new Uint8Array(size);
  // A string is known by where it was first written: at `starts`, `lengths` bytes.
  const starts = new Uint32Array(4098);
  const lengths = new Uint16Array(4098);
  let filled = 0;
  let width = 9;
  let next = 258;
  let before = -1;
  let held = 0;
  let bits = 0;
  for (let at = 0; filled < size; ) {
    while (bits < width) {
      if (at >= bytes.length) throw badFile(path, "LZW data to their end", "data that stop early", CUT_OFF);
      held = ((held << 8) | (bytes[at++] as number)) & 0xffffff;
      bits += 8;
    }
    const code = (held >> (bits - width)) & ((1 << width) - 1);
    bits -= width;
    if (code === 257) break;
    if (code === 256) {
      width = 9;
      next = 258;
      before = -1;
      continue;
    }
    const begin = filled;
    if (code < 256) out[filled++] = code;
    else {
      if (before < 0 || code > next || (code === next && next > 4095)) throw badFile(path, "sound LZW data", "a code not yet made", DAMAGED);
      // A string that is being made now ends with the first byte of itself.
      const [start, length] = code === next ? [before, begin - before + 1] : [starts[code] as number, lengths[code] as number];
      for (let i = 0; i < length && filled < size; i++) out[filled++] = out[start + i] as number;
    }
    if (before >= 0 && next < 4096) {
      starts[next] = before;
      lengths[next] = begin - before + 1;
      next++;
    }
    before = begin;
    width = next >= 2047 ? 12 : next >= 1023 ? 11 : next >= 511 ? 10 : 9;
  }
  return out.subarray(0, filled);
}

export function unpackBytes(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  let filled = 0;
  for (let at = 0; at < bytes.length && filled < size; ) {
    const count = ((bytes[at++] as number) << 24) >> 24;
    if (count >= 0) {
      const run = bytes.subarray(at, at + Math.min(count + 1, size - filled));
      out.set(run, filled);
      filled += run.length;
      at += count + 1;
    } else if (count !== -128) {
      const end = Math.min(filled + 1 - count, size);
      out.fill(bytes[at++] ?? 0, filled, end);
      filled = end;
    }
  }
  return out.subarray(0, filled);
}

/** Each number was stored as its difference to the one before, `stride` numbers back in its row of `width` numbers. In place. */
export function undoDifferences(data: ArrayLike<number>, width: number, stride: number): void {
  const numbers = data as unknown as number[];
  for (let row = 0; row + width <= numbers.length; row += width) {
    for (let i = row + stride; i < row + width; i++) numbers[i] = (numbers[i] as number) + (numbers[i - stride] as number);
  }
}

/** Numbers of 64 bits, which wrap where doubles do not: in place. */
export function undoWideDifferences(bytes: Uint8Array<ArrayBuffer>, width: number, stride: number, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8 * stride; at + 8 <= bytes.length; at += 8) {
    if (at % (8 * width) < 8 * stride) continue;
    view.setBigUint64(at, view.getBigUint64(at, littleEndian) + view.getBigUint64(at - 8 * stride, littleEndian), littleEndian);
  }
  return bytes;
}

/** Floats whose bytes were sorted by significance in each row and then stored as differences: to big-endian bytes. */
export function undoFloatPredictor(bytes: Uint8Array<ArrayBuffer>, width: number, stride: number, type: ScalarType): Uint8Array<ArrayBuffer> {
  const size = bytesOf(type);
  const line = width * size;
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row + line <= bytes.length; row += line) {
    for (let i = row + stride; i < row + line; i++) bytes[i] = (bytes[i] as number) + (bytes[i - stride] as number);
    for (let i = 0; i < width; i++) for (let b = 0; b < size; b++) out[row + i * size + b] = bytes[row + b * width + i] as number;
  }
  return out;
}
