// Labels of one slice as PNG: values are label ids, colours the labels', names and codes in a text chunk.
import type { Labelmap } from "../volume/labelmap.ts";
import { labelText } from "./label_text.ts";
import { chunk, MARK } from "./png_parts.ts";

export interface PngOptions {
  /** Gray instead of a palette: some software turns palettes into colours. */
  readonly gray?: boolean;
}

/** 8 bits with a palette; where an id is above 255, 16 bits of gray. Throws where labels overlap on the slice. */
export async function writeLabelPng(labelmap: Labelmap, slice: number, { gray = false }: PngOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { columns, rows, labels } = labelmap;
  const values = labelmap.values(slice);
  const wide = values instanceof Uint16Array;
  const most = Math.max(0, ...labels.map(({ id }) => id));
  const palette = new Uint8Array(3 * (most + 1));
  for (const { id, color } of labels) palette.set(color, 3 * id);
  const text = `Labels\0\0\0\0\0${labelText(labelmap, slice)}`;
  const chunks: [type: string, body: Uint8Array][] = [["iTXt", new TextEncoder().encode(text)]];
  if (!wide && !gray) chunks.unshift(["PLTE", palette]);
  return encodePng(columns, rows, wide ? 16 : 8, wide || gray ? 0 : 3, values, chunks);
}

/** 8 bits of gray. */
export function writeGrayPng(data: Uint8Array, columns: number, rows: number): Promise<Uint8Array<ArrayBuffer>> {
  return encodePng(columns, rows, 8, 0, data, []);
}

/** 8 bits of red, green and blue. */
export function writeRgbPng(data: Uint8Array, columns: number, rows: number): Promise<Uint8Array<ArrayBuffer>> {
  return encodePng(columns, rows, 8, 2, data, []);
}

async function encodePng(columns: number, rows: number, depth: 8 | 16, colour: 0 | 2 | 3, values: Uint8Array | Uint16Array, chunks: [string, Uint8Array][]) {
  const bytes = (depth / 8) * (colour === 2 ? 3 : 1);
  const lines = new Uint8Array(rows * (1 + columns * bytes));
  for (let row = 0; row < rows; row++) {
    const at = row * (1 + columns * bytes) + 1;
    if (depth === 8) lines.set(values.subarray((row * columns * bytes) as number, (row + 1) * columns * bytes), at);
    else for (let x = 0; x < columns; x++) new DataView(lines.buffer).setUint16(at + 2 * x, values[row * columns + x] as number);
  }
  const packed = new Uint8Array(await new Response(new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, columns);
  view.setUint32(4, rows);
  header.set([depth, colour, 0, 0, 0], 8);
  const parts = [MARK];
  for (const [type, body] of [["IHDR", header], ...chunks, ["IDAT", packed], ["IEND", new Uint8Array(0)]] as const) parts.push(chunk(type, body));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
