// PNG and JPEG files in, PNG files out, by the optional package `sharp`.
//
// Pixels are those the reference's image library reads, to the byte: turned upright by the EXIF orientation (so prompts
// and mask count pixels of the upright image), alpha dropped, palettes expanded, the high byte of 16-bit values, embedded
// colour profiles left unapplied.
import { open, readFile } from "node:fs/promises";
import { SamError } from "../errors.ts";
import { checkSides, type RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import { CommandError, reasonOf } from "./usage.ts";

export interface ImageFile extends RawImage {
  /** What the reader should know before trusting a mask. */
  readonly warning?: string;
}

/** A 16-bit image darker than this, of 255, after the cut to 8 bits was not windowed. */
const DARK = 64;

async function codec(): Promise<typeof import("sharp").default> {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    throw new CommandError("reading and writing images needs the optional package sharp, which is not installed: npm install sharp", { cause });
  }
}

export async function readImage(path: string): Promise<ImageFile> {
  await checkKind(path);
  const sharp = await codec();
  const bytes = await readFile(path);
  try {
    const options = { failOn: "error", ignoreIcc: true, limitInputPixels: false } as const;
    // From the header: a file that declares a huge image is refused before any of it is decoded.
    const { autoOrient, depth } = await sharp(bytes, options).metadata();
    checkSides(path, autoOrient.width, autoOrient.height);
    const { data, info } = await sharp(bytes, options).autoOrient().removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    const image: RawImage = { data, width: info.width, height: info.height, channels: info.channels === 1 ? 1 : 3 };
    if (depth !== "ushort" || data.some((value) => value >= DARK)) return image;
    return { ...image, warning: `${path} has 16 bits a pixel and is nearly black in its upper 8, the ones used: window it to 8 bits first` };
  } catch (cause) {
    if (cause instanceof SamError) throw cause;
    throw notAnImage(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function checkKind(path: string): Promise<void> {
  const head = new Uint8Array(8);
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).isDirectory()) throw new CommandError(`cannot read the image ${path}: it is a folder`);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      if (bytesRead === 0) throw new CommandError(`cannot read the image ${path}: it is empty`);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`cannot read the image ${path}: ${reasonOf(cause)}`, { cause });
  }
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47) || starts(0xff, 0xd8, 0xff)) return;
  throw notAnImage(path, `a file that begins with ${[...head].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`);
}

function notAnImage(path: string, got: string, cause?: unknown): SamError {
  const facts = { code: "image", op: path, expected: "a PNG or JPEG image", got: got.replace(/\s+/g, " ").trim(), remedy: "Convert it to PNG first." } as const;
  return new SamError(facts, cause === undefined ? undefined : { cause });
}

/** Encoded as 8-bit gray, 255 inside and 0 outside. */
export async function maskPng({ data, width, height }: Mask): Promise<Uint8Array> {
  const sharp = await codec();
  const gray = data.map((inside) => (inside ? 255 : 0));
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
