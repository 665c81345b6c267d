// Tables of a DICOM file: modality LUT and palettes; and colour that is stored as brightness and two differences.
import { badFile, DAMAGED } from "../fail.ts";
import type { Dataset } from "./dataset.ts";
import { TAG } from "./tags.ts";

export interface Lut {
  /** The stored value that the first entry belongs to; below it the first counts, above the end the last. */
  readonly first: number;
  readonly entries: Uint16Array;
  readonly bits: number;
}

export interface Palette {
  readonly first: number;
  readonly red: Uint8Array | Uint16Array;
  readonly green: Uint8Array | Uint16Array;
  readonly blue: Uint8Array | Uint16Array;
}

/** Of an item of a modality or VOI LUT sequence. Undefined where it is incomplete. */
export function lutOf(item: Dataset, signed: boolean): Lut | undefined {
  const descriptor = descriptorOf(item, TAG.LutDescriptor, signed);
  if (!descriptor) return undefined;
  const entries = entriesOf(item, TAG.LutData, descriptor);
  return entries.length === 0 ? undefined : { first: descriptor.first, entries: Uint16Array.from(entries), bits: descriptor.bits };
}

export function modalityLut(dataset: Dataset, signed: boolean): Lut | undefined {
  const item = dataset.item(TAG.ModalityLutSequence);
  return item && lutOf(item, signed);
}

interface Descriptor {
  readonly count: number;
  readonly first: number;
  readonly bits: number;
}

/** Number of entries (0 means 65536), first stored value, bits an entry. */
function descriptorOf(dataset: Dataset, tag: number, signed: boolean): Descriptor | undefined {
  const [count, first, bits] = dataset.numbers(tag, "US");
  if (count === undefined || first === undefined || bits === undefined) return undefined;
  // The second value is signed where the pixels are, whatever the element says of itself.
  return { count: count < 0 ? count + 0x10000 : count || 0x10000, first: signed && first > 0x7fff ? first - 0x10000 : first, bits: bits || 16 };
}

/** One byte an entry where there are just so many; else words, also for entries of eight bits. */
function entriesOf(dataset: Dataset, tag: number, { count, bits }: Descriptor): Uint8Array | Uint16Array {
  const raw = dataset.raw(tag);
  if (bits <= 8 && raw.length < 2 * count) return raw.slice(0, count);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const words = Uint16Array.from({ length: Math.min(count, raw.length >> 1) }, (_, i) => view.getUint16(2 * i, dataset.order.littleEndian));
  return bits <= 8 ? Uint8Array.from(words) : words;
}

export function paletteOf(dataset: Dataset, path: string, signed: boolean): Palette {
  const [red, green, blue] = [0, 1, 2].map((color) => {
    const descriptor = descriptorOf(dataset, TAG.RedPaletteDescriptor + color, signed);
    if (!descriptor) return undefined;
    const plain = dataset.has(TAG.RedPaletteData + color);
    const entries = plain ? entriesOf(dataset, TAG.RedPaletteData + color, descriptor) : segmented(dataset, TAG.RedSegmentedPaletteData + color, descriptor);
    return entries.length > 0 ? { first: descriptor.first, entries } : undefined;
  });
  if (!red || !green || !blue) throw badFile(path, "a palette of red, green and blue", "one that is not complete", DAMAGED);
  return { first: red.first, red: red.entries, green: green.entries, blue: blue.entries };
}

/** PS3.3 C.7.9.2: discrete, linear and repeated segments. */
function segmented(dataset: Dataset, tag: number, { count, bits }: Descriptor): Uint8Array | Uint16Array {
  const raw = dataset.raw(tag);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const wide = bits > 8;
  const length = wide ? raw.length >> 1 : raw.length;
  const read = (at: number) => (at < length ? (wide ? view.getUint16(2 * at, dataset.order.littleEndian) : view.getUint8(at)) : 0);
  const out = wide ? new Uint16Array(count) : new Uint8Array(count);
  let filled = 0;
  const put = (value: number) => {
    if (filled < count) out[filled++] = value;
  };
  const segment = (at: number, nested: boolean): number => {
    const [code, size] = [read(at), read(at + 1)];
    if (code === 0) {
      for (let i = 0; i < size && filled < count; i++) put(read(at + 2 + i));
      return at + 2 + size;
    }
    if (code === 1) {
      const [from, to] = [filled > 0 ? (out[filled - 1] as number) : 0, read(at + 2)];
      for (let i = 1; i <= size && filled < count; i++) put(Math.round(from + ((to - from) * i) / size));
      return at + 3;
    }
    if (code !== 2 || nested) return length;
    // So many segments again, from a byte offset.
    let target = (read(at + 2) + read(at + 3) * (wide ? 0x10000 : 0x100)) / (wide ? 2 : 1);
    for (let i = 0; i < size && filled < count && target < length; i++) target = segment(target, true);
    return at + 4;
  };
  for (let at = 0; at < length && filled < count; ) at = segment(at, false);
  return out.slice(0, filled);
}

/** [pixels, 3] */
export function applyPalette(stored: ArrayLike<number>, { first, red, green, blue }: Palette): Uint8Array | Uint16Array {
  const rgb = red instanceof Uint16Array ? new Uint16Array(stored.length * 3) : new Uint8Array(stored.length * 3);
  const at = (entries: ArrayLike<number>, index: number) => entries[Math.max(0, Math.min(entries.length - 1, index))] as number;
  for (let i = 0; i < stored.length; i++) {
    const index = (stored[i] as number) - first;
    rgb[3 * i] = at(red, index);
    rgb[3 * i + 1] = at(green, index);
    rgb[3 * i + 2] = at(blue, index);
  }
  return rgb;
}

const GREEN_BLUE = Math.fround((-0.114 * 1.772) / 0.587);
const GREEN_RED = Math.fround((-0.299 * 1.402) / 0.587);
const BLUE = Math.fround(1.772);
const RED = Math.fround(1.402);

/** Brightness and two differences of 8 bits, full range, to RGB in place (ITU-T T.871). [pixels, 3] */
export function fullYbrToRgb(data: Uint8Array): void {
  const clamp = (value: number) => Math.max(0, Math.min(255, Math.floor(value + 0.5)));
  for (let i = 0; i + 2 < data.length; i += 3) {
    const y = data[i] as number;
    const b = (data[i + 1] as number) - 128;
    const r = (data[i + 2] as number) - 128;
    data[i] = clamp(y + RED * r);
    data[i + 1] = clamp(y + GREEN_BLUE * b + GREEN_RED * r);
    data[i + 2] = clamp(y + BLUE * b);
  }
}

/** Two brightnesses and one pair of differences for two neighbouring pixels, to three samples each. */
export function unhalved(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const pairs = data.length >> 2;
  const out = new Uint8Array(pairs * 6);
  for (let i = 0; i < pairs; i++) {
    const [a, c, b, r] = [data[4 * i], data[4 * i + 1], data[4 * i + 2], data[4 * i + 3]] as [number, number, number, number];
    out.set([a, b, r, c, b, r], 6 * i);
  }
  return out;
}
