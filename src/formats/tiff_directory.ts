// The directories of a TIFF or BigTIFF file: tags by number, for each page.
import type { ByteSource } from "../bytes/byte_source.ts";
import { badFile, byteCount, CUT_OFF, DAMAGED } from "./fail.ts";

export interface Page {
  readonly littleEndian: boolean;
  /** Numbers of a tag, empty where it is not there. */
  numbers(tag: number): readonly number[];
  number(tag: number, fallback: number): number;
  text(tag: number): string;
}

export const TAG = {
  subfile: 254,
  columns: 256,
  rows: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  description: 270,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  xResolution: 282,
  yResolution: 283,
  planar: 284,
  t4Options: 292,
  resolutionUnit: 296,
  predictor: 317,
  colorMap: 320,
  tileColumns: 322,
  tileRows: 323,
  tileOffsets: 324,
  tileBytes: 325,
  sampleFormat: 339,
  jpegTables: 347,
  subsampling: 530,
} as const;

/** Bytes of a value, by the type's number. */
const WIDTH: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8 };
const MAX_PAGES = 100_000;

/** `loops`: the list of pages runs in a circle; each is there once. `cut`: it leads out of the file; the pages before are there. */
export async function readPages(source: ByteSource, path: string, signal?: AbortSignal): Promise<{ pages: Page[]; loops: boolean; cut: boolean }> {
  const head = await source.read(0, Math.min(16, source.size), signal);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const order = String.fromCharCode(head[0] ?? 0, head[1] ?? 0);
  const le = order === "II";
  const version = head.length >= 8 ? view.getUint16(2, le) : 0;
  if ((order !== "II" && order !== "MM") || (version !== 42 && version !== 43) || (version === 43 && head.length < 16)) {
    throw badFile(path, "a TIFF file", "another", "Open it by what it is.");
  }
  const big = version === 43;
  let at = big ? Number(view.getBigUint64(8, le)) : view.getUint32(4, le);
  const pages: Page[] = [];
  const seen = new Set<number>();
  while (at !== 0) {
    if (seen.has(at)) return { pages, loops: true, cut: false };
    if (pages.length >= MAX_PAGES) throw badFile(path, `at most ${MAX_PAGES} pages`, "more", DAMAGED);
    seen.add(at);
    const found = await readPage(source, path, at, le, big, signal).catch((error) => {
      if (pages.length === 0) throw error;
      return undefined;
    });
    if (!found) return { pages, loops: false, cut: true };
    pages.push(found.page);
    at = found.next;
  }
  if (pages.length === 0) throw badFile(path, "a TIFF with a page", "one without", DAMAGED);
  return { pages, loops: false, cut: false };
}

async function readPage(source: ByteSource, path: string, at: number, le: boolean, big: boolean, signal?: AbortSignal) {
  const read = async (offset: number, length: number) => {
    if (!(offset + length <= source.size)) throw badFile(path, `a list of tags at byte ${offset}`, `a file of ${byteCount(source.size)}`, CUT_OFF);
    const bytes = await source.read(offset, length, signal);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const start = await read(at, big ? 8 : 2);
  const count = big ? Number(start.getBigUint64(0, le)) : start.getUint16(0, le);
  if (count < 1 || count > 65535) throw badFile(path, "1 to 65535 tags in a page", `${count}`, DAMAGED);
  const [first, entry] = big ? [at + 8, 20] : [at + 2, 12];
  const table = await read(first, count * entry + (big ? 8 : 4));
  const values = new Map<number, { readonly type: number; readonly view: DataView }>();
  for (let i = 0; i < count; i++) {
    const record = i * entry;
    const tag = table.getUint16(record, le);
    const type = table.getUint16(record + 2, le);
    const items = big ? Number(table.getBigUint64(record + 4, le)) : table.getUint32(record + 4, le);
    const bytes = (WIDTH[type] ?? 0) * items;
    if (bytes === 0 || values.has(tag)) continue;
    const inside = big ? 8 : 4;
    const value = record + (big ? 12 : 8);
    const offset = big ? Number(table.getBigUint64(value, le)) : table.getUint32(value, le);
    if (bytes > inside && !KNOWN.has(tag)) continue;
    values.set(tag, { type, view: bytes <= inside ? new DataView(table.buffer, table.byteOffset + value, bytes) : await read(offset, bytes) });
  }
  const after = count * entry;
  const next = big ? Number(table.getBigUint64(after, le)) : table.getUint32(after, le);
  return { page: pageOf(values, le), next };
}

const KNOWN = new Set<number>(Object.values(TAG));

function pageOf(values: ReadonlyMap<number, { readonly type: number; readonly view: DataView }>, le: boolean): Page {
  const cache = new Map<number, readonly number[]>();
  const numbers = (tag: number) => {
    const kept = cache.get(tag);
    if (kept) return kept;
    const found = values.get(tag);
    const made = found ? numbersIn(found.view, found.type, le) : [];
    cache.set(tag, made);
    return made;
  };
  return {
    littleEndian: le,
    numbers,
    number: (tag, fallback) => numbers(tag)[0] ?? fallback,
    text: (tag) => new TextDecoder("latin1").decode(Uint8Array.from(numbers(tag))).replace(/\0.*$/s, ""),
  };
}

function numbersIn(view: DataView, type: number, le: boolean): number[] {
  const width = WIDTH[type] as number;
  return Array.from({ length: Math.floor(view.byteLength / width) }, (_, i) => {
    const at = i * width;
    switch (type) {
      case 3:
        return view.getUint16(at, le);
      case 4:
      case 13:
        return view.getUint32(at, le);
      case 5:
        return view.getUint32(at, le) / view.getUint32(at + 4, le);
      case 6:
        return view.getInt8(at);
      case 8:
        return view.getInt16(at, le);
      case 9:
        return view.getInt32(at, le);
      case 10:
        return view.getInt32(at, le) / view.getInt32(at + 4, le);
      case 11:
        return view.getFloat32(at, le);
      case 12:
        return view.getFloat64(at, le);
      case 16:
      case 18:
        return Number(view.getBigUint64(at, le));
      case 17:
        return Number(view.getBigInt64(at, le));
      default:
        return view.getUint8(at);
    }
  });
}
