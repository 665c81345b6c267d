// 3×3 convolutions on image tokens, as a gathered product with one tap per kernel cell.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { PackedSource } from "../graph/weight_source.ts";
import { type Epilogue, matmul, type MatmulOptions, ZERO_ROW } from "./matmul.ts";
import { matmulTwin } from "./matmul_twin.ts";

export interface Conv2dOptions extends Epilogue, Pick<MatmulOptions, "partial"> {
  readonly label: string;
  /** Side of the square input, in tokens. */
  readonly side: number;
  readonly stride: 1 | 2;
  /** [C]: multiplies the input's channels. */
  readonly gate?: Tensor;
}

/** Padding 1. x [side², I] by weight [9·I, O] (packed by `convWeight`) → [(side / stride)², O]. */
export function conv2d(graph: Graph, x: Tensor, weight: Tensor, { side, stride, ...options }: Conv2dOptions): Tensor {
  const out = Math.ceil(side / stride);
  const rows = new Uint32Array(10 * out * out);
  for (let i = 0; i < out * out; i++) {
    for (let tap = 0; tap < 9; tap++) {
      const row = Math.floor(i / out) * stride + Math.floor(tap / 3) - 1;
      const column = (i % out) * stride + (tap % 3) - 1;
      const inside = row >= 0 && row < side && column >= 0 && column < side;
      rows[tap * out * out + i] = inside ? row * side + column : ZERO_ROW;
    }
    rows[9 * out * out + i] = i;
  }
  const table = graph.constant(`${options.label}.rows`, [1, 10, out * out], rows);
  return matmul(graph, x, weight, { op: "conv2d", ...options, rows: table });
}

/** PyTorch's [O, I, 3, 3] → [9·I, O]. */
export function convWeight(name: string, outputs: number, inputs: number): PackedSource {
  return {
    kind: "packed",
    parts: [{ name, shape: [outputs, inputs, 3, 3], dims: [1, 1, 1, outputs, inputs, 9], strides: [0, 0, 0, 1, outputs, inputs * outputs], offset: 0 }],
  };
}

export const twin = matmulTwin;
