// The procedural image of tests/reference/procedural_image.py, and a fingerprint to compare pixels by.
import type { RawImage } from "../../src/image/image.ts";

const GOLDEN = 0x9e3779b1;

function mix32(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const DISCS = [
  { a: 5, b: 6, q: 4, colour: [70, 40, -30] },
  { a: 11, b: 5, q: 3, colour: [-40, 60, 50] },
  { a: 9, b: 12, q: 3, colour: [50, -30, 60] },
];

/** RGB */
export function proceduralImage(width: number, height: number, seed: number): RawImage {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const gradient = [
        40 + Math.floor((120 * x) / width),
        40 + Math.floor((120 * y) / height),
        160 - Math.floor((60 * x) / width) - Math.floor((60 * y) / height),
      ];
      const inside = DISCS.filter(({ a, b, q }) => {
        const dx = x - Math.floor((width * a) / 16);
        const dy = y - Math.floor((height * b) / 16);
        return dx * dx + dy * dy < Math.floor((Math.min(width, height) * q) / 16) ** 2;
      });
      gradient.forEach((base, c) => {
        const index = (y * width + x) * 3 + c;
        const noise = mix32(Math.imul(index, GOLDEN) + seed) >>> 27;
        data[index] = inside.reduce((sum, { colour }) => sum + (colour[c] as number), base) + noise;
      });
    }
  }
  return { data, width, height, channels: 3 };
}

/** FNV-1a, 32 bits, of the bytes. */
export function fnv1a(array: ArrayBufferView): number {
  let h = 0x811c9dc5;
  for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}
