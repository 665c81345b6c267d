// A mask as something to draw: a tinted picture and an outline.
import type { Mask } from "../../src/index.ts";
import { contours, reduced } from "../annotate/contour.ts";

export const MASK_COLOURS = { cyan: "#22c7e8", lime: "#9be22d", amber: "#ffb020", magenta: "#f35bd0" } as const;
export type MaskColour = keyof typeof MASK_COLOURS;

/** More pixels a side than any stage shows. */
const LIMIT = 2048;

export interface Overlay {
  /** The mask's pixels in the colour, fully opaque, the rest clear; scaled up by `factor` it covers the image. */
  readonly tint: HTMLCanvasElement;
  /** In original pixels. */
  readonly outline: Path2D;
  readonly factor: number;
  readonly colour: string;
}

export function makeOverlay(mask: Mask, colourName: MaskColour): Overlay {
  const colour = MASK_COLOURS[colourName];
  const { bits, factor } = reduced(mask, LIMIT);
  return { tint: tinted(bits, colour), outline: outlined(contours(bits), factor), factor, colour };
}

/** In original pixels, of a mask of any size. */
export function outlineOf(mask: Mask): Path2D {
  const { bits, factor } = reduced(mask, LIMIT);
  return outlined(contours(bits), factor);
}

export function tinted({ data, width, height }: Mask, colour: string): HTMLCanvasElement {
  const pixels = new ImageData(width, height);
  const [red, green, blue] = [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16));
  const abgr = new Uint32Array(pixels.data.buffer);
  const ink = ((255 << 24) | ((blue as number) << 16) | ((green as number) << 8) | (red as number)) >>> 0;
  for (let i = 0; i < data.length; i++) if (data[i]) abgr[i] = ink;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas;
}

function outlined(loops: readonly number[][], factor: number): Path2D {
  const path = new Path2D();
  for (const loop of loops) {
    path.moveTo((loop[0] as number) * factor, (loop[1] as number) * factor);
    for (let i = 2; i < loop.length; i += 2) path.lineTo((loop[i] as number) * factor, (loop[i + 1] as number) * factor);
    path.closePath();
  }
  return path;
}
