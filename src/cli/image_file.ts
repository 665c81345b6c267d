// PNG and JPEG files in, PNG files out, by the optional package `sharp`.
//
// Pixels are those the reference's image libraries read, to the byte: turned upright by the EXIF orientation (so prompts
// and mask count pixels of the upright image), alpha dropped, palettes expanded, embedded colour profiles left unapplied. More than
// 8 bits are scaled by a range that single pixels do not move, and that is said.
import { type FileHandle, open } from "node:fs/promises";
import type { RawImage } from "../image/image.ts";
import { rangeNotice, robustRange, spreadBytes, toEightBits } from "../image/intensity.ts";
import type { Mask } from "../image/mask.ts";
import { isAddress } from "./dicomweb.ts";
import { damageWords, isWhole, mendPicture } from "../formats/mend.ts";
import { damaged } from "./image_damage.ts";
import { notAnImage } from "./image_kind.ts";
import { type Pixels, readPixels, codec } from "./image_pixels.ts";
import { CommandError, reasonOf } from "./usage.ts";
import { kindOf } from "../bytes/sniff.ts";

export interface ImageFile extends RawImage {
  /** What the reader should know before trusting a mask. */
  readonly notices: readonly string[];
  /** By EXIF, 2 to 8; absent where the file was upright. */
  readonly orientation?: number;
}

export interface ReadOptions {
  /** Use what could be read of a damaged file, and say so. */
  readonly partial?: boolean;
  /** How the user asks for that; offered where a file is damaged. */
  readonly offer?: string;
}

export async function readImage(path: string, options: ReadOptions = {}): Promise<ImageFile> {
  return imageOf(path, await readFilePixels(path, options));
}

/** `path` is for words. */
export function imageOf(path: string, { pixels, notices }: Decoded): ImageFile {
  const { width, height } = pixels;
  const turned = pixels.orientation === undefined ? {} : { orientation: pixels.orientation };
  const { data, channels } = withoutAlpha(pixels);
  if (data instanceof Uint8Array) return { data, width, height, channels, notices, ...turned };
  const bytes = spreadBytes(data);
  if (bytes) return { data: bytes, width, height, channels, notices, ...turned };
  const range = robustRange(data);
  return { data: toEightBits(data, range), width, height, channels, notices: [...notices, rangeNotice(path, range)], ...turned };
}

export interface Decoded {
  readonly pixels: Pixels;
  readonly notices: readonly string[];
}

/** As stored, upright: 1 to 4 channels with alpha last, 8 or 16 bits. */
export async function readFilePixels(path: string, options: ReadOptions = {}): Promise<Decoded> {
  return decode(path, await readPicture(path), options);
}

/** Bytes of a PNG or JPEG file, or of what claims to be one. */
export async function decode(path: string, bytes: Buffer, { partial = false, offer }: ReadOptions = {}): Promise<Decoded> {
  try {
    return { pixels: await readPixels(path, bytes), notices: [] };
  } catch (cause) {
    // What is wrong in the user's words: a size, a missing package, a kind of JPEG.
    if (cause instanceof Error && ["SamError", "CommandError"].includes(cause.name)) throw cause;
    const mended = await mendPicture(Uint8Array.from(bytes));
    const pixels = mended.bytes && (await readPixels(path, Buffer.from(mended.bytes)).catch(() => undefined));
    if (!pixels) throw damaged(path, mended, undefined, cause);
    if (isWhole(mended)) return { pixels, notices: [] };
    if (!partial) throw damaged(path, mended, offer, cause);
    return { pixels, notices: [`${path} is ${damageWords(mended)}: what could be read is used`] };
  }
}

/** Whether a path is for `readImage`: anything but an address, a folder or a file of a kind that only volumes come in. */
export async function isPicture(path: string): Promise<boolean> {
  if (isAddress(path)) return false;
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const found = await file.stat();
    if (found.isDirectory()) return false;
    if (!found.isFile()) return true;
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const kind = kindOf(head.subarray(0, bytesRead));
    const volume = kind?.medium === "scan" || ["tiff", "zip", "gzip", "tar"].includes(kind?.id ?? "");
    return !volume && (kind !== undefined || bytesRead === 0);
  } catch {
    // What is wrong with it is said by whoever reads it.
    return true;
  } finally {
    await file?.close();
  }
}

/** Bytes of a PNG or JPEG file; what is none is named after a look at its start, and not read. */
async function readPicture(path: string): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const found = await file.stat();
    if (found.isDirectory()) throw new CommandError(`cannot read the image ${path}: it is a folder`);
    if (!found.isFile()) return picture(path, await file.readFile());
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    picture(path, head.subarray(0, bytesRead));
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof Error && ["SamError", "CommandError"].includes(cause.name)) throw cause;
    throw new CommandError(`cannot read the image ${path}: ${reasonOf(cause)}`, { cause });
  } finally {
    await file?.close();
  }
}

function picture(path: string, bytes: Buffer): Buffer {
  if (bytes.length === 0) throw new CommandError(`cannot read the image ${path}: it is empty`);
  const head = bytes.subarray(0, 512);
  const id = kindOf(head)?.id;
  if (id !== "png" && id !== "jpeg") throw notAnImage(path, head);
  return bytes;
}

/** The colour of a transparent pixel is the one stored, as PIL's convert("RGB") has it. */
function withoutAlpha({ data, width, height, channels }: Pixels): { data: Uint8Array | Uint16Array; channels: 1 | 3 } {
  if (channels === 1 || channels === 3) return { data, channels };
  const kept = channels === 2 ? 1 : 3;
  const out = data instanceof Uint8Array ? new Uint8Array(width * height * kept) : new Uint16Array(width * height * kept);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < kept; c++) out[pixel * kept + c] = data[pixel * channels + c] as number;
  }
  return { data: out, channels: kept };
}

/** Encoded as 8-bit gray, 255 inside and 0 outside. */
export function maskPng({ data, width, height }: Mask): Promise<Uint8Array> {
  return grayPng(
    data.map((inside) => (inside ? 255 : 0)),
    width,
    height,
  );
}

/** gray [height, width], encoded as 8-bit gray. */
export async function grayPng(gray: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const sharp = await codec();
  return sharp(gray, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
}

/** rgb [height, width, 3], encoded as 8-bit RGB. */
export async function rgbPng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const sharp = await codec();
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
