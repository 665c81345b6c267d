// The second pass of a split matrix product.
import shader from "../../shaders/matmul_reduce.wgsl";
import type { Choice, Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { activate } from "./activation.ts";
import type { Twin, TwinData } from "./twin.ts";

export interface ReduceOptions {
  readonly activation: number;
  readonly residual: Tensor | undefined;
  readonly added: { readonly residual_rows: number; readonly residual_columns4: number };
  /** The product's. */
  readonly choice: Choice | undefined;
}

/** partial [splits, M, N] → y [M, N], with activation (its code) and residual [R, N]. */
export function matmulReduce(graph: Graph, partial: Tensor, y: Tensor, { activation, residual, added, choice }: ReduceOptions): void {
  const [splits, rows, columns] = partial.shape as [number, number, number];
  const count4 = (rows * columns) / 4;
  graph.dispatch({
    op: "matmul_reduce",
    label: `${y.label}.reduce`,
    shader,
    reads: { x: partial, residual: residual ?? graph.none },
    writes: { y },
    params: { count4, n4: columns / 4, splits, activation, ...added },
    workgroups: [Math.ceil(count4 / 64), 1, 1],
    choice,
    work: { threads: 64, steps: Math.ceil(splits / 8) + 1, instructions: 60 },
    flop: splits * rows * columns,
  });
}

const at = (data: TwinData | undefined, index: number): number => data?.[index] as number;

export const twin: Twin = ({ params }, { x, residual }) => {
  const { count4 = 0, n4 = 1, splits = 1, activation = 0, residual_rows: rows = 1, residual_columns4: columns4 = 0 } = params;
  const y = new Float32Array(4 * count4);
  for (let i = 0; i < y.length; i++) {
    let sum = 0;
    for (let s = 0; s < splits; s++) sum += at(x, s * y.length + i);
    y[i] = activate(activation, sum) + (i % (4 * n4) < 4 * columns4 ? at(residual, i % (4 * n4 * rows)) : 0);
  }
  return { y };
};
