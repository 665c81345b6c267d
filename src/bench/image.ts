// An image made by formula, the one PyTorch's goldens were computed on (tests/reference/procedural_image.py).
import type { RawImage } from "../image/image.ts";

const GOLDEN = 0x9e3779b1;

const DISCS = [
  { a: 5, b: 6, q: 4, colour: [70, 40, -30] },
  { a: 11, b: 5, q: 3, colour: [-40, 60, 50] },
  { a: 9, b: 12, q: 3, colour: [50, -30, 60] },
] as const;

function mix32(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** RGB: a gradient, three discs, noise. */
export function benchImage(width: number, height: number, seed: number): RawImage {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const c = i % 3;
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / (3 * width));
    const across = Math.floor((120 * x) / width);
    const down = Math.floor((120 * y) / height);
    const gradient = c === 0 ? 40 + across : c === 1 ? 40 + down : 160 - Math.floor((60 * x) / width) - Math.floor((60 * y) / height);
    const discs = DISCS.reduce((sum, { a, b, q, colour }) => {
      const dx = x - Math.floor((width * a) / 16);
      const dy = y - Math.floor((height * b) / 16);
      const inside = dx * dx + dy * dy < Math.floor((Math.min(width, height) * q) / 16) ** 2;
      return inside ? sum + (colour[c] as number) : sum;
    }, 0);
    data[i] = gradient + discs + (mix32(Math.imul(i, GOLDEN) + seed) >>> 27);
  }
  return { data, width, height, channels: 3 };
}
