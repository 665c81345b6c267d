// PNG of 1 to 16 bits, with its values as stored: palette indices stay indices, alpha stays a sample.
import { bufferSource } from "../bytes/byte_source.ts";
import { crc32 } from "../bytes/crc32.ts";
import type { Label } from "../volume/labelmap.ts";
import type { Samples, Slice, Volume } from "../volume/volume.ts";
import { labelsOfText } from "./label_text.ts";
import { badFile, baseName, byteCount, CUT_OFF, DAMAGED } from "./fail.ts";
import { inflateAll, MAX_RATIO } from "./inflate.ts";
import { MARK, PASSES, SAMPLES } from "./png_parts.ts";
import type { FileEntry, ReadContext, ReadResult } from "./reader.ts";
import { scalars } from "./voxels.ts";

const DEPTHS: Record<number, readonly number[]> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const MAX_SIDE = 1 << 20;

interface Parts {
  readonly columns: number;
  readonly rows: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
  readonly palette?: Uint8Array;
  readonly labels?: readonly Label[];
  readonly packed: Uint8Array<ArrayBuffer>;
}

export async function readPng(entry: FileEntry, context: ReadContext = {}): Promise<ReadResult> {
  const { path, source } = entry;
  const parts = chunksOf(await source.read(0, source.size, context.signal), path);
  const { columns, rows, depth, colour, palette, labels } = parts;
  const samples = SAMPLES[colour] as Samples;
  const name = baseName(path);
  // Decoded once at the start, which finds damage; then again when looked at, if nobody kept it.
  let kept: WeakRef<Slice> | undefined;
  const decode = async (): Promise<Slice> => {
    const slice = { data: await pixelsOf(parts, path, context), rows, columns, samples };
    kept = new WeakRef(slice);
    return slice;
  };
  await decode();
  const volume: Volume = {
    name,
    format: "PNG",
    columns,
    rows,
    slices: 1,
    samples,
    windows: depth <= 8 && samples <= 2 && !palette ? [fullRange(depth)] : [],
    inverted: false,
    ...(palette ? { palette } : {}),
    ...(labels ? { labels } : {}),
    files: [path],
    notes: [],
    slice: async () => kept?.deref() ?? decode(),
  };
  return { volumes: [volume], refused: [] };
}

/** What shows a picture of up to 8 bits as it was saved. */
export function fullRange(depth: number): Volume["windows"][number] {
  const most = 2 ** depth - 1;
  return { name: "as saved", center: most / 2, width: most, shape: "linear-exact" };
}

function chunksOf(bytes: Uint8Array<ArrayBuffer>, path: string): Parts {
  if (!MARK.every((byte, i) => bytes[i] === byte)) throw badFile(path, "a PNG file", "another", "Open it by what it is.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let header: Omit<Parts, "packed" | "palette" | "labels"> | undefined;
  let palette: Uint8Array | undefined;
  let labels: readonly Label[] | undefined;
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw badFile(path, "a PNG to its end", `${byteCount(bytes.length)}`, CUT_OFF);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw badFile(path, `${byteCount(length)} in a chunk`, byteCount(bytes.length - at - 12), CUT_OFF);
    const body = bytes.subarray(at + 8, at + 8 + length);
    // Chunks that need not be understood (small letter first) are left out unless they are used.
    if (/^[A-Z]/.test(type) && crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw badFile(path, "chunks with their checksums", `another checksum of ${type}`, DAMAGED);
    }
    if (type === "IHDR" && length === 13) header = headerOf(new DataView(body.buffer, body.byteOffset, 13), path);
    else if (type === "PLTE") palette = body.slice(0, 768);
    else if (type === "iTXt") labels ??= labelsOf(body);
    else if (type === "IDAT") data.push(body);
    else if (type === "IEND") break;
    at += 12 + length;
  }
  if (!header || data.length === 0) throw badFile(path, "a header and pixels", "a PNG without them", DAMAGED);
  if (header.colour === 3 && !palette) throw badFile(path, "a palette", "none", DAMAGED);
  const packed = new Uint8Array(data.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of data) {
    packed.set(part, filled);
    filled += part.length;
  }
  return { ...header, ...(header.colour === 3 && palette ? { palette } : {}), ...(labels ? { labels } : {}), packed };
}

function headerOf(view: DataView, path: string): Omit<Parts, "packed" | "palette" | "labels"> {
  const [columns, rows, depth, colour] = [view.getUint32(0), view.getUint32(4), view.getUint8(8), view.getUint8(9)];
  if (!(columns >= 1 && rows >= 1 && columns <= MAX_SIDE && rows <= MAX_SIDE))
    throw badFile(path, `1 to ${MAX_SIDE} pixels a side`, `${columns}×${rows}`, DAMAGED);
  if (!DEPTHS[colour]?.includes(depth) || view.getUint8(10) !== 0 || view.getUint8(11) !== 0 || view.getUint8(12) > 1) {
    throw badFile(path, "a depth and a colour type of PNG", `${depth} bits of type ${colour}`, DAMAGED);
  }
  return { columns, rows, depth, colour, interlaced: view.getUint8(12) === 1 };
}

/** What `writeLabelPng` says of its values, in a text chunk; undefined for other texts. */
function labelsOf(chunk: Uint8Array): readonly Label[] | undefined {
  const text = new TextDecoder().decode(chunk);
  const mark = "Labels\0\0\0\0\0";
  return text.startsWith(mark) ? labelsOfText(text.slice(mark.length)) : undefined;
}

async function pixelsOf({ columns, rows, depth, colour, interlaced, packed }: Parts, path: string, context: ReadContext) {
  const samples = SAMPLES[colour] as number;
  const bits = samples * depth;
  const passes = (interlaced ? PASSES : ([[0, 0, 1, 1]] as const))
    .map(([x, y, dx, dy]) => ({ x, y, dx, dy, width: Math.ceil((columns - x) / dx), height: Math.ceil((rows - y) / dy) }))
    .filter(({ width, height }) => width > 0 && height > 0);
  const size = passes.reduce((sum, { width, height }) => sum + height * (1 + Math.ceil((width * bits) / 8)), 0);
  if (size > packed.length * MAX_RATIO) throw badFile(path, `data for ${columns}×${rows} pixels`, byteCount(packed.length), CUT_OFF);
  const lines = await inflateAll({ source: bufferSource(packed, path), path, packing: "deflate" }, { size }, context);
  const raw = await lines.read(0, size);
  const out = depth === 16 ? new Uint16Array(columns * rows * samples) : new Uint8Array(columns * rows * samples);
  const step = Math.max(1, bits >> 3);
  let at = 0;
  for (const { x, y, dx, dy, width, height } of passes) {
    const length = Math.ceil((width * bits) / 8);
    let above = new Uint8Array(length);
    for (let row = 0; row < height; row++, at += length) {
      const filter = raw[at++] as number;
      if (filter > 4) throw badFile(path, "a filter of PNG (0 to 4)", `${filter}`, DAMAGED);
      const line = raw.slice(at, at + length);
      unfilter(line, above, filter, step);
      above = line;
      const values = depth === 8 ? line : depth === 16 ? (scalars(line, "uint16", false) as Uint16Array) : unpackBits(line, depth, width * samples);
      const target = ((y + row * dy) * columns + x) * samples;
      if (dx === 1) out.set(values, target);
      else for (let i = 0; i < width; i++) for (let s = 0; s < samples; s++) out[target + i * dx * samples + s] = values[i * samples + s] as number;
    }
  }
  return out;
}

/** In place. `step`: bytes to the pixel before. */
function unfilter(line: Uint8Array, above: Uint8Array, filter: number, step: number): void {
  if (filter === 0) return;
  for (let i = 0; i < line.length; i++) {
    const a = i >= step ? (line[i - step] as number) : 0;
    const b = above[i] as number;
    const c = i >= step ? (above[i - step] as number) : 0;
    const guess = filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);
    line[i] = (line[i] as number) + guess;
  }
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** Numbers of fewer than 8 bits, or of 9 to 31, packed with the highest bit first. */
export function unpackBits(bytes: Uint8Array, depth: number, count: number): Uint8Array | Uint16Array | Uint32Array {
  const out = depth <= 8 ? new Uint8Array(count) : depth <= 16 ? new Uint16Array(count) : new Uint32Array(count);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    for (let left = depth; left > 0; ) {
      if (bits === 0) {
        held = bytes[at++] ?? 0;
        bits = 8;
      }
      const take = Math.min(left, bits);
      value = value * 2 ** take + ((held >> (bits - take)) & ((1 << take) - 1));
      bits -= take;
      left -= take;
    }
    out[i] = value;
  }
  return out;
}
