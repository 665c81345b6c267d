// Images and masks of an evaluation in any format that is read: one slice each, as the network sees it, or its values.
import type { TruthPixels } from "../eval/truth.ts";
import { between, firstWindow, render, type Volume } from "../volume/index.ts";
import { type ImageFile, isPicture, readFilePixels, readImage } from "./image_file.ts";
import type { Pixels } from "./image_pixels.ts";
import { openPaths } from "./open_paths.ts";

/** Images are read one after another, and each is small. */
const SILENT = { progress: () => undefined, clear: () => undefined };

export async function readAnyImage(path: string): Promise<ImageFile> {
  if (await isPicture(path)) return readImage(path);
  const volume = await onlySlice(path);
  const window = volume.samples >= 3 || volume.palette ? between("as stored", 0, 255) : await firstWindow(volume);
  const shown = volume.samples >= 3 || volume.palette ? [] : [`${path} is shown through the window ${window.name} (${window.center}, ${window.width})`];
  return { ...render(await volume.slice(0), window, volume), notices: [...shown, ...volume.notes] };
}

/** Pixels of a mask as they are stored. */
export async function readAnyPixels(path: string): Promise<TruthPixels & Pick<Pixels, "orientation">> {
  if (await isPicture(path)) return (await readFilePixels(path)).pixels;
  const volume = await onlySlice(path);
  const { data, rows, columns, samples } = await volume.slice(0);
  if (data instanceof Uint8Array || data instanceof Uint16Array) return { data, width: columns, height: rows, channels: samples };
  const odd = data.find((value) => !Number.isInteger(value) || value < 0 || value > 65535);
  if (odd !== undefined) throw new Error(`the mask must hold 0 and 1, or 0 and 255, got ${odd}: save it as whole numbers`);
  return { data: Uint16Array.from(data), width: columns, height: rows, channels: samples };
}

async function onlySlice(path: string): Promise<Volume> {
  const { volumes, refused } = await openPaths([path], SILENT, new AbortController().signal);
  const [volume] = volumes;
  if (!volume) throw new Error(`cannot open ${path}: ${refused[0]?.reason ?? "there is no image in it"}`);
  const slices = volumes.reduce((sum, one) => sum + one.slices, 0);
  if (slices !== 1) throw new Error(`${path} must hold one slice, as images and masks of a dataset do, got ${slices}: write each slice to a file of its own`);
  return volume;
}
