// JPEG, WebP, AVIF, GIF and BMP: what a browser, or sharp on the command line, decodes.
import { SamError } from "../errors.ts";
import type { Samples, Volume } from "../volume/volume.ts";
import { badFile, baseName, DAMAGED } from "./fail.ts";
import { isCmykJpeg } from "./jpeg/odd.ts";
import { damageWords, mendPicture } from "./mend.ts";
import { fullRange } from "./png.ts";
import type { DecodedPixels, FileEntry, ReadContext, ReadResult } from "./reader.ts";

/** MIME type by a file's first 16 bytes. */
export function pictureType(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, 16));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.slice(4, 8) === "ftyp" && /avi[fs]|mif1|msf1/.test(text.slice(8))) return "image/avif";
  if (/^GIF8[79]a/.test(text)) return "image/gif";
  if (text.startsWith("BM")) return "image/bmp";
  return undefined;
}

export async function readPicture(entry: FileEntry, context: ReadContext = {}): Promise<ReadResult> {
  const { path, source } = entry;
  const bytes = await source.read(0, source.size, context.signal);
  const type = pictureType(bytes);
  if (!type) throw badFile(path, "a JPEG, WebP, AVIF, GIF or BMP picture", "another file", "Open it by what it is.");
  const decode = context.decoders?.picture ?? (typeof createImageBitmap === "function" ? browserPicture : undefined);
  if (!decode) throw badFile(path, "a picture that can be decoded here", type, "Save it as PNG.");
  let picture: DecodedPixels;
  try {
    const inks = isCmykJpeg(bytes) && context.decoders && !context.decoders.picture;
    picture = inks ? await context.decoders.decode("jpeg-cmyk", bytes, context.signal) : await decode(type, bytes, context.signal);
  } catch (cause) {
    context.signal?.throwIfAborted();
    // A decoder that knows better.
    if (cause instanceof SamError) throw cause;
    const mended = type === "image/jpeg" ? await mendPicture(bytes) : undefined;
    if (mended?.odd) throw badFile(path, "a picture that is read here", mended.odd, "Save it as PNG.", cause);
    throw badFile(path, `a sound picture (${type})`, mended ? `one that is ${damageWords(mended)}` : "one that can't be decoded", DAMAGED, cause);
  }
  const { data, columns, rows } = picture;
  const samples = picture.samples as Samples;
  const notes = mayHaveLost(type, bytes) ? ["The picture was compressed with loss."] : [];
  const volume: Volume = {
    name: baseName(path),
    format: type.slice(6).toUpperCase(),
    columns,
    rows,
    slices: 1,
    samples,
    windows: samples <= 2 ? [fullRange(8)] : [],
    inverted: false,
    files: [path],
    notes,
    slice: async () => ({ data, rows, columns, samples }),
  };
  return { volumes: [volume], refused: [] };
}

/** WebP names its chunks: `VP8 ` is the one with loss. */
function mayHaveLost(type: string, bytes: Uint8Array): boolean {
  if (type === "image/webp") return String.fromCharCode(...bytes.subarray(12, 4096)).includes("VP8 ");
  return type === "image/jpeg" || type === "image/avif";
}

/** Upright and in sRGB, through a canvas; a picture whose colours are all gray comes back gray. */
export async function browserPicture(type: string, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<DecodedPixels> {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }), { imageOrientation: "from-image", premultiplyAlpha: "none" });
  signal?.throwIfAborted();
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas of this size");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  let gray = true;
  for (let i = 0; i < data.length && gray; i += 4) gray = data[i] === data[i + 1] && data[i] === data[i + 2];
  const samples = gray ? 1 : 3;
  const out = new Uint8Array(width * height * samples);
  for (let i = 0, at = 0; i < data.length; i += 4) for (let s = 0; s < samples; s++) out[at++] = data[i + s] as number;
  return { data: out, rows: height, columns: width, samples };
}
