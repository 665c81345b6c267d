// What every weight file looks like to the rest of the library: named tensors whose bytes are read piece by piece.
import type { ByteSource } from "../bytes/byte_source.ts";
import { elements, type Shape } from "../graph/tensor.ts";

export type StoredDType = "F32" | "F16" | "BF16";

export const BYTES_PER_ELEMENT: Readonly<Record<StoredDType, 2 | 4>> = { F32: 4, F16: 2, BF16: 2 };

/** An int8 weight `name` has its scales in `name.scale`. */
export const SCALE_SUFFIX = ".scale";
/** Elements of a weight from which int8 is worth it. */
export const QUANTISED_FROM = 4096;

export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  /** Row-major, PyTorch's layout. */
  readonly shape: Shape;
  /** What the file has, where `dtype` is what `read` makes of it: `int8` with scales, or a number type of `OTHER_BYTES`. */
  readonly stored?: "int8" | OtherDType;
}

/** Number types that no weight needs but files have, with the bytes of an element; `read` makes f32 of them. */
export const OTHER_BYTES = { F64: 8, I64: 8, U64: 8, I32: 4, U32: 4, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1 } as const;

export type OtherDType = keyof typeof OTHER_BYTES;

export interface OtherTensor {
  readonly name: string;
  readonly dtype: OtherDType;
  readonly shape: Shape;
}

export interface Checkpoint {
  /** For messages: a file name, an address, `synthetic:7`. */
  readonly label: string;
  /** What kind of file it is: `safetensors`, `pth`, `synthetic`. */
  readonly format?: string;
  /** In the order in which reading is cheapest: the file's. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Tensors in other number types, as a reader finds them; `openCheckpoint` puts them among `tensors`. */
  readonly others?: ReadonlyMap<string, OtherTensor>;
  /** Tensors of the file that cannot be read: name → why, `C64 [1], a dtype that is not loaded`. */
  readonly refused?: ReadonlyMap<string, string>;
  /** Where in the file the network was found, `model_state.sam`; empty at the top. */
  readonly place?: string;
  /** Places of the file's other networks, where the reader left those out. */
  readonly elsewhere?: readonly string[];
  /** Whose names the file has for the network's tensors. */
  readonly naming?: "reference" | "transformers";
  /** The file's name for a tensor of the network, where it is another. */
  nameInFile?(name: string): string;
  /** What the file says of itself: the safetensors header's `__metadata__`. */
  readonly metadata?: ReadonlyMap<string, string>;
  /** What `read` gives is held by nobody else: its memory may be let go as soon as it is used. */
  readonly fresh?: boolean;
  /** Little-endian bytes of the elements `[begin, end)` of a tensor; at least 4-byte aligned. Not to be written to. */
  read(name: string, begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** The same elements as the file has them, of a tensor in a number type of `OTHER_BYTES`. */
  readStored?(name: string, begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Another file of its folder, where it is known to have one; undefined, or throws, where that has no such file. */
  openBeside?(file: string): Promise<ByteSource | undefined>;
  /** Where a SHA-256 was promised: reads what was not read yet and throws unless the whole file has it. */
  verify?(signal?: AbortSignal): Promise<void>;
  /** Lets go of files and connections. */
  close(): Promise<void>;
}

/** In the file; the scales of int8 are not counted. */
export function storedBytes({ shape, dtype, stored }: StoredTensor): number {
  return elements(shape) * (stored === "int8" ? 1 : stored ? OTHER_BYTES[stored] : BYTES_PER_ELEMENT[dtype]);
}

/** A whole small tensor as f32: for tables that are computed on the CPU. */
export async function readF32(checkpoint: Checkpoint, name: string, signal?: AbortSignal): Promise<Float32Array> {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw new Error(`${checkpoint.label} has no tensor ${name}`);
  const bytes = await checkpoint.read(name, 0, elements(tensor.shape), signal);
  return decodeF32(bytes, tensor.dtype);
}

/** f32, f16 or bf16 bytes → f32 values; exact. */
export function decodeF32(bytes: Uint8Array<ArrayBuffer>, dtype: StoredDType): Float32Array {
  if (dtype === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = dtype === "BF16" ? (halves[i] as number) << 16 : f16ToF32Bits(halves[i] as number);
  return new Float32Array(out.buffer);
}

/** IEEE half → single, as bits: subnormals, infinities and NaN kept. */
export function f16ToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  let shift = 0;
  while (!(mantissa & 0x400)) {
    mantissa <<= 1;
    shift++;
  }
  return sign | ((113 - shift) << 23) | ((mantissa & 0x3ff) << 13);
}
