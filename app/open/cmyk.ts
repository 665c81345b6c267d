// JPEG in inks: browsers show them a little otherwise than the readers whose pixels networks were trained on.
import { isCmykJpeg } from "../../src/formats/index.ts";
import type { OpenedImage } from "./images.ts";
import { keeper } from "./slices.ts";

/** Colour profiles of printers come before the frame, and take half a megabyte. */
const HEADER = 1 << 21;

export async function isCmyk(file: Blob): Promise<boolean> {
  return isCmykJpeg(new Uint8Array(await file.slice(0, HEADER).arrayBuffer()));
}

/** Throws whatever the decoder does where the file is damaged. */
export async function openCmyk(file: Blob): Promise<OpenedImage> {
  const { data: rgb, rows: height, columns: width } = await keeper().decoders.decode("jpeg-cmyk", new Uint8Array(await file.arrayBuffer()));
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = rgb[3 * i + c] as number;
  return { picture: { data, width, height } };
}
