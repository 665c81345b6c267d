// A drawn image, a click on it, and the mask that PyTorch gets for them from the shipped weights: weights/recipe/known_mask.py.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import type { RawImage } from "../../src/image/image.ts";
import { proceduralImage } from "../image/procedural.ts";
import { ROOT } from "./setup_file.ts";

const FILE = join(ROOT, "weights/sam-med2d-tiny.known.png");

export interface KnownMask {
  readonly image: RawImage;
  /** Original pixels. */
  readonly click: { readonly x: number; readonly y: number };
  /** 1 inside, 0 outside. */
  readonly mask: Uint8Array;
}

export async function knownMask(): Promise<KnownMask> {
  const text = (await sharp(FILE).metadata()).comments?.find(({ keyword }) => keyword === "prompt")?.text ?? "";
  const { image, click } = JSON.parse(text) as { image: { width: number; height: number; seed: number }; click: [number, number] };
  return { image: proceduralImage(image.width, image.height, image.seed), click: { x: click[0], y: click[1] }, mask: await readMaskPng(readFileSync(FILE)) };
}

/** Gray PNG → 1 inside, 0 outside. */
export async function readMaskPng(png: Uint8Array): Promise<Uint8Array> {
  const { data } = await sharp(png).toColourspace("b-w").removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return Uint8Array.from(data, (value) => (value > 127 ? 1 : 0));
}

/** Common pixels as a share of those in either. */
export function iou(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new RangeError(`masks of ${a.length} and ${b.length} pixels`);
  const [both, either] = a.reduce(([both, either], pixel, i) => [both + (pixel & (b[i] as number)), either + (pixel | (b[i] as number))], [0, 0]);
  return both / either;
}
