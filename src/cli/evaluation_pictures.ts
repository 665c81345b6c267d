// One case of an evaluation as people see it: prompt, truth and prediction on the image.
import type { Answer } from "../eval/protocol.ts";
import { frame, type RawImage, toOriginal } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import type { Box } from "../index.ts";
import { rgbPng } from "./image_file.ts";
import { drawOverlay, lineWidth, outline } from "./overlay.ts";

/** base64 PNG; `size` is the side of the network's square, in whose pixels the prompt is. */
export async function drawCase(image: RawImage, truth: Mask, { mask, prompt }: Answer, size: number): Promise<string> {
  const framing = frame(image.width, image.height, size, "pad");
  const original = (x: number, y: number) => toOriginal(framing, x, y);
  const points = prompt.points?.map(({ x, y, label = 1 }) => ({ x: original(x, y)[0], y: original(x, y)[1], label })) ?? [];
  const rgb = drawOverlay(image, mask, { points });
  outline(rgb, truth);
  if (prompt.box) {
    const [x0, y0, x1, y1] = prompt.box as Box;
    dashedBox(rgb, image, [...original(x0, y0), ...original(x1, y1)]);
  }
  const png = await rgbPng(rgb, image.width, image.height);
  return Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString("base64");
}

/** White and black by turns, which is seen on any image and is neither truth nor prediction. */
function dashedBox(rgb: Uint8Array, { width, height }: RawImage, box: Box): void {
  const [x0, y0, x1, y1] = box.map(Math.round) as [number, number, number, number];
  const unit = lineWidth(width, height);
  for (let y = Math.max(0, y0); y < Math.min(height, y1); y++) {
    for (let x = Math.max(0, x0); x < Math.min(width, x1); x++) {
      const across = x < x0 + unit || x >= x1 - unit;
      if (!across && y >= y0 + unit && y < y1 - unit) continue;
      const along = across ? y - y0 : x - x0;
      rgb.fill(Math.floor(along / (4 * unit)) % 2 ? 0 : 255, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
}
