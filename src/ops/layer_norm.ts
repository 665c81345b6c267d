// LayerNorm over the channels of each row: of tokens, and of feature maps, which are stored channels-last.
import shader from "../../shaders/layer_norm.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, type Activation, activate } from "./activation.ts";
import type { Twin } from "./twin.ts";

/** Weight, then bias: [2, C]; with the eps that goes with them. */
export interface Norm {
  readonly affine: Tensor;
  /** 1e-6 in the encoder, the neck and LayerNorm2d; 1e-5 in the adapters and the decoder's transformer. */
  readonly eps: number;
}

export interface LayerNormOptions {
  readonly label: string;
  /** [M, C], or the parts [P, M, C] of a split product with the activation it still wants: added to x before normalising. */
  readonly addend?: Tensor;
  readonly addendActivation?: Activation;
  readonly activation?: Activation;
  /** [M, C] or parts [P, M, C]: added at the end. */
  readonly residual?: Tensor;
  /** A second norm, of the result: the next layer's. */
  readonly next?: (Norm & { readonly label: string }) | undefined;
  /** Also gives x + addend under this label, for who needs the sum of x's parts. Not beside `next`. */
  readonly keep?: string;
  /** Also sums the result over groups of rows, for a mean over all rows. */
  readonly sums?: boolean;
}

export interface LayerNormed {
  readonly y: Tensor;
  /** [M, C], where `next` was given. */
  readonly next?: Tensor;
  /** [M, C], where `keep` was given. */
  readonly kept?: Tensor;
  /** [groups, C], where `sums` was asked for. */
  readonly sums?: Tensor;
}

/** Rows of a workgroup that also sums them: fewer groups for the reader, and still enough to fill a GPU. */
const SUMMED_ROWS = 4;

/** x [M, C], or the parts [P, M, C] of a split product → [M, C]. */
export function layerNorm(graph: Graph, x: Tensor, { affine, eps }: Norm, options: LayerNormOptions): LayerNormed {
  const op = "layer_norm";
  const { label, addend, addendActivation = "none", activation = "none", residual, next, keep, sums = false } = options;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  expectShape(op, "affine", affine, [2, columns]);
  if (next) expectShape(op, "next", next.affine, [2, columns]);
  const partsOf = (name: string, tensor: Tensor | undefined) => {
    if (!tensor) return 0;
    const split = tensor.shape.slice(0, -2);
    expectShape(op, name, tensor, [...split, rows, columns]);
    return split[0] ?? 1;
  };
  const parts = { X_PARTS: partsOf("x", x), ADDEND_PARTS: partsOf("addend", addend), RESIDUAL_PARTS: partsOf("residual", residual) };
  const { software } = graph.target;
  const ownRows = software ? 64 : sums ? SUMMED_ROWS : 1;
  const groups = Math.ceil(rows / ownRows);
  const y = graph.activation(label, [rows, columns]);
  const z = next ? graph.activation(next.label, [rows, columns]) : keep ? graph.activation(keep, [rows, columns]) : undefined;
  const summed = sums ? graph.activation(`${label}.sums`, [groups, columns]) : undefined;
  const shared = { NEXT: next !== undefined, KEEP: keep !== undefined, SUMS: sums };
  const params = { rows, columns4: columns / 4, eps, activation: ACTIVATION_CODE[activation], next_eps: next?.eps ?? 0 };
  graph.dispatch({
    op,
    label,
    // A software adapter never splits a product.
    ...(software
      ? { shader: software.layerNorm, params, constants: { ...shared, ADDEND: parts.ADDEND_PARTS > 0, RESIDUAL: parts.RESIDUAL_PARTS > 0 } }
      : {
          shader,
          params: { ...params, addend_activation: parts.ADDEND_PARTS > 1 ? ACTIVATION_CODE[addendActivation] : 0 },
          constants: { ...shared, ...parts, ROWS: ownRows, VECTORS: Math.ceil(columns / 256) },
        }),
    reads: { x, addend: addend ?? graph.none, norm: affine, residual: residual ?? graph.none, next_norm: next?.affine ?? graph.none },
    writes: { y, z: z ?? graph.sink(), sums: summed ?? graph.sink() },
    workgroups: [groups, 1, 1],
    flop: (8 + (next ? 8 : 0) + (sums ? 1 : 0)) * rows * columns,
    // A wait for the row; then two sums over the workgroup for each norm.
    work: { threads: 64, steps: ownRows, instructions: (40 * columns) / 256 + (next ? 240 : 120), registers: 64 },
  });
  return { y, ...(next && z && { next: z }), ...(keep && z && { kept: z }), ...(summed && { sums: summed }) };
}

export const twin: Twin = ({ params, constants, workgroups }, { x, addend, norm, residual, next_norm: nextNorm }) => {
  const { rows = 0, columns4 = 0, eps = 0, activation = 0, addend_activation: addendActivation = 0, next_eps: nextEps = 0 } = params;
  const columns = 4 * columns4;
  const groupRows = (constants["ROWS"] as number | undefined) ?? 64;
  /** Element i of a product's parts, added up; 0 where there is none. */
  const total = (data: ArrayLike<number> | undefined, there: number | boolean | undefined, i: number) =>
    there ? Array.from({ length: Number(there) }, (_, p) => data?.[p * rows * columns + i] ?? 0).reduce((sum, value) => sum + value) : 0;
  const y = new Float32Array(rows * columns);
  const z = new Float32Array(rows * columns);
  const sums = new Float32Array(workgroups[0] * columns);
  const normalised = (v: number[], affine: ArrayLike<number> | undefined, epsilon: number) => {
    const mean = v.reduce((sum, value) => sum + value, 0) / columns;
    const variance = v.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
    return v.map((value, c) => ((value - mean) / Math.sqrt(variance + epsilon)) * (affine?.[c] ?? 0) + (affine?.[columns + c] ?? 0));
  };
  for (let row = 0; row < rows; row++) {
    const first = row * columns;
    const added = (i: number) => activate(addendActivation, total(addend, constants["ADDEND_PARTS"] ?? constants["ADDEND"], i));
    const v = Array.from({ length: columns }, (_, c) => total(x, constants["X_PARTS"] ?? 1, first + c) + added(first + c));
    const after = (i: number) => total(residual, constants["RESIDUAL_PARTS"] ?? constants["RESIDUAL"], i);
    const out = normalised(v, norm, eps).map((value, c) => activate(activation, value) + after(first + c));
    y.set(out, first);
    if (constants["KEEP"]) z.set(v, first);
    if (constants["NEXT"]) z.set(normalised(out, nextNorm, nextEps), first);
    out.forEach((value, c) => {
      (sums[Math.floor(row / groupRows) * columns + c] as number) += value;
    });
  }
  return { y, ...(constants["NEXT"] || constants["KEEP"] ? { z } : {}), ...(constants["SUMS"] ? { sums } : {}) };
};
