// A damaged PNG: how many of its rows are whole, and a PNG of them.
import { crc32 } from "../bytes/crc32.ts";
import { MAX_RATIO } from "./inflate.ts";
import type { Mended } from "./mend.ts";
import { chunk, MARK, PASSES, SAMPLES } from "./png_parts.ts";

/** Bytes of pixels; what claims more is not unpacked to find its rows. */
const MOST = 2 ** 31;

interface Chunk {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly sound: boolean;
}

export async function mendPng(bytes: Uint8Array<ArrayBuffer>): Promise<Mended> {
  const chunks = chunksOf(bytes);
  const checksum = chunks.some(({ sound }) => !sound);
  const [header, ...others] = chunks;
  if (header?.type !== "IHDR" || !header.sound || header.body.length !== 13) return { kind: "PNG", rows: 0, checksum };
  const layout = layoutOf(header.body);
  if (!layout) return { kind: "PNG", rows: 0, checksum };
  const facts = { kind: "PNG", height: layout.height, checksum } as const;
  const first = others.findIndex(({ type }) => type === "IDAT");
  const before = others.slice(0, Math.max(0, first)).filter(({ sound, type }) => sound && type !== "IEND");
  const isPalette = header.body[9] === 3;
  const packed = others.filter(({ type }) => type === "IDAT").map(({ body }) => body);
  if (first < 0 || layout.size > MOST || (isPalette && !before.some(({ type }) => type === "PLTE"))) return { ...facts, rows: 0 };
  const lines = await unpacked(packed, layout);
  const rows = layout.rowsIn(lines);
  if (rows === 0) return { ...facts, rows };
  const data = await repacked(layout.whole(lines), layout.size);
  const kept = [header, ...before, { type: "IDAT", body: data }, { type: "IEND", body: new Uint8Array() }];
  return { ...facts, rows, bytes: await joined([MARK, ...kept.map(({ type, body }) => chunk(type, body))]) };
}

/** Chunks in order; the last may be cut off. */
function chunksOf(bytes: Uint8Array<ArrayBuffer>): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) break;
    const body = bytes.subarray(at + 8, at + 8 + length);
    const end = at + 8 + length;
    const isCut = end + 4 > bytes.length;
    // One that is cut off has no checksum to fail; of pixels a part is of use.
    if (!isCut || type === "IDAT") chunks.push({ type, body, sound: isCut || crc32(bytes.subarray(at + 4, end)) === view.getUint32(end) });
    at = end + 4;
  }
  return chunks;
}

interface Layout {
  readonly height: number;
  /** Bytes of all lines, each with its filter. */
  readonly size: number;
  /** Those lines that a decoder takes. */
  whole(lines: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** Complete rows in the lines that there are. */
  rowsIn(lines: Uint8Array): number;
}

function layoutOf(header: Uint8Array): Layout | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const bits = (SAMPLES[view.getUint8(9)] ?? 0) * view.getUint8(8);
  if (width === 0 || height === 0 || bits === 0) return undefined;
  const line = (columns: number) => 1 + Math.ceil((columns * bits) / 8);
  if (view.getUint8(12) === 0) {
    const length = line(width);
    const rowsIn = (lines: Uint8Array) => soundLines(lines, length);
    return { height, size: height * length, rowsIn, whole: (lines) => lines.subarray(0, rowsIn(lines) * length) };
  }
  // Adam7: the last of seven pictures has every second row; the others come before it.
  const sizes = PASSES.map(([x, y, dx, dy]) => {
    const [columns, rows] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
    return columns > 0 && rows > 0 ? rows * line(columns) : 0;
  });
  const size = sizes.reduce((sum, part) => sum + part, 0);
  const early = size - (sizes[6] as number);
  return {
    height,
    size,
    whole: (lines) => lines,
    rowsIn: ({ length }) => (length < early ? 0 : Math.min(height, 2 * Math.floor((length - early) / line(width)) + 1)),
  };
}

/** Up to the first whose filter is none of PNG's. */
function soundLines(lines: Uint8Array, length: number): number {
  let rows = 0;
  while ((rows + 1) * length <= lines.length && (lines[rows * length] as number) <= 4) rows++;
  return rows;
}

/** What comes of packed bytes before they are wrong or end. */
async function unpacked(packed: readonly Uint8Array<ArrayBuffer>[], { size, height }: Layout): Promise<Uint8Array<ArrayBuffer>> {
  const total = packed.reduce((sum, { length }) => sum + length, 0);
  // Of the piece that is wrong nothing comes, so one holds about half a row.
  const piece = Math.max(16, Math.min(4096, Math.ceil(total / (2 * height))));
  const most = Math.min(size, total * MAX_RATIO);
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const feed = async () => {
    for (const part of packed) {
      for (let at = 0; at < part.length; at += piece) await writer.write(part.subarray(at, at + piece));
    }
    await writer.close();
  };
  const fed = feed().catch(() => undefined);
  const reader = stream.readable.getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let filled = 0;
  try {
    while (filled < most) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      filled += value.length;
    }
  } catch {
    // What came before is what there is.
  }
  await reader.cancel().catch(() => undefined);
  await fed;
  return (await joined(pieces)).subarray(0, size);
}

/** All lines again: the rest as zeros, which no filter follows. */
async function repacked(lines: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Blob([lines, new Uint8Array(size - lines.length)]);
  return new Uint8Array(await new Response(all.stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
}

async function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob([...parts]).arrayBuffer());
}
