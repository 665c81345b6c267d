// 3×3 convolution of each channel by itself, with the norm that may follow it.
import shader from "../../shaders/depthwise.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, type Activation, activate } from "./activation.ts";
import type { Norm } from "./layer_norm.ts";
import type { Twin } from "./twin.ts";

export interface DepthwiseOptions {
  readonly label: string;
  /** Side of the square input, in tokens. */
  readonly side: number;
  readonly stride: 1 | 2;
  readonly activation?: Activation;
  /** A norm of the result. */
  readonly next?: Norm & { readonly label: string };
}

/** Padding 1. x [side², C], weights [10, C] (nine cells row by row, bias) → y [⌈side / stride⌉², C], and its norm where `next` is given. */
export function depthwise(graph: Graph, x: Tensor, weights: Tensor, options: DepthwiseOptions): { readonly y: Tensor; readonly next?: Tensor } {
  const op = "depthwise";
  const { label, side, stride, activation = "none", next } = options;
  const columns = x.shape[1] as number;
  const out = Math.ceil(side / stride);
  expectShape(op, "x", x, [side * side, 4 * Math.ceil(columns / 4)]);
  expectShape(op, "weights", weights, [10, columns]);
  if (next) expectShape(op, "next", next.affine, [2, columns]);
  const y = graph.activation(label, [out * out, columns]);
  const z = next && graph.activation(next.label, [out * out, columns]);
  const rowAThread = graph.target.kind === "cpu";
  graph.dispatch({
    op,
    label,
    shader,
    reads: { x, weights, norm: next?.affine ?? graph.none },
    writes: { y, z: z ?? graph.sink() },
    params: { side, out_side: out, columns4: columns / 4, activation: ACTIVATION_CODE[activation], eps: next?.eps ?? 0 },
    constants: { STRIDE: stride, NORM: next !== undefined, ROW_A_THREAD: rowAThread },
    workgroups: next ? [rowAThread ? Math.ceil((out * out) / 64) : out * out, 1, 1] : [Math.ceil((out * columns) / 4 / 64), out, 1],
    work: { threads: 64, steps: next ? 3 * Math.ceil(columns / 256) + 1 : 2, instructions: next ? 120 : 200 },
    flop: (18 + (next ? 8 : 0)) * out * out * columns,
  });
  return { y, ...(z && { next: z }) };
}

export const twin: Twin = ({ params, constants }, { x, weights, norm }) => {
  const { side = 0, out_side: out = 0, columns4 = 0, activation = 0, eps = 0 } = params;
  const stride = constants["STRIDE"] as number;
  const columns = 4 * columns4;
  const y = new Float32Array(out * out * columns);
  const z = new Float32Array(out * out * columns);
  for (let token = 0; token < out * out; token++) {
    const row = Array.from({ length: columns }, (_, c) => {
      let sum = weights?.[9 * columns + c] as number;
      for (let cell = 0; cell < 9; cell++) {
        const top = Math.floor(token / out) * stride + Math.floor(cell / 3) - 1;
        const left = (token % out) * stride + (cell % 3) - 1;
        if (top < 0 || top >= side || left < 0 || left >= side) continue;
        sum += (x?.[(top * side + left) * columns + c] as number) * (weights?.[cell * columns + c] as number);
      }
      return activate(activation, sum);
    });
    y.set(row, token * columns);
    const mean = row.reduce((sum, value) => sum + value, 0) / columns;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
    z.set(
      row.map((value, c) => ((value - mean) / Math.sqrt(variance + eps)) * (norm?.[c] ?? 0) + (norm?.[columns + c] ?? 0)),
      token * columns,
    );
  }
  return { y, ...(constants["NORM"] ? { z } : {}) };
};
