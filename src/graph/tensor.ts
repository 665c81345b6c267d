// Shaped handles. A tensor owns no memory: the plan and the executor give it some.
import type { WeightSource } from "./weight_source.ts";

export type Shape = readonly number[];
/** Narrow ones (f16, int8) are weights of matrix products only. */
export type DType = "f32" | "u32" | WeightType;
/** How weights of matrix products are stored: int8 with a scale for each column. */
export type WeightType = "f32" | "f16" | "int8";

/**
 * Where a tensor's bytes come from.
 * - `activation`: written by a dispatch, memory planned by lifetime
 * - `weight`: packed from the checkpoint once at load
 * - `constant`: known when the graph is recorded
 * - `input`: written by the host, or copied from another buffer, before each run
 */
export type TensorKind = "activation" | "weight" | "constant" | "input";

export interface Tensor {
  readonly id: number;
  readonly kind: TensorKind;
  readonly label: string;
  /** Row-major. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** Of a `weight`: which checkpoint tensors it is packed from, and how. */
  readonly source?: WeightSource;
  /** Of a `constant`. */
  readonly data?: Float32Array | Uint32Array;
}

export function elements(shape: Shape): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Bytes of the tensor's buffer, rounded up to the 16 of one `vec4`. Behind int8 elements stands an f32 for each column. */
export function byteLength({ shape, dtype }: Pick<Tensor, "shape" | "dtype">): number {
  const count = elements(shape);
  const bytes = dtype === "int8" ? count + 4 * (shape.at(-1) as number) : count * (dtype === "f16" ? 2 : 4);
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}
