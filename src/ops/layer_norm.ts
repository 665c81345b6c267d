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
  /** [M, C]: added to x before normalising. */
  readonly addend?: Tensor;
  readonly activation?: Activation;
  /** [M, C]: added at the end. */
  readonly residual?: Tensor;
  /** A second norm, of the result: the next layer's. */
  readonly next?: (Norm & { readonly label: string }) | undefined;
  /** Also sums the result over groups of rows, for a mean over all rows. */
  readonly sums?: boolean;
}

export interface LayerNormed {
  readonly y: Tensor;
  /** [M, C], where `next` was given. */
  readonly next?: Tensor;
  /** [groups, C], where `sums` was asked for. */
  readonly sums?: Tensor;
}

/** Rows of a workgroup that also sums them: fewer groups for the reader, and still enough to fill a GPU. */
const SUMMED_ROWS = 4;

/** x [M, C] → [M, C]. */
export function layerNorm(graph: Graph, x: Tensor, { affine, eps }: Norm, options: LayerNormOptions): LayerNormed {
  const op = "layer_norm";
  const { label, addend, activation = "none", residual, next, sums = false } = options;
  const [rows, columns] = x.shape as [number, number];
  expectShape(op, "affine", affine, [2, columns]);
  if (next) expectShape(op, "next", next.affine, [2, columns]);
  if (addend) expectShape(op, "addend", addend, [rows, columns]);
  if (residual) expectShape(op, "residual", residual, [rows, columns]);
  const rowAThread = graph.target.kind === "cpu";
  const ownRows = sums ? SUMMED_ROWS : 1;
  const groups = Math.ceil(rows / (rowAThread ? 64 : ownRows));
  const y = graph.activation(label, [rows, columns]);
  const z = next && graph.activation(next.label, [rows, columns]);
  const summed = sums ? graph.activation(`${label}.sums`, [groups, columns]) : undefined;
  graph.dispatch({
    op,
    label,
    shader,
    reads: { x, addend: addend ?? graph.none, norm: affine, residual: residual ?? graph.none, next_norm: next?.affine ?? graph.none },
    writes: { y, z: z ?? graph.sink(), sums: summed ?? graph.sink() },
    params: { rows, columns4: columns / 4, eps, activation: ACTIVATION_CODE[activation], next_eps: next?.eps ?? 0 },
    constants: {
      ADDEND: addend !== undefined,
      RESIDUAL: residual !== undefined,
      NEXT: next !== undefined,
      SUMS: sums,
      ROW_A_THREAD: rowAThread,
      ROWS: rowAThread ? 1 : ownRows,
    },
    workgroups: [groups, 1, 1],
    flop: (8 + (next ? 8 : 0) + (sums ? 1 : 0)) * rows * columns,
  });
  return { y, ...(z && { next: z }), ...(summed && { sums: summed }) };
}

export const twin: Twin = ({ params, constants, workgroups }, { x, addend, norm, residual, next_norm: nextNorm }) => {
  const { rows = 0, columns4 = 0, eps = 0, activation = 0, next_eps: nextEps = 0 } = params;
  const columns = 4 * columns4;
  const groupRows = constants["ROW_A_THREAD"] ? 64 : (constants["ROWS"] as number);
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
    const v = Array.from({ length: columns }, (_, c) => (x?.[first + c] ?? 0) + (constants["ADDEND"] ? (addend?.[first + c] ?? 0) : 0));
    const out = normalised(v, norm, eps).map((value, c) => activate(activation, value) + (constants["RESIDUAL"] ? (residual?.[first + c] ?? 0) : 0));
    y.set(out, first);
    if (constants["NEXT"]) z.set(normalised(out, nextNorm, nextEps), first);
    out.forEach((value, c) => {
      (sums[Math.floor(row / groupRows) * columns + c] as number) += value;
    });
  }
  return { y, ...(constants["NEXT"] ? { z } : {}), ...(constants["SUMS"] ? { sums } : {}) };
};
