// Stride-2 transposed convolutions as one gathered product per output parity: each output pixel sees only a quarter of the
// kernel cells, so four small products do no work on zeros.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { PackedSource } from "../graph/weight_source.ts";
import { type Epilogue, matmul, type MatmulOptions, ZERO_ROW } from "./matmul.ts";
import { matmulTwin } from "./matmul_twin.ts";

export interface ConvTranspose2dOptions extends Epilogue, Pick<MatmulOptions, "partial"> {
  readonly label: string;
  /** Side of the square input, in tokens. */
  readonly side: number;
}

/** Kernel 4, padding 1. x [side², I] by weight [16·I, O] (packed by `convTransposeWeight`) → [(2·side)², O]. */
export function convTranspose2d(graph: Graph, x: Tensor, weight: Tensor, { side, ...options }: ConvTranspose2dOptions): Tensor {
  const pixels = side * side;
  const rows: number[] = [];
  // Phase (ey, ex) holds the kernel cells of that parity, which reach the output pixels of the other: output = 2·input - 1 + cell.
  for (const [ey, ex] of PHASES) {
    for (const [ty, tx] of PHASES) {
      for (let i = 0; i < pixels; i++) {
        const row = Math.floor(i / side) + 1 - ey - ty;
        const column = (i % side) + 1 - ex - tx;
        rows.push(row >= 0 && row < side && column >= 0 && column < side ? row * side + column : ZERO_ROW);
      }
    }
    for (let i = 0; i < pixels; i++) rows.push((2 * Math.floor(i / side) + 1 - ey) * 2 * side + 2 * (i % side) + 1 - ex);
  }
  const table = graph.constant(`${options.label}.rows`, [4, 5, pixels], new Uint32Array(rows));
  return matmul(graph, x, weight, { op: "conv_transpose2d", ...options, rows: table });
}

/** Parities of phases, and the four cells of a phase: cell 2·tap + parity in each direction. */
const PHASES = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

/** PyTorch's [I, O, 4, 4] → [4 phases · 4 taps · I, O]. */
export function convTransposeWeight(name: string, inputs: number, outputs: number): PackedSource {
  const block = inputs * outputs;
  return {
    kind: "packed",
    parts: [
      {
        name,
        shape: [inputs, outputs, 4, 4],
        dims: [inputs, outputs, 2, 2, 2, 2],
        strides: [outputs, 1, 2 * block, 8 * block, block, 4 * block],
        offset: 0,
      },
    ],
  };
}

export const twin = matmulTwin;
