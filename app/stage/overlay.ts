// Masks as something to draw: one tinted picture of all of them, and an outline of each.
import { boundsOf, type Runs } from "../../src/volume/index.ts";
import { type Bits, contours } from "../annotate/contour.ts";
import { rgbOf } from "../annotate/labels.ts";
import type { Result } from "../model/inference.ts";

/** More pixels a side than any stage shows. */
const LIMIT = 2048;

export interface Marked {
  readonly id: number;
  readonly runs: Runs;
  readonly colour: string;
  /** The one that is worked on: its line is stronger. */
  readonly current: boolean;
}

export interface Overlay {
  /** The masks' pixels in their colours, fully opaque, the rest clear; scaled up by `factor` it covers the image. */
  readonly tint: HTMLCanvasElement;
  readonly factor: number;
  readonly outlines: readonly { readonly id: number; readonly path: Path2D; readonly colour: string; readonly current: boolean }[];
}

export function makeOverlay(marked: readonly Marked[], width: number, height: number): Overlay {
  const factor = factorOf(width, height);
  const [columns, rows] = [Math.ceil(width / factor), Math.ceil(height / factor)];
  const pixels = new ImageData(columns, rows);
  const abgr = new Uint32Array(pixels.data.buffer);
  for (const { runs, colour } of marked) fillRuns(runs, width, factor, columns, rows, abgr, inkOf(colour));
  const tint = document.createElement("canvas");
  tint.width = columns;
  tint.height = rows;
  tint.getContext("2d")?.putImageData(pixels, 0, 0);
  return { tint, factor, outlines: marked.map(({ id, runs, colour, current }) => ({ id, path: outlineOf(runs, width, height), colour, current })) };
}

/** Its pixels over the image, in original pixels of the context's own place. */
export function drawTint(context: CanvasRenderingContext2D, { tint, factor }: Overlay, opacity: number): void {
  const smoothing = context.imageSmoothingEnabled;
  context.imageSmoothingEnabled = false;
  context.globalAlpha = opacity;
  context.drawImage(tint, 0, 0, tint.width * factor, tint.height * factor);
  context.globalAlpha = 1;
  context.imageSmoothingEnabled = smoothing;
}

/** A path in original pixels, put in place, with lines as wide everywhere. */
export function strokePath(
  context: CanvasRenderingContext2D,
  path: Path2D,
  place: DOMMatrix,
  styles: readonly (readonly [width: number, style: string])[],
): void {
  const placed = new Path2D();
  placed.addPath(path, place);
  context.lineJoin = "round";
  for (const [width, style] of styles) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(placed);
  }
}

const paths = new WeakMap<Runs, Path2D>();

/** In original pixels, of a mask of any size; found once for a mask, which is of one image only. */
export function outlineOf(runs: Runs, width: number, height: number): Path2D {
  const known = paths.get(runs);
  if (known) return known;
  const path = new Path2D();
  const bounds = boundsOf(runs, width);
  if (bounds) {
    const factor = factorOf(width, height);
    const [columns, rows] = [Math.ceil(width / factor), Math.ceil(height / factor)];
    // Only the part that something is in.
    const [left, top] = [Math.floor(bounds[0] / factor), Math.floor(bounds[1] / factor)];
    const [right, bottom] = [Math.min(columns, Math.ceil(bounds[2] / factor)), Math.min(rows, Math.ceil(bounds[3] / factor))];
    const whole = fillRuns(runs, width, factor, columns, rows, new Uint8Array(columns * rows), 1);
    const part: Bits = { data: new Uint8Array((right - left) * (bottom - top)), width: right - left, height: bottom - top };
    for (let y = top; y < bottom; y++) part.data.set(whole.subarray(y * columns + left, y * columns + right), (y - top) * part.width);
    for (const loop of contours(part)) {
      path.moveTo(((loop[0] as number) + left) * factor, ((loop[1] as number) + top) * factor);
      for (let i = 2; i < loop.length; i += 2) path.lineTo(((loop[i] as number) + left) * factor, ((loop[i + 1] as number) + top) * factor);
      path.closePath();
    }
  }
  paths.set(runs, path);
  return path;
}

/** A candidate as small as it is shown to be chosen, out of its logits: no mask at full size is made for it. Clear where they are not kept. */
export function tinted({ logits, count, framing }: Result, candidate: number, width: number, height: number, colour: string): HTMLCanvasElement {
  const pixels = new ImageData(width, height);
  const abgr = new Uint32Array(pixels.data.buffer);
  const ink = inkOf(colour);
  const cells = (logits?.length ?? 0) / count;
  const side = Math.sqrt(cells);
  // From a pixel's middle to the place between the middles of four cells.
  const [stepX, stepY] = [(framing.width * framing.scaleX * side) / framing.size / width, (framing.height * framing.scaleY * side) / framing.size / height];
  const [left, top] = [(framing.left * side) / framing.size - 0.5, (framing.top * side) / framing.size - 0.5];
  const last = (place: number) => Math.max(0, Math.min(side - 1, place));
  const at = (x: number, y: number) => logits?.[candidate * cells + last(y) * side + last(x)] as number;
  for (let y = 0; logits && y < height; y++) {
    const v = top + (y + 0.5) * stepY;
    const [row, down] = [Math.floor(v), v - Math.floor(v)];
    for (let x = 0; x < width; x++) {
      const u = left + (x + 0.5) * stepX;
      const [column, right] = [Math.floor(u), u - Math.floor(u)];
      const upper = at(column, row) * (1 - right) + at(column + 1, row) * right;
      const lower = at(column, row + 1) * (1 - right) + at(column + 1, row + 1) * right;
      if (upper * (1 - down) + lower * down > 0) abgr[y * width + x] = ink;
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas;
}

const factorOf = (width: number, height: number) => Math.max(1, Math.ceil(Math.max(width, height) / LIMIT));

function inkOf(colour: string): number {
  const [red, green, blue] = rgbOf(colour);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The mask thinned by `factor`: enough for a screen. */
function fillRuns<T extends Uint8Array | Uint32Array>(runs: Runs, width: number, factor: number, columns: number, rows: number, into: T, value: number): T {
  if (factor === 1) {
    for (let i = 0; i < runs.length; i += 2) into.fill(value, runs[i], runs[i + 1]);
    return into;
  }
  const middle = factor >> 1;
  for (let y = 0; y < rows; y++) {
    const row = (y * factor + middle) * width;
    for (let run = firstAfter(runs, row); run < runs.length && (runs[run] as number) < row + width; run += 2) {
      const begin = Math.max(0, Math.ceil(((runs[run] as number) - row - middle) / factor));
      const end = Math.min(columns, Math.ceil(((runs[run + 1] as number) - row - middle) / factor));
      if (end > begin) into.fill(value, y * columns + begin, y * columns + end);
    }
  }
  return into;
}

/** The first run that ends after a pixel. */
function firstAfter(runs: Runs, pixel: number): number {
  let [low, high] = [0, runs.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[2 * middle + 1] as number) <= pixel) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}
