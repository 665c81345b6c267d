// Shaped handles. A tensor owns no memory: the plan and the executor give it some.
import type { WeightSource } from "./weight_source.ts";

export type Shape = readonly number[];
export type DType = "f32" | "u32";

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

/** Bytes of the tensor's buffer: 4 per element, rounded up to the 16 of one `vec4`. */
export function byteLength(tensor: Pick<Tensor, "shape">): number {
  return Math.max(16, Math.ceil((elements(tensor.shape) * 4) / 16) * 16);
}
