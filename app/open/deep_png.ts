// PNG of 16 bits a channel: a canvas would keep the high byte only, which of many a scan is black.
import { decode } from "fast-png";
import { robustRange, spreadBytes, toEightBits } from "../../src/formats/index.ts";
import type { OpenedImage } from "./images.ts";

/** Throws whatever the decoder does where the file is damaged. */
export async function openDeepPng(bytes: Uint8Array, name: string): Promise<OpenedImage> {
  const { width, height, channels, data } = decode(bytes, { checkCrc: true });
  const colours = channels < 3 ? 1 : 3;
  const values = new Uint16Array(width * height * colours);
  for (let pixel = 0, i = 0; pixel < width * height; pixel++) {
    // Alpha is ignored, never blended.
    for (let c = 0; c < colours; c++) values[i++] = data[pixel * channels + c] as number;
  }
  const spread = spreadBytes(values);
  const range = robustRange(values);
  const shown = spread ?? toEightBits(values, range);
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) rgba[4 * pixel + c] = shown[pixel * colours + (colours === 1 ? 0 : c)] as number;
    rgba[4 * pixel + 3] = 255;
  }
  const picture = { data: rgba, width, height };
  if (spread) return { picture };
  const words = `${name} has 16 bits a channel: values from ${range.low} to ${range.high} are shown, and segmented, as black to white.`;
  return { picture, notice: `${words} The outermost 0.5 % at either end are cut. For another window, save it in 8 bits.` };
}
