// Strips and tiles of one TIFF page to its samples.
import { type ByteSource, bufferSource } from "../bytes/byte_source.ts";
import type { Samples, SliceData } from "../volume/volume.ts";
import { badFile, byteCount, CUT_OFF, DAMAGED } from "./fail.ts";
import { inflateAll, MAX_RATIO } from "./inflate.ts";
import { unpackBits } from "./png.ts";
import type { ReadContext } from "./reader.ts";
import { undoDifferences, undoFloatPredictor, undoWideDifferences, unpackBytes, unpackLzw } from "./tiff_codecs.ts";
import { type Page, TAG } from "./tiff_directory.ts";
import { unpackFax } from "./tiff_fax.ts";
import { type ScalarType, scalars } from "./voxels.ts";

/** What a page's pixels are; pages of the same form make one volume. */
export interface Form {
  readonly columns: number;
  readonly rows: number;
  readonly samples: Samples;
  readonly bits: number;
  /** "uint", "int" or "float" */
  readonly kind: string;
  readonly photometric: number;
}

const JPEG = 7;
const JPEG_2000 = [33003, 33004, 33005, 34712];
/** How many bytes one packed byte becomes at most. */
const RATIOS: Record<number, number> = { 1: 1, 5: 2000, 7: 20_000, 8: MAX_RATIO, 32946: MAX_RATIO, 32773: 64 };
const NAMES: Record<number, string> = {
  6: "JPEG of the older kind",
  34676: "SGI LogLuv",
  34677: "SGI LogLuv",
  34887: "LERC",
  34925: "LZMA",
  50000: "Zstandard",
  50001: "WebP",
};
const COLOURS: Record<number, string> = {
  4: "a transparency mask",
  8: "CIE Lab colour",
  9: "ICC Lab colour",
  10: "ITU Lab colour",
  32803: "a camera's raw mosaic",
  32844: "LogL",
  32845: "LogLuv",
};
const RESAVE = "Save it again without compression, or with LZW or deflate.";
const MAX_SIDE = 1 << 20;
const MAX_PIXELS = 2 ** 30;

export function formOf(page: Page, path: string): Form {
  const [columns, rows] = [page.number(TAG.columns, 0), page.number(TAG.rows, 0)];
  const photometric = page.number(TAG.photometric, 1);
  const samples = page.number(TAG.samples, 1);
  const bits = page.number(TAG.bits, 1);
  const format = page.number(TAG.sampleFormat, 1);
  if (!(columns >= 1 && rows >= 1 && columns <= MAX_SIDE && rows <= MAX_SIDE && columns * rows <= MAX_PIXELS)) {
    throw badFile(
      path,
      `1 to ${MAX_SIDE} pixels a side, and at most 2^30 of them`,
      `${columns}×${rows}`,
      "The header is damaged, or the picture is too large: save a part of it.",
    );
  }
  if (![1, 2, 3, 4].includes(samples)) throw badFile(path, "1 to 4 samples a pixel", `${samples}`, "Save its channels as pages.");
  if (COLOURS[photometric]) throw badFile(path, "gray, RGB, palette, YCbCr or CMYK", `${COLOURS[photometric]}`, "Save it as gray or RGB.");
  if (page.numbers(TAG.bits).some((other) => other !== bits))
    throw badFile(path, "as many bits in each sample", page.numbers(TAG.bits).join(", "), "Save it with 8 or 16 bits a sample.");
  const kind = format === 3 ? "float" : format === 2 ? "int" : "uint";
  const known = kind === "float" ? [16, 32, 64].includes(bits) : kind === "int" ? [8, 16, 32, 64].includes(bits) : (bits >= 1 && bits <= 32) || bits === 64;
  if (!known || format > 4)
    throw badFile(path, "samples of 1 to 64 bits, whole or floats", `${bits} bits of format ${format}`, "Save it with 8 or 16 bits, or as 32-bit floats.");
  return { columns, rows, samples: samples as Samples, bits, kind, photometric };
}

interface Blocks {
  readonly offsets: readonly number[];
  readonly bytes: readonly number[];
  readonly columns: number;
  readonly rows: number;
  readonly across: number;
  readonly down: number;
  readonly planes: number;
}

/** Where strips or tiles lie. Throws where they can't be all there, before anything is allocated. */
export function blocksOf(page: Page, form: Form, size: number, path: string): Blocks {
  const tiled = page.numbers(TAG.tileOffsets).length > 0;
  const columns = tiled ? page.number(TAG.tileColumns, 0) : form.columns;
  const rows = tiled ? page.number(TAG.tileRows, 0) : Math.min(form.rows, page.number(TAG.rowsPerStrip, form.rows));
  if (!(columns >= 1 && rows >= 1 && columns <= MAX_SIDE && rows <= MAX_SIDE))
    throw badFile(path, "strips or tiles of at least one pixel", `${columns}×${rows}`, DAMAGED);
  const planes = page.number(TAG.planar, 1) === 2 ? form.samples : 1;
  const [across, down] = [Math.ceil(form.columns / columns), Math.ceil(form.rows / rows)];
  const count = across * down * planes;
  const offsets = page.numbers(tiled ? TAG.tileOffsets : TAG.stripOffsets);
  const compression = page.number(TAG.compression, 1);
  const one = Math.ceil((columns * (form.samples / planes) * form.bits) / 8) * rows;
  let bytes = page.numbers(tiled ? TAG.tileBytes : TAG.stripBytes);
  // Some old writers leave the counts out where nothing is compressed.
  if (bytes.length < count && compression === 1) bytes = offsets.map((offset) => Math.min(one, size - offset));
  if (offsets.length < count || bytes.length < count) {
    throw badFile(path, `${count} strips or tiles, for the pixels that the header asks for`, `${Math.min(offsets.length, bytes.length)}`, CUT_OFF);
  }
  const name = NAMES[compression];
  if (name) throw badFile(path, "no compression, LZW, deflate, PackBits, fax, JPEG or JPEG 2000", name, RESAVE);
  const fax = compression >= 2 && compression <= 4;
  const ratio = fax ? 8 * columns : (RATIOS[compression] ?? (JPEG_2000.includes(compression) ? 20_000 : undefined));
  if (ratio === undefined) throw badFile(path, "no compression, LZW, deflate, PackBits, fax, JPEG or JPEG 2000", `compression ${compression}`, RESAVE);
  let there = 0;
  for (let i = 0; i < count; i++) {
    const [offset, length] = [offsets[i] as number, bytes[i] as number];
    if (!(length >= 0 && offset + length <= size))
      throw badFile(path, `${byteCount(length)} of pixels at byte ${offset}`, `a file of ${byteCount(size)}`, CUT_OFF);
    there += length;
  }
  const needed = Math.ceil((form.columns * (form.samples / planes) * form.bits) / 8) * form.rows * planes;
  if (needed > there * ratio)
    throw badFile(path, `data for the ${byteCount(needed)} of pixels that the header asks for`, `${byteCount(there)}${ratio > 1 ? " packed" : ""}`, CUT_OFF);
  return { offsets, bytes, columns, rows, across, down, planes };
}

/** All samples of a page, [rows, columns, samples], as stored; YCbCr is turned into RGB. */
export async function pixelsOf(page: Page, form: Form, source: ByteSource, path: string, context: ReadContext): Promise<SliceData> {
  const blocks = blocksOf(page, form, source.size, path);
  const { columns, rows, samples } = form;
  const perBlock = samples / blocks.planes;
  let out: SliceData | undefined;
  for (let plane = 0, i = 0; plane < blocks.planes; plane++) {
    for (let y = 0; y < blocks.down; y++) {
      for (let x = 0; x < blocks.across; x++, i++) {
        const left = x * blocks.columns;
        const top = y * blocks.rows;
        const tall = Math.min(blocks.rows, rows - top);
        // A strip ends with the picture, a tile goes on.
        const height = blocks.across > 1 || page.numbers(TAG.tileOffsets).length > 0 ? blocks.rows : tall;
        const packed = await source.read(blocks.offsets[i] as number, blocks.bytes[i] as number, context.signal);
        const values = await blockOf(page, form, packed, { columns: blocks.columns, rows: height, samples: perBlock }, path, context);
        out ??= new (values.constructor as new (length: number) => SliceData)(columns * rows * samples);
        const wide = Math.min(blocks.columns, columns - left);
        for (let row = 0; row < tall; row++) {
          const from = row * blocks.columns * perBlock;
          const to = ((top + row) * columns + left) * samples;
          if (blocks.planes === 1) out.set(values.subarray(from, from + wide * samples) as never, to);
          else for (let c = 0; c < wide; c++) out[to + c * samples + plane] = values[from + c] as number;
        }
      }
    }
  }
  const done = out as SliceData;
  if (form.photometric === 6 && ![JPEG, ...JPEG_2000].includes(page.number(TAG.compression, 1))) return rgbOf(done, form, page, path);
  return done;
}

interface Block {
  readonly columns: number;
  readonly rows: number;
  readonly samples: number;
}

async function blockOf(page: Page, form: Form, packed: Uint8Array<ArrayBuffer>, block: Block, path: string, context: ReadContext): Promise<SliceData> {
  const { bits, kind } = form;
  const compression = page.number(TAG.compression, 1);
  const predictor = page.number(TAG.predictor, 1);
  const width = block.columns * block.samples;
  const line = Math.ceil((width * bits) / 8);
  const size = line * block.rows;
  if (compression === JPEG || JPEG_2000.includes(compression)) return pictureOf(page, form, packed, block, path, context);
  let bytes: Uint8Array<ArrayBuffer> = packed;
  if (page.number(TAG.fillOrder, 1) === 2 && compression < 5) bytes = packed.map(reversed);
  if (compression === 5) bytes = unpackLzw(packed, size, path);
  else if (compression === 32773) bytes = unpackBytes(packed, size);
  else if (compression >= 2 && compression <= 4) bytes = unpackFax(bytes, width, block.rows, compression, page.number(TAG.t4Options, 0), path);
  else if (compression !== 1)
    bytes = await (await inflateAll({ source: bufferSource(packed, path), path, packing: "deflate" }, { size }, context)).read(0, size);
  if (bytes.length < size) throw badFile(path, `${byteCount(size)} in a strip or tile`, byteCount(bytes.length), CUT_OFF);
  bytes = bytes.subarray(0, size);
  if (bits < 8 || ![8, 16, 32, 64].includes(bits)) {
    const Out = bits <= 8 ? Uint8Array : bits <= 16 ? Uint16Array : Uint32Array;
    const values = new Out(width * block.rows);
    for (let row = 0; row < block.rows; row++) values.set(unpackBits(bytes.subarray(row * line, (row + 1) * line), bits, width), row * width);
    return kind === "float" && bits === 16 ? Float32Array.from(values, halfFloat) : values;
  }
  const type = (bits === 16 && kind === "float" ? "uint16" : `${kind}${bits}`) as ScalarType;
  if (predictor > 3) throw badFile(path, "a predictor of TIFF (1 to 3)", `${predictor}`, DAMAGED);
  const floats = predictor === 3;
  if (floats) bytes = undoFloatPredictor(bytes.slice(), width, block.samples, type);
  else if (predictor === 2 && bits === 64) bytes = undoWideDifferences(bytes.slice(), width, block.samples, page.littleEndian);
  const values = scalars(bytes, type, floats ? false : page.littleEndian);
  if (predictor === 2 && bits < 64) {
    // Differences wrap at the width they were stored with, floats included.
    const whole = values instanceof Float32Array ? new Int32Array(values.buffer) : values;
    undoDifferences(whole, width, block.samples);
  }
  return bits === 16 && kind === "float" ? Float32Array.from(values, halfFloat) : values;
}

function reversed(byte: number): number {
  let out = 0;
  for (let bit = 0; bit < 8; bit++) out |= ((byte >> bit) & 1) << (7 - bit);
  return out;
}

export function halfFloat(stored: number): number {
  const exponent = (stored >> 10) & 31;
  const fraction = stored & 1023;
  const sign = stored >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

async function pictureOf(page: Page, form: Form, packed: Uint8Array<ArrayBuffer>, block: Block, path: string, context: ReadContext): Promise<SliceData> {
  const jpeg = page.number(TAG.compression, 1) === JPEG;
  // The decoder for 12 bits takes 8 too, CMYK, and strips whose tables lie elsewhere.
  const kind = jpeg ? "jpeg-12bit" : "jpeg-2000";
  if (!context.decoders) throw badFile(path, "pixels that can be unpacked here", `${jpeg ? "JPEG" : "JPEG 2000"} without a decoder for it`, RESAVE);
  const bytes = jpeg ? withTables(packed, page, form.photometric) : packed;
  let picture: Awaited<ReturnType<NonNullable<ReadContext["decoders"]>["decode"]>>;
  try {
    picture = await context.decoders.decode(kind, bytes, context.signal);
  } catch (cause) {
    context.signal?.throwIfAborted();
    throw badFile(path, `a sound strip or tile in ${jpeg ? "JPEG" : "JPEG 2000"}`, "one that can't be decoded", DAMAGED, cause);
  }
  if (picture.columns < block.columns || picture.rows < block.rows || picture.samples !== block.samples) {
    throw badFile(
      path,
      `${block.columns}×${block.rows} pixels of ${block.samples} samples`,
      `${picture.columns}×${picture.rows} of ${picture.samples}`,
      DAMAGED,
    );
  }
  if (picture.columns === block.columns) return picture.data;
  const line = block.columns * block.samples;
  const out = new (picture.data.constructor as new (length: number) => SliceData)(line * block.rows);
  for (let row = 0; row < block.rows; row++) {
    const from = row * picture.columns * block.samples;
    out.set(picture.data.subarray(from, from + line) as never, row * line);
  }
  return out;
}

/** The strip with the page's tables in it, and with a mark that tells RGB from YCbCr, which only the page knows. */
function withTables(packed: Uint8Array<ArrayBuffer>, page: Page, photometric: number): Uint8Array<ArrayBuffer> {
  const tables = page.numbers(TAG.jpegTables);
  const inner = tables.length > 4 ? tables.slice(2, -2) : [];
  const transform = photometric === 6 ? 1 : 0;
  const marked = photometric === 2 || photometric === 6 ? [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform] : [];
  return Uint8Array.from([0xff, 0xd8, ...marked, ...inner, ...packed.subarray(2)]);
}

/** BT.601 with full range, as TIFF's defaults have it. */
function rgbOf(data: SliceData, form: Form, page: Page, path: string): SliceData {
  const [across = 2, down = 2] = page.numbers(TAG.subsampling);
  if (form.samples !== 3 || form.bits !== 8 || across !== 1 || down !== 1) {
    throw badFile(
      path,
      "YCbCr of 8 bits with as many colour samples as pixels, or in JPEG",
      `${form.bits} bits, ${across}×${down} pixels a colour sample`,
      "Save it as RGB.",
    );
  }
  const out = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const [y, cb, cr] = [data[i] as number, (data[i + 1] as number) - 128, (data[i + 2] as number) - 128];
    out[i] = y + 1.402 * cr;
    out[i + 1] = y - 0.344136 * cb - 0.714136 * cr;
    out[i + 2] = y + 1.772 * cb;
  }
  return new Uint8Array(out.buffer);
}
