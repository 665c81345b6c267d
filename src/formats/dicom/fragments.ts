// Encapsulated pixels (PS3.5 annex A.4): items that hold frames, whole or in parts, with an offset table or without.
import { badFile, CUT_OFF, DAMAGED } from "../fail.ts";
import type { DicomImage } from "./image.ts";
import { TAG } from "./tags.ts";

export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

const ITEM = 0xe000fffe;
const SEQUENCE_END = 0xe0ddfffe;
const WINDOW = 1 << 16;

interface Items {
  readonly table: readonly number[];
  /** Where the first fragment's item begins: offset tables count from there. */
  readonly base: number;
  readonly fragments: readonly Fragment[];
  readonly cut: boolean;
}

/** Of each frame, the parts that it is made of. Reads the items' headers, not what is in them. */
export async function frameFragments(image: DicomImage, signal?: AbortSignal): Promise<readonly (readonly Fragment[])[]> {
  const { path } = image.file;
  const count = image.frames.length;
  const { table, base, fragments, cut } = await readItems(image, signal);
  if (fragments.length === 0) throw badFile(path, `${count} compressed frames`, cut ? "a file that ends before the first" : "none", CUT_OFF);
  const extended = extendedTable(image);
  const starts = extended.length === count ? extended : table.length === count ? table : undefined;
  const byStart = starts && atOffsets(fragments, starts, base);
  const groups =
    byStart ??
    (fragments.length === count ? fragments.map((fragment) => [fragment]) : count === 1 ? [fragments] : await byCodestream(image, fragments, signal));
  if (groups.length < count) {
    const got = `${groups.length}${cut ? " before the file ends" : ""}`;
    throw badFile(path, `${count} compressed frames`, got, cut ? CUT_OFF : DAMAGED);
  }
  return groups;
}

/** Frame `index`'s bytes, put together. */
export async function readFragments(image: DicomImage, parts: readonly Fragment[], signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const { source } = image.file;
  const pieces = await Promise.all(parts.map(({ offset, length }) => source.read(offset, length, signal)));
  if (pieces.length === 1) return pieces[0] as Uint8Array<ArrayBuffer>;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

async function readItems(image: DicomImage, signal?: AbortSignal): Promise<Items> {
  const { source, path } = image.file;
  let window = new Uint8Array(0);
  let windowAt = 0;
  /** Headers lie close together in small frames and far apart in large ones. */
  const view = async (at: number, length: number): Promise<DataView> => {
    if (at < windowAt || at + length > windowAt + window.length) {
      window = await source.read(at, Math.min(Math.max(length, WINDOW), source.size - at), signal);
      windowAt = at;
    }
    return new DataView(window.buffer, window.byteOffset + at - windowAt, length);
  };
  let at = image.pixels.offset;
  let base = 0;
  let table: number[] | undefined;
  const fragments: Fragment[] = [];
  for (;;) {
    if (at + 8 > source.size) return { table: table ?? [], base, fragments, cut: true };
    const header = await view(at, 8);
    const tag = header.getUint32(0, true);
    const length = header.getUint32(4, true);
    if (tag === SEQUENCE_END) break;
    // Some writers leave the end out, and what follows is another element.
    if (tag !== ITEM) {
      if (table === undefined) throw badFile(path, "compressed pixels in items", "something else at their place", DAMAGED);
      break;
    }
    at += 8;
    if (table === undefined) {
      if (at + length > source.size) throw badFile(path, "an offset table", "a file that ends inside it", CUT_OFF);
      const entries = await view(at, length);
      table = Array.from({ length: length >> 2 }, (_, i) => entries.getUint32(4 * i, true));
      at += length;
      base = at;
      continue;
    }
    if (at + length > source.size) return { table, base, fragments, cut: true };
    if (length > 0) fragments.push({ offset: at, length });
    at += length;
  }
  return { table: table ?? [], base, fragments, cut: false };
}

function extendedTable({ file: { dataset } }: DicomImage): number[] {
  const raw = dataset.raw(TAG.ExtendedOffsetTable);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length >> 3 }, (_, i) => Number(view.getBigUint64(8 * i, true)));
}

/** Undefined where the table points at no items: such tables are met, and the fragments tell the frames as well. */
function atOffsets(fragments: readonly Fragment[], starts: readonly number[], base: number): Fragment[][] | undefined {
  const order = new Map(fragments.map(({ offset }, i) => [offset - 8 - base, i]));
  const indices = starts.map((start) => order.get(start));
  if (indices.some((index, i) => index === undefined || (i > 0 && index <= (indices[i - 1] as number)))) return undefined;
  return (indices as number[]).map((begin, i) => fragments.slice(begin, (indices as number[])[i + 1]));
}

/** A frame begins where a codestream does: FF D8 for the JPEGs, FF 4F or a box for JPEG 2000. */
async function byCodestream(image: DicomImage, fragments: readonly Fragment[], signal?: AbortSignal): Promise<Fragment[][]> {
  const groups: Fragment[][] = [];
  for (const fragment of fragments) {
    const head = await image.file.source.read(fragment.offset, Math.min(12, fragment.length), signal);
    const starts = head[0] === 0xff && (head[1] === 0xd8 || (head[1] === 0x4f && head[2] === 0xff));
    const box = head[4] === 0x6a && head[5] === 0x50 && head[6] === 0x20;
    if (starts || box || groups.length === 0) groups.push([fragment]);
    else (groups.at(-1) as Fragment[]).push(fragment);
  }
  return groups;
}
