// A mask that was saved from this page, coming back.
import type { Picture } from "./samples.ts";

/** `scan-mask.png`, `scan-mask (1).png` */
const NAME = /^(.+)-mask(?: ?\(\d+\))?\.png$/i;

export function isMaskName(name: string): boolean {
  return NAME.test(name);
}

/** The base name of its image. */
export function maskOwner(name: string): string | undefined {
  return NAME.exec(name)?.[1];
}

/** [height, width], 0 or 1; null for a picture of more than black and one other gray. */
export function bitsOf({ data, width, height }: Picture): Uint8Array<ArrayBuffer> | null {
  const bits = new Uint8Array(width * height);
  let ink = 0;
  for (let i = 0, at = 0; i < bits.length; i++, at += 4) {
    const value = data[at] as number;
    if (value !== data[at + 1] || value !== data[at + 2]) return null;
    if (value === 0) continue;
    if (ink !== 0 && value !== ink) return null;
    ink = value;
    bits[i] = 1;
  }
  return bits;
}
