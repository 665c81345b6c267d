// Voxels that lie in a file, or in memory once unpacked, as typed slices of a volume.
import type { ByteSource } from "../bytes/byte_source.ts";
import type { Samples, Slice, SliceData } from "../volume/volume.ts";
import { badFile, byteCount, CUT_OFF, shown } from "./fail.ts";

/** Complex numbers are read as their magnitudes. */
export type ScalarType = "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "uint64" | "int64" | "float32" | "float64" | "complex64" | "complex128";

const BYTES: Record<ScalarType, number> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float32: 4,
  float64: 8,
  complex64: 8,
  complex128: 16,
};

export function bytesOf(type: ScalarType): number {
  return BYTES[type];
}

export interface Layout {
  readonly source: ByteSource;
  /** For messages. */
  readonly path: string;
  /** Where the first voxel begins. */
  readonly offset: number;
  readonly type: ScalarType;
  readonly littleEndian: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly samples: Samples;
  /** value = stored · slope + intercept */
  readonly slope?: number;
  readonly intercept?: number;
  /** Samples of a pixel lie a whole slice, or a whole volume, apart instead of together. */
  readonly planes?: "slice" | "volume";
}

/** Sides are whole and at least 1, and all of the voxels lie in the file: asked before anything is allocated. */
export function expectVoxels(layout: Pick<Layout, "source" | "path" | "offset" | "type">, count: number): void {
  const { source, path, offset, type } = layout;
  const needed = count * BYTES[type];
  const there = Math.max(0, source.size - offset);
  if (count > 0 && needed <= there && Number.isSafeInteger(needed)) return;
  if (!(count > 0)) throw badFile(path, "an image of at least one voxel", `${count}`, "The header is damaged: fetch the file again.");
  throw badFile(path, `${byteCount(needed)} of voxels, as the header asks for`, `${byteCount(there)}`, CUT_OFF);
}

/** A function for `Volume.slice`. */
export function slicesOf(layout: Layout): (index: number, options?: { readonly signal?: AbortSignal }) => Promise<Slice> {
  const { source, path, offset, type, littleEndian, columns, rows, slices, samples, slope = 1, intercept = 0, planes } = layout;
  const area = columns * rows;
  const width = BYTES[type];
  return async (index, { signal } = {}) => {
    if (!Number.isInteger(index) || index < 0 || index >= slices) {
      throw badFile(path, `a slice from 0 to ${slices - 1}`, `${index}`, "Ask for a slice that the volume has.");
    }
    const read = async (at: number, count: number) => scalars(await source.read(offset + at * width, count * width, signal), type, littleEndian);
    let data: SliceData;
    if (samples > 1 && planes) {
      const step = planes === "slice" ? area : area * slices;
      const first = planes === "slice" ? index * area * samples : index * area;
      const parts = await Promise.all(Array.from({ length: samples }, (_, s) => read(first + s * step, area)));
      data = interleave(parts, area);
    } else data = await read(index * area * samples, area * samples);
    if (slope !== 1 || intercept !== 0) data = Float32Array.from(data as ArrayLike<number>, (value) => value * slope + intercept);
    return { data, rows, columns, samples };
  };
}

/** Of one volume of several whose voxels take turns: every `turns`-th number, from `turn` on. */
export function turnSlices({ turns, turn, ...layout }: Omit<Layout, "samples"> & { readonly turns: number; readonly turn: number }) {
  const { columns, rows } = layout;
  const whole = slicesOf({ ...layout, columns: columns * turns, samples: 1 });
  return async (index: number, options?: { readonly signal?: AbortSignal }): Promise<Slice> => {
    const { data } = await whole(index, options);
    const picked = new (data.constructor as new (length: number) => SliceData)(columns * rows);
    for (let i = 0, at = turn; i < picked.length; i++, at += turns) picked[i] = data[at] as number;
    return { data: picked, rows, columns, samples: 1 };
  };
}

export function interleave(parts: readonly SliceData[], area: number): SliceData {
  const [first] = parts as [SliceData];
  const out = new (first.constructor as new (length: number) => SliceData)(area * parts.length);
  parts.forEach((part, s) => {
    for (let i = 0, at = s; i < area; i++, at += parts.length) out[at] = part[i] as number;
  });
  return out;
}

const HOST_IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Stored numbers as numbers, in an array of their own. Integers of 64 bits become doubles. */
export function scalars(bytes: Uint8Array<ArrayBuffer>, type: ScalarType, littleEndian: boolean): SliceData {
  const count = Math.floor(bytes.byteLength / BYTES[type]);
  const unit = type.startsWith("complex") ? BYTES[type] / 2 : BYTES[type];
  const copy = bytes.slice(0, count * BYTES[type]);
  if (littleEndian !== HOST_IS_LITTLE) swapBytes(copy, unit);
  const { buffer } = copy;
  switch (type) {
    case "uint8":
      return copy;
    case "int8":
      return new Int8Array(buffer);
    case "uint16":
      return new Uint16Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint64":
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    case "complex64":
      return magnitudes(new Float32Array(buffer), new Float32Array(count));
    case "complex128":
      return magnitudes(new Float64Array(buffer), new Float64Array(count));
  }
}

function magnitudes<T extends Float32Array | Float64Array>(pairs: T, out: T): T {
  for (let i = 0; i < out.length; i++) out[i] = Math.hypot(pairs[2 * i] as number, pairs[2 * i + 1] as number);
  return out;
}

/** In place; `unit` bytes a number. */
export function swapBytes(bytes: Uint8Array, unit: number): void {
  for (let at = 0; at + unit <= bytes.length; at += unit) {
    for (let a = at, b = at + unit - 1; a < b; a++, b--) {
      const byte = bytes[a] as number;
      bytes[a] = bytes[b] as number;
      bytes[b] = byte;
    }
  }
}

/** Numbers written as text, between blanks or commas. */
export function scalarsOfText(text: string, type: ScalarType, count: number, path: string): TypedBytes {
  const words = text.trim().split(/[\s,]+/, count + 1);
  if (words.length < count || words[0] === "")
    throw badFile(path, `${count} numbers, as the header asks for`, `${words[0] === "" ? 0 : words.length}`, CUT_OFF);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    out[i] = Number(words[i]);
    if (Number.isNaN(out[i]) && !/^[+-]?nan$/i.test(words[i] as string))
      throw badFile(path, "numbers as text", shown((words[i] as string).slice(0, 40)), "The file is damaged: fetch it again.");
  }
  return { bytes: encode(out, type), littleEndian: HOST_IS_LITTLE };
}

interface TypedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly littleEndian: boolean;
}

function encode(values: Float64Array, type: ScalarType): Uint8Array<ArrayBuffer> {
  const big = (value: number) => BigInt(Math.trunc(value));
  const made = {
    uint8: () => Uint8Array.from(values),
    int8: () => Int8Array.from(values),
    uint16: () => Uint16Array.from(values),
    int16: () => Int16Array.from(values),
    uint32: () => Uint32Array.from(values),
    int32: () => Int32Array.from(values),
    float32: () => Float32Array.from(values),
    float64: () => values,
    uint64: () => BigUint64Array.from(values as ArrayLike<number> as never, big as never),
    int64: () => BigInt64Array.from(values as never, big as never),
    complex64: () => Float32Array.from(values),
    complex128: () => values,
  }[type]();
  return new Uint8Array(made.buffer as ArrayBuffer);
}
