// Zip archives and pickles made by hand, as PyTorch writes them or in ways it never would.
import { crc32 } from "../../src/bytes/crc32.ts";
import { type Bytes, concat } from "./support.ts";

export interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
  /** What the directory claims instead of the truth. */
  readonly claim?: Partial<{ crc: number; size: number; packed: number; header: number; method: number; flags: number }>;
  /** The name in the local header, where it differs. */
  readonly localName?: string;
  /** Bytes of padding in the local header's extra field. */
  readonly pad?: number;
}

export interface ZipOptions {
  /** 64-bit fields for every size and position. */
  readonly zip64?: boolean;
  /** Sizes and CRC after the data, zeros before it: what PyTorch does. */
  readonly descriptors?: boolean;
  readonly comment?: string;
  readonly end?: Partial<{ count: number; length: number; begin: number }>;
}

function fields(...values: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Bytes {
  const out = new Uint8Array(values.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [bytes, value] of values) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value >>> 0, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return out;
}

const FULL = 0xffffffff;

export function zipFile(entries: readonly Entry[], { zip64 = false, descriptors = true, comment = "", end = {} }: ZipOptions = {}): Bytes {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (list: Uint8Array[], ...bytes: Uint8Array[]) => {
    for (const part of bytes) {
      list.push(part);
      if (list === parts) at += part.length;
    }
  };
  for (const { name, data, claim = {}, localName = name, pad = 0 } of entries) {
    const header = claim.header ?? at;
    const flags = claim.flags ?? (descriptors ? 0x0808 : 0x0800);
    const method = claim.method ?? 0;
    const crc = claim.crc ?? crc32(data);
    const size = claim.size ?? data.length;
    const packed = claim.packed ?? size;
    const local = encoder.encode(localName);
    const known = descriptors ? 0 : 1;
    add(
      parts,
      fields([4, 0x04034b50], [2, 20], [2, flags], [2, method], [4, 0], [4, crc * known], [4, packed * known], [4, size * known], [2, local.length], [2, pad]),
    );
    add(parts, local, new Uint8Array(pad), data);
    if (descriptors) add(parts, fields([4, 0x08074b50], [4, crc], [4, packed], [4, size]));
    const extra = zip64 ? fields([2, 1], [2, 24], [8, size], [8, packed], [8, header]) : new Uint8Array(0);
    const wide = (value: number) => (zip64 ? FULL : value);
    const shown = encoder.encode(name);
    add(
      directory,
      fields([4, 0x02014b50], [2, 20], [2, 20], [2, flags], [2, method], [4, 0], [4, crc], [4, wide(packed)], [4, wide(size)]),
      fields([2, shown.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, wide(header)]),
      shown,
      extra,
    );
  }
  const central = concat(...directory);
  const { count = entries.length, length = central.length, begin = at } = end;
  const tail: Uint8Array[] = [];
  if (zip64) {
    tail.push(fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, length], [8, begin]));
    tail.push(fields([4, 0x07064b50], [4, 0], [8, at + central.length], [4, 1]));
  }
  const narrow = (value: number, full: number) => (zip64 ? full : value);
  const text = encoder.encode(comment);
  tail.push(
    fields(
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, narrow(count, 0xffff)],
      [2, narrow(count, 0xffff)],
      [4, narrow(length, FULL)],
      [4, narrow(begin, FULL)],
      [2, text.length],
    ),
  );
  return concat(...parts, central, ...tail, text);
}

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];
const u32 = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];

/** Pieces of a pickle, each the bytes that leave one value on the stack (or do what they say to it). */
export const op = {
  proto: [0x80, 2],
  stop: [0x2e],
  mark: [0x28],
  none: [0x4e],
  emptyDict: [0x7d],
  emptyList: [0x5d],
  setItems: [0x75],
  reduce: [0x52],
  build: [0x62],
  persistent: [0x51],
  text: (value: string) => [0x58, ...u32(bytesOf(value).length), ...bytesOf(value)],
  int: (value: number) => [0x4a, ...u32(value)],
  long: (value: bigint, length = 8) => [0x8a, length, ...Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))],
  global: (module: string, name: string) => [0x63, ...bytesOf(`${module}\n${name}\n`)],
  tuple: (...items: number[][]) => [0x28, ...items.flat(), 0x74],
  list: (...items: number[][]) => [0x5d, 0x28, ...items.flat(), 0x65],
  put: (index: number) => [0x72, ...u32(index)],
  get: (index: number) => [0x6a, ...u32(index)],
};

export interface TensorSpec {
  readonly storage?: string;
  readonly key?: string;
  readonly count: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
}

/** `_rebuild_tensor_v2(pers(("storage", kind, key, "cpu", count)), offset, shape, strides, False, OrderedDict())` */
export function tensorOps({ storage = "FloatStorage", key = "0", count, offset = 0, shape, strides }: TensorSpec): number[] {
  const steps = strides ?? shape.map((_, d) => shape.slice(d + 1).reduce((product, side) => product * side, 1));
  const whole = (value: number) => (Math.abs(value) < 2 ** 31 ? op.int(value) : op.long(BigInt(value)));
  const stored = [...op.tuple(op.text("storage"), op.global("torch", storage), op.text(key), op.text("cpu"), whole(count)), ...op.persistent];
  const hooks = [...op.global("collections", "OrderedDict"), ...op.tuple(), ...op.reduce];
  const args = op.tuple(stored, whole(offset), op.tuple(...shape.map(whole)), op.tuple(...steps.map(whole)), [0x89], hooks);
  return [...op.global("torch._utils", "_rebuild_tensor_v2"), ...args, ...op.reduce];
}

/** A dict of names and values, the values as opcodes. */
export function dictOps(items: Readonly<Record<string, number[]>>): number[] {
  return [...op.emptyDict, ...op.mark, ...Object.entries(items).flatMap(([name, value]) => [...op.text(name), ...value]), ...op.setItems];
}

export function pickled(...ops: number[][]): Bytes {
  return Uint8Array.from([...op.proto, ...ops.flat(), ...op.stop]);
}

/** A `.pth` with this pickle and these storages. */
export function pthFile(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  options: ZipOptions & { extra?: readonly Entry[] } = {},
): Bytes {
  return zipFile(
    [
      { name: "archive/data.pkl", data: pickle },
      ...(options.extra ?? []),
      ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data, pad: 17 })),
      { name: "archive/version", data: Uint8Array.from([0x33, 10]) },
    ],
    options,
  );
}
