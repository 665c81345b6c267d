// Prompts of the published evaluation, in model pixels: they are drawn on the mask as the network's square shows it.
import { type Framing, innerSides } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import { nearestIndices } from "../image/preprocess.ts";
import type { Box, Point } from "../index.ts";
import type { Random } from "./random.ts";
import { largestRegionBox } from "./regions.ts";

/** What every mask starts from. */
export interface FirstPrompts {
  readonly box: Box;
  readonly point: Point;
}

/** The mask brought to the square as its image was: [height, width] → [size, size], zeros around. */
export function toSquare({ data, width, height }: Mask, framing: Framing): Mask {
  const { size, left, top, fit } = framing;
  const inner = innerSides(framing);
  const columns = fit === "pad" ? undefined : nearestIndices(width, inner.width);
  const rows = fit === "pad" ? undefined : nearestIndices(height, inner.height);
  const square = new Uint8Array(size * size);
  for (let y = 0; y < inner.height; y++) {
    const from = (rows ? (rows[y] as number) : y) * width;
    const to = (y + top) * size + left;
    for (let x = 0; x < inner.width; x++) square[to + x] = data[from + (columns ? (columns[x] as number) : x)] as number;
  }
  return { data: square, width: size, height: size };
}

/** The box of the largest region, and a random pixel of any; null where the square shows nothing of the mask. */
export function firstPrompts(square: Mask, random: Random): FirstPrompts | null {
  const box = largestRegionBox(square);
  return box ? { box, point: { ...pick(square, random), label: 1 } } : null;
}

/** A random pixel where `current` is wrong: label 1 where it is missing, 0 where it should not be; where nothing is wrong, any pixel, label -1. */
export function correction(current: Uint8Array, truth: Mask, random: Random): Point {
  const wrong = truth.data.map((inside, i) => inside ^ (current[i] as number));
  if (!wrong.includes(1)) return { ...pixel(random.below(wrong.length), truth.width), label: -1 };
  const point = pick({ ...truth, data: wrong }, random);
  return { ...point, label: truth.data[point.y * truth.width + point.x] === 1 ? 1 : 0 };
}

/** A random pixel of the mask, all equally likely. */
function pick({ data, width }: Mask, random: Random): { x: number; y: number } {
  const inside: number[] = [];
  for (let i = data.indexOf(1); i >= 0; i = data.indexOf(1, i + 1)) inside.push(i);
  return pixel(inside[random.below(inside.length)] as number, width);
}

function pixel(index: number, width: number): { x: number; y: number } {
  return { x: index % width, y: Math.floor(index / width) };
}
