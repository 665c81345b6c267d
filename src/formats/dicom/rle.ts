// RLE Lossless (PS3.5 annex G): PackBits of each byte plane, the most significant byte of the first sample first.
import { badFile, DAMAGED } from "../fail.ts";

export interface RleLayout {
  readonly pixels: number;
  readonly samples: number;
  readonly bytesPerSample: number;
}

/** Little-endian samples, pixel by pixel: [pixels, samples]. Throws a SamError where the planes do not fit the layout. */
export function unpackRle(frame: Uint8Array, { pixels, samples, bytesPerSample }: RleLayout, path: string): Uint8Array<ArrayBuffer> {
  const fail = (expected: string, got: string) => badFile(path, `RLE data of ${expected}`, got, DAMAGED);
  if (frame.length < 64) throw fail("at least 64 bytes", `${frame.length}`);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const planes = samples * bytesPerSample;
  const count = view.getUint32(0, true);
  if (count !== planes) throw fail(`${planes} planes`, `${count}`);
  // A pair of bytes becomes 128 at most.
  if (pixels * planes > frame.length * 64 + 64) throw fail(`${pixels} pixels`, `${frame.length} bytes, too few for them`);
  const out = new Uint8Array(pixels * planes);
  for (let plane = 0; plane < planes; plane++) {
    const begin = view.getUint32(4 + 4 * plane, true);
    const end = plane + 1 < planes ? view.getUint32(8 + 4 * plane, true) : frame.length;
    if (begin < 64 || end < begin || end > frame.length) throw fail("planes one after another", `plane ${plane + 1} at byte ${begin}`);
    const sample = Math.floor(plane / bytesPerSample);
    const byte = bytesPerSample - 1 - (plane % bytesPerSample);
    const filled = unpackPlane(frame.subarray(begin, end), out, sample * bytesPerSample + byte, planes, pixels);
    if (filled < pixels) throw fail(`${pixels} pixels in each plane`, `${filled} in plane ${plane + 1}`);
  }
  return out;
}

function unpackPlane(packed: Uint8Array, out: Uint8Array, offset: number, stride: number, pixels: number): number {
  let filled = 0;
  let at = 0;
  while (at < packed.length && filled < pixels) {
    const code = packed[at++] as number;
    if (code === 128) continue;
    const length = Math.min(pixels - filled, code < 128 ? code + 1 : 257 - code);
    if (code < 128) {
      const given = Math.min(length, packed.length - at);
      for (let i = 0; i < given; i++) out[offset + stride * (filled + i)] = packed[at + i] as number;
      filled += given;
      at += code + 1;
    } else {
      const value = packed[at++];
      if (value === undefined) break;
      for (let i = 0; i < length; i++) out[offset + stride * (filled + i)] = value;
      filled += length;
    }
  }
  return filled;
}
