// A frame's bytes to values: unpacked, stored bits taken out, colours to RGB, then slope and intercept or the modality's table.
import { bufferSource } from "../../bytes/byte_source.ts";
import type { Slice, SliceData } from "../../volume/volume.ts";
import { badFile, CUT_OFF, DAMAGED } from "../fail.ts";
import type { DecodedPixels, PixelDecoders } from "../reader.ts";
import { scalars } from "../voxels.ts";
import { codestreamOf, withColorMarker } from "./codestream.ts";
import { applyPalette, fullYbrToRgb, type Lut, unhalved } from "./color.ts";
import { type Fragment, frameFragments, readFragments } from "./fragments.ts";
import type { PackedFrame } from "./file.ts";
import type { DicomImage } from "./image.ts";
import { unpackRle } from "./rle.ts";

type Stored = SliceData;

export type FrameReader = (index: number, signal?: AbortSignal) => Promise<Stored>;

/** Stored samples of frame `index`, [rows, columns, samples], sign and all; colours as RGB. */
export function storedFrames(image: DicomImage, decoders?: PixelDecoders): FrameReader {
  let fragments: Promise<readonly (readonly Fragment[])[]> | undefined;
  return async (index, signal) => {
    if (image.file.frame) return givenFrame(image, await image.file.frame(index, signal), decoders, signal);
    if (image.pixels.length !== undefined && !image.file.syntax.packing) return toRgb(image, await nativeFrame(image, index, signal));
    fragments ??= frameFragments(image, signal).catch((error) => {
      fragments = undefined;
      throw error;
    });
    const bytes = await readFragments(image, (await fragments)[index] ?? [], signal);
    return packedFrame(image, bytes, decoders, signal);
  };
}

/** A frame that came by itself is read as a file of one. */
async function givenFrame(image: DicomImage, { bytes, syntax }: PackedFrame, decoders?: PixelDecoders, signal?: AbortSignal): Promise<Stored> {
  const { rows, columns, samples, bitsAllocated, photometric } = image;
  const { frame: _, ...rest } = image.file;
  const file = { ...rest, source: bufferSource(bytes, image.file.path), syntax };
  if (syntax.packing) return packedFrame({ ...image, file }, bytes, decoders, signal);
  const full = rows * columns * samples * (bitsAllocated / 8);
  const halved = photometric.endsWith("_422") && samples === 3 && bytes.length < full;
  const wanted = Math.ceil(halved ? (full * 2) / 3 : full);
  if (bytes.length < wanted) throw badFile(file.path, `${wanted} bytes for ${rows} × ${columns} pixels`, `${bytes.length} bytes from the server`, CUT_OFF);
  const one = { ...image, file, halved, pixels: { ...image.pixels, offset: 0, length: bytes.length } };
  return toRgb(one, await nativeFrame(one, 0, signal));
}

/** Values of frame `index` in the modality's units. */
export function valueFrames(image: DicomImage, decoders?: PixelDecoders): (index: number, signal?: AbortSignal) => Promise<Slice> {
  const stored = storedFrames(image, decoders);
  const { rows, columns } = image;
  return async (index, signal) => {
    const data = await stored(index, signal);
    if (image.palette) return { data: applyPalette(data, image.palette), rows, columns, samples: 3 };
    if (image.samples === 3) return { data, rows, columns, samples: 3 };
    return { data: toModality(image, index, data), rows, columns, samples: 1 };
  };
}

/** Looks at the beginning of the first frame: a wrong syntax or a missing decoder is said when the file is opened. Gives whether pixels lost something. */
export async function checkPacked(image: DicomImage, decoders: PixelDecoders | undefined, signal?: AbortSignal): Promise<{ lossy: boolean }> {
  const { path, syntax, source } = image.file;
  const groups = await frameFragments(image, signal);
  const [first] = groups[0] as readonly Fragment[];
  if (!first) throw badFile(path, "compressed pixels", "none", CUT_OFF);
  if (syntax.packing === undefined) return { lossy: false };
  if (syntax.packing === "rle") return { lossy: false };
  const head = await source.read(first.offset, Math.min(first.length, 1 << 14), signal);
  const seen = expectCodestream(image, head);
  if (!decoders) throw badFile(path, "uncompressed pixels", `pixels compressed as ${syntax.name}`, "Open it with decoders for compressed pixels.");
  return { lossy: seen.kind === "jpeg" || seen.kind === "jpeg-12bit" || seen.lossy === true };
}

function expectCodestream(image: DicomImage, head: Uint8Array) {
  const { path, syntax } = image.file;
  const seen = codestreamOf(head);
  const wavelet = syntax.packing === "jpeg-2000" || syntax.packing === "htj2k";
  if (!seen) {
    const begin = [...head.subarray(0, 2)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const expected = wavelet ? "a JPEG 2000 codestream, which begins with ff 4f" : "a JPEG, which begins with ff d8 and says its size";
    throw badFile(path, `${expected} (${syntax.name})`, `data that begin with ${begin}`, DAMAGED);
  }
  if (seen.rows !== image.rows || seen.columns !== image.columns || seen.samples !== image.samples) {
    const said = `${image.columns} × ${image.rows} pixels of ${image.samples} samples, as the header says`;
    throw badFile(path, said, `${seen.columns} × ${seen.rows} of ${seen.samples} in the compressed frame`, DAMAGED);
  }
  return seen;
}

async function nativeFrame(image: DicomImage, index: number, signal?: AbortSignal): Promise<Stored> {
  const { file, pixels, rows, columns, samples, bitsAllocated, halved } = image;
  const { source, syntax } = file;
  const count = rows * columns * samples;
  if (bitsAllocated === 1) {
    // Frames follow each other bit by bit, without filling up bytes.
    const begin = index * count;
    const first = Math.floor(begin / 8);
    const bytes = await source.read(pixels.offset + first, Math.ceil((begin + count) / 8) - first, signal);
    return Uint8Array.from({ length: count }, (_, i) => ((bytes[((begin % 8) + i) >> 3] as number) >> ((begin + i) & 7)) & 1);
  }
  const length = (halved ? (count * 2) / 3 : count) * (bitsAllocated / 8);
  const swapped = bitsAllocated === 8 && !syntax.littleEndian && pixels.vr === "OW";
  const begin = pixels.offset + index * length;
  const bytes = swapped ? await swappedBytes(image, begin, length, signal) : await source.read(begin, length, signal);
  const big = !syntax.littleEndian || syntax.uid === "1.2.840.113619.5.2";
  const stored = fromBytes(image, halved ? unhalved(bytes) : bytes, !big);
  return image.planar ? interleaved(stored, rows * columns) : stored;
}

/** Bytes that were swapped as words, from any offset. */
async function swappedBytes({ file: { source } }: DicomImage, begin: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const start = begin - (begin % 2);
  const words = (await source.read(start, Math.min(source.size - start, Math.ceil((begin - start + length) / 2) * 2), signal)).slice();
  for (let i = 0; i + 1 < words.length; i += 2) [words[i], words[i + 1]] = [words[i + 1] as number, words[i] as number];
  return words.slice(begin - start, begin - start + length);
}

function fromBytes(image: DicomImage, bytes: Uint8Array<ArrayBuffer>, littleEndian: boolean): Stored {
  if (image.type !== "integer") return scalars(bytes, image.type, littleEndian);
  const type = image.bitsAllocated === 8 ? "uint8" : image.bitsAllocated === 16 ? "uint16" : "uint32";
  return storedBits(image, scalars(bytes, type, littleEndian) as Uint8Array | Uint16Array | Uint32Array);
}

/** Bits stored, wherever they lie among those allocated; what lies beside them (overlays) is no part of the value. */
function storedBits({ bitsStored, highBit, signed, bitsAllocated }: DicomImage, raw: ArrayLike<number>): Stored {
  const shift = highBit + 1 - bitsStored;
  const length = raw.length;
  const out = signed
    ? new (bitsAllocated <= 8 ? Int8Array : bitsAllocated <= 16 ? Int16Array : Int32Array)(length)
    : new (bitsAllocated <= 8 ? Uint8Array : bitsAllocated <= 16 ? Uint16Array : Uint32Array)(length);
  // Shifted up against the sign bit, then down again, filled with zeros or the sign.
  const up = 32 - bitsStored - shift;
  const down = 32 - bitsStored;
  if (signed) for (let i = 0; i < length; i++) out[i] = ((raw[i] as number) << up) >> down;
  else for (let i = 0; i < length; i++) out[i] = ((raw[i] as number) << up) >>> down;
  return out;
}

function interleaved(data: Stored, pixels: number): Stored {
  const out = data.slice();
  for (let sample = 0; sample < 3; sample++) for (let i = 0; i < pixels; i++) out[3 * i + sample] = data[sample * pixels + i] as number;
  return out;
}

async function packedFrame(image: DicomImage, bytes: Uint8Array<ArrayBuffer>, decoders?: PixelDecoders, signal?: AbortSignal): Promise<Stored> {
  const { file, rows, columns, samples, bitsAllocated } = image;
  const { path, syntax } = file;
  if (syntax.packing === "rle") {
    const layout = { pixels: rows * columns, samples, bytesPerSample: Math.max(1, bitsAllocated / 8) };
    // One bit a pixel is packed as bits, eight to a byte (PS3.5 annex G.2).
    if (bitsAllocated === 1) {
      const packed = unpackRle(bytes, { ...layout, pixels: Math.ceil((rows * columns) / 8) }, path);
      return Uint8Array.from({ length: rows * columns }, (_, i) => ((packed[i >> 3] as number) >> (i & 7)) & 1);
    }
    return toRgb(image, fromBytes(image, unpackRle(bytes, layout, path), true));
  }
  // Encapsulated, but not compressed.
  if (!syntax.packing) return toRgb(image, fromBytes(image, bytes, true));
  const seen = expectCodestream(image, bytes);
  if (!decoders) throw badFile(path, "uncompressed pixels", `pixels compressed as ${syntax.name}`, "Open it with decoders for compressed pixels.");
  const marked = seen.kind === "jpeg" && samples === 3 && !seen.colorMarked && image.photometric === "RGB" ? withColorMarker(bytes, 0) : bytes;
  let decoded: DecodedPixels;
  try {
    decoded = await decoders.decode(seen.kind, marked, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw badFile(path, `pixels of ${syntax.name}`, "data that cannot be decoded", DAMAGED, cause);
  }
  const count = rows * columns * samples;
  if (decoded.data.length !== count) throw badFile(path, `${count} samples in a frame`, `${decoded.data.length}`, DAMAGED);
  const stored = storedBits({ ...image, highBit: image.bitsStored - 1 }, decoded.data);
  // The DCT and wavelet decoders have undone their own colours.
  return seen.kind === "jpeg" || seen.kind === "jpeg-12bit" ? stored : toRgb(image, stored);
}

function toRgb({ photometric, samples, bitsAllocated }: DicomImage, stored: Stored): Stored {
  if (samples !== 3 || bitsAllocated !== 8 || !/^YBR_FULL/.test(photometric)) return stored;
  const rgb = new Uint8Array(stored);
  fullYbrToRgb(rgb);
  return rgb;
}

function toModality({ frames, modalityLut }: DicomImage, index: number, stored: Stored): Stored {
  if (modalityLut) return throughLut(stored, modalityLut);
  const { slope, intercept } = frames[index] as { slope: number; intercept: number };
  if (slope === 1 && intercept === 0) return stored;
  const out = scaledArray(stored, slope, intercept);
  for (let i = 0; i < stored.length; i++) out[i] = (stored[i] as number) * slope + intercept;
  return out;
}

function throughLut(stored: Stored, { first, entries }: Lut): Uint16Array {
  const last = entries.length - 1;
  const out = new Uint16Array(stored.length);
  for (let i = 0; i < stored.length; i++) out[i] = entries[Math.max(0, Math.min(last, (stored[i] as number) - first))] as number;
  return out;
}

const RANGES: readonly (readonly [new (length: number) => Stored, number, number])[] = [
  [Int16Array, -32768, 32767],
  [Uint16Array, 0, 65535],
  [Int32Array, -2147483648, 2147483647],
];

/** The smallest integers that hold every stored value once scaled; floats where slope or intercept has a fraction. */
function scaledArray(stored: Stored, slope: number, intercept: number): Stored {
  if (!Number.isInteger(slope) || !Number.isInteger(intercept) || stored instanceof Float32Array || stored instanceof Float64Array) {
    return stored instanceof Float64Array ? new Float64Array(stored.length) : new Float32Array(stored.length);
  }
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of stored) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const ends = [low * slope + intercept, high * slope + intercept];
  const found = RANGES.find(([, from, to]) => Math.min(...ends) >= from && Math.max(...ends) <= to);
  return found ? new found[0](stored.length) : new Float64Array(stored.length);
}
