// Bytes to elements (PS3.5 chapter 7). What a length claims is believed only where the bytes are there; sequences become items, all else stays bytes.
import { badFile, DAMAGED } from "../fail.ts";
import { Dataset, type Element, tagName } from "./dataset.ts";
import type { ByteOrder } from "./syntax.ts";

/** The bytes given end before the data set does. */
export class NeedsMore extends Error {}

const UNDEFINED = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
/** These have two reserved bytes and a length of four. */
const LONG = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
const MAX_DEPTH = 24;
/** Pixels of any kind, and what offset tables they may have. */
const PIXELS = 0x7fe00008;

export interface Parsed {
  readonly dataset: Dataset;
  /** (7FE0,0008), (7FE0,0009) or (7FE0,0010): the last element read, its value left where it is. */
  readonly pixels?: Element;
  /** Where the first byte lies that is not an element. */
  readonly end: number;
}

interface Cursor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly path: string;
  at: number;
}

/**
 * Elements from `begin` up to the pixels, or to `end`. Throws `NeedsMore` where `bytes`, the first of a file of `size`, are too few,
 * and a SamError where the file itself is.
 */
export function parseElements(
  bytes: Uint8Array<ArrayBuffer>,
  begin: number,
  order: ByteOrder,
  { size, path, end = size, only }: { readonly size: number; readonly path: string; readonly end?: number; readonly only?: (tag: number) => boolean },
): Parsed {
  const cursor: Cursor = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), path, at: begin };
  const dataset = new Dataset(bytes, order);
  try {
    while (cursor.at + 8 <= end) {
      if (only && !only(peekTag(cursor, order.littleEndian))) return { dataset, end: cursor.at };
      const element = readElement(cursor, dataset, end, 0);
      dataset.elements.set(element.tag, element);
      if (element.tag >= PIXELS && element.tag <= 0x7fe00010) return { dataset, pixels: element, end: cursor.at };
    }
  } catch (error) {
    if (error instanceof NeedsMore && bytes.length >= size) throw cutOff(path);
    throw error;
  }
  // Too few bytes for an element, and no padding.
  if (!only && end === size && bytes.subarray(cursor.at, end).some((byte) => byte !== 0)) throw cutOff(path);
  return { dataset, end: cursor.at };
}

function cutOff(path: string): Error {
  return badFile(path, "a whole DICOM file", "one that is cut off inside its header, before any image", "Copy or fetch it again.");
}

function need({ bytes, at }: Cursor, count: number): void {
  if (at + count > bytes.length) throw new NeedsMore();
}

function readTag(cursor: Cursor, littleEndian: boolean): number {
  need(cursor, 4);
  const tag = cursor.view.getUint16(cursor.at, littleEndian) * 0x10000 + cursor.view.getUint16(cursor.at + 2, littleEndian);
  cursor.at += 4;
  return tag;
}

function readElement(cursor: Cursor, into: Dataset, end: number, depth: number): Element {
  const { littleEndian, explicit } = into.order;
  const { view, path } = cursor;
  const tag = readTag(cursor, littleEndian);
  need(cursor, 4);
  let vr: string | undefined;
  let length: number;
  // Items and delimiters have no representation, and some writers switch to implicit inside private sequences.
  const letters = String.fromCharCode(cursor.bytes[cursor.at] as number, cursor.bytes[cursor.at + 1] as number);
  if (explicit && tag < 0xfffe0000 && /^[A-Z]{2}$/.test(letters)) {
    vr = letters;
    if (LONG.has(vr)) {
      need(cursor, 8);
      length = view.getUint32(cursor.at + 4, littleEndian);
      cursor.at += 8;
    } else {
      length = view.getUint16(cursor.at + 2, littleEndian);
      cursor.at += 4;
    }
  } else {
    length = view.getUint32(cursor.at, littleEndian);
    cursor.at += 4;
  }
  const offset = cursor.at;
  const named = vr === undefined ? {} : { vr };
  if (depth === 0 && tag >= PIXELS && tag <= 0x7fe00010) return { tag, ...named, offset, length: length === UNDEFINED ? undefined : length };
  if (depth > MAX_DEPTH) throw badFile(path, `sequences at most ${MAX_DEPTH} deep`, `deeper ones at ${tagName(tag)}`, DAMAGED);
  // In data sets without representations a sequence shows by its first item.
  const opaque = vr === undefined || vr === "UN";
  if (vr === "SQ" || length === UNDEFINED || (opaque && length >= 8 && startsWithItem(cursor, littleEndian))) {
    const limit = length === UNDEFINED ? end : Math.min(end, offset + length);
    if (length !== UNDEFINED && offset + length > cursor.bytes.length) throw new NeedsMore();
    // Undefined length under UN is implicit little endian, whatever the file is (PS3.5 6.2.2).
    const inner: ByteOrder = vr === "UN" ? { explicit: false, littleEndian: true } : into.order;
    try {
      const items = readItems(cursor, into, inner, limit, length === UNDEFINED, depth + 1);
      return { tag, ...named, offset, length: cursor.at - offset, items };
    } catch (error) {
      if (!opaque || length === UNDEFINED || error instanceof NeedsMore) throw error;
      // It only looked like one.
      cursor.at = offset;
    }
  }
  if (offset + length > end) throw cursor.bytes.length >= end ? cutOff(path) : new NeedsMore();
  cursor.at = offset + length;
  if (cursor.at > cursor.bytes.length) throw new NeedsMore();
  return { tag, ...named, offset, length };
}

function startsWithItem(cursor: Cursor, littleEndian: boolean): boolean {
  need(cursor, 4);
  const at = cursor.at;
  const tag = readTag(cursor, littleEndian);
  cursor.at = at;
  return tag === ITEM;
}

function readItems(cursor: Cursor, parent: Dataset, order: ByteOrder, end: number, open: boolean, depth: number): Dataset[] {
  const items: Dataset[] = [];
  while (cursor.at + 8 <= end) {
    const tag = readTag(cursor, order.littleEndian);
    need(cursor, 4);
    const length = cursor.view.getUint32(cursor.at, order.littleEndian);
    cursor.at += 4;
    if (tag === SEQUENCE_END) return items;
    if (tag !== ITEM) throw badFile(cursor.path, "an item of a sequence", tagName(tag), DAMAGED);
    const item = new Dataset(cursor.bytes, order, parent);
    const limit = length === UNDEFINED ? end : cursor.at + length;
    if (limit > end) throw cutOff(cursor.path);
    while (cursor.at + 8 <= limit) {
      if (length === UNDEFINED && peekTag(cursor, order.littleEndian) === ITEM_END) break;
      const element = readElement(cursor, item, limit, depth);
      item.elements.set(element.tag, element);
    }
    if (length === UNDEFINED) {
      need(cursor, 8);
      cursor.at += 8;
    } else cursor.at = limit;
    items.push(item);
  }
  if (open && cursor.at + 8 > cursor.bytes.length) throw new NeedsMore();
  return items;
}

function peekTag(cursor: Cursor, littleEndian: boolean): number {
  const tag = readTag(cursor, littleEndian);
  cursor.at -= 4;
  return tag;
}
