// The picture people look at: the image with the mask tinted, its contour, and the prompt that was given.
import type { Prompt } from "../index.ts";
import type { RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";

type Colour = readonly [red: number, green: number, blue: number];

const MASK: Colour = [30, 144, 255];
const BOX: Colour = [255, 200, 0];
const TRUTH: Colour = [255, 230, 0];
const WHITE: Colour = [255, 255, 255];
const POINTS: ReadonlyMap<number, Colour> = new Map([
  [1, [40, 200, 60]],
  [0, [230, 40, 40]],
  [-1, [128, 128, 128]],
]);
const TINT = 0.4;

/** Marks stay visible on large images and do not hide small ones. */
export function lineWidth(width: number, height: number): number {
  return Math.max(1, Math.round(Math.min(width, height) / 256));
}

/** RGB [height, width, 3] */
export function drawOverlay(image: RawImage, mask: Mask, { points = [], box }: Prompt): Uint8Array {
  const { width, height, channels } = image;
  const rgb = new Uint8Array(width * height * 3);
  const paint = (x: number, y: number, colour: Colour, opacity: number) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = (y * width + x) * 3;
    for (let c = 0; c < 3; c++) rgb[at + c] = Math.round((rgb[at + c] as number) * (1 - opacity) + (colour[c] as number) * opacity);
  };
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask.data[y * width + x] === 1;
  const unit = lineWidth(width, height);

  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      for (let c = 0; c < 3; c++) rgb[pixel * 3 + c] = image.data[pixel * channels + (channels === 1 ? 0 : c)] as number;
      if (!inside(x, y)) continue;
      const edge = !inside(x - unit, y) || !inside(x + unit, y) || !inside(x, y - unit) || !inside(x, y + unit);
      paint(x, y, MASK, edge ? 1 : TINT);
    }
  }
  if (box) {
    const [x0, y0, x1, y1] = box.map(Math.round) as [number, number, number, number];
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        if (x < x0 + unit || x >= x1 - unit || y < y0 + unit || y >= y1 - unit) paint(x, y, BOX, 1);
      }
    }
  }
  for (const { x, y, label = 1 } of points) {
    const radius = 3 * unit;
    const column = Math.floor(x);
    const row = Math.floor(y);
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const distance = Math.hypot(dx, dy);
        if (distance <= radius) paint(column + dx, row + dy, distance > radius - unit ? WHITE : (POINTS.get(label) ?? WHITE), 1);
      }
    }
  }
  return rgb;
}

/** The rim of the mask, painted into RGB [height, width, 3]. */
export function outline(rgb: Uint8Array, { data, width, height }: Mask): void {
  const unit = lineWidth(width, height);
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = inside(x, y) && !(inside(x - unit, y) && inside(x + unit, y) && inside(x, y - unit) && inside(x, y + unit));
      if (edge) rgb.set(TRUTH, (y * width + x) * 3);
    }
  }
}
