// One case of an evaluation as people see it: prompt, truth and prediction on the image.
import type { Answer } from "../eval/protocol.ts";
import { frame, type RawImage, toOriginal } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import type { Prompt } from "../index.ts";
import { rgbPng } from "./image_file.ts";
import { drawOverlay, outline } from "./overlay.ts";

/** base64 PNG; `size` is the side of the network's square, in whose pixels the prompt is. */
export async function drawCase(image: RawImage, truth: Mask, { mask, prompt }: Answer, size: number): Promise<string> {
  const framing = frame(image.width, image.height, size, "pad");
  const original = (x: number, y: number) => toOriginal(framing, x, y);
  const moved: Prompt = {
    ...(prompt.points ? { points: prompt.points.map(({ x, y, label = 1 }) => ({ x: original(x, y)[0], y: original(x, y)[1], label })) } : {}),
    ...(prompt.box ? { box: [...original(prompt.box[0], prompt.box[1]), ...original(prompt.box[2], prompt.box[3])] } : {}),
  };
  const rgb = drawOverlay(image, mask, moved);
  outline(rgb, truth);
  const png = await rgbPng(rgb, image.width, image.height);
  return Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString("base64");
}
