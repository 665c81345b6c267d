// Stride-2 transposed convolutions as one gathered product per output parity: each output pixel sees only a quarter of the
// kernel cells, so four small products do no work on zeros.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { PackedSource } from "../graph/weight_source.ts";
import { type Epilogue, matmul, ZERO_ROW } from "./matmul.ts";
import { matmulTwin } from "./matmul_twin.ts";

/** 4 with padding 1, or 2 with none: both double the side. */
export type TransposeKernel = 2 | 4;

export interface ConvTranspose2dOptions extends Epilogue {
  readonly label: string;
  /** Side of the square input, in tokens. */
  readonly side: number;
  readonly kernel: TransposeKernel;
  readonly batch?: number;
}

/** x [batch·side², I] by weight [kernel²·I, O] (packed by `convTransposeWeight`) → [batch·(2·side)², O]; bias [4·O] (`perPhase`). */
export function convTranspose2d(graph: Graph, x: Tensor, weight: Tensor, { side, kernel, batch = 1, ...options }: ConvTranspose2dOptions): Tensor {
  const period = side * side;
  const padding = kernel === 4 ? 1 : 0;
  const half = kernel / 2;
  const rows: number[] = [];
  // Phase (ey, ex) holds the kernel cells of that parity: output = 2·input - padding + cell.
  for (const [ey, ex] of PHASES) {
    const py = (ey + padding) % 2;
    const px = (ex + padding) % 2;
    for (let tap = 0; tap < half * half; tap++) {
      const shiftY = (py + padding - (2 * Math.floor(tap / half) + ey)) / 2;
      const shiftX = (px + padding - (2 * (tap % half) + ex)) / 2;
      for (let i = 0; i < period; i++) {
        const row = Math.floor(i / side) + shiftY;
        const column = (i % side) + shiftX;
        rows.push(row >= 0 && row < side && column >= 0 && column < side ? row * side + column : ZERO_ROW);
      }
    }
    for (let i = 0; i < period; i++) rows.push((2 * Math.floor(i / side) + py) * 2 * side + 2 * (i % side) + px);
  }
  const taps = half * half;
  const table = graph.constant(`${options.label}.rows`, [4, taps + 1, period], new Uint32Array(rows));
  return matmul(graph, x, weight, {
    op: "conv_transpose2d",
    ...options,
    rows: { table, phases: 4, taps, period, inStride: period, outStride: 4 * period, m: batch * period, outRows: 4 * batch * period },
  });
}

const PHASES = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

/** PyTorch's [I, O, kernel, kernel] → [4 phases · taps · I, O]: cell 2·tap + phase in each direction. */
export function convTransposeWeight(name: string, inputs: number, outputs: number, kernel: TransposeKernel): PackedSource {
  const block = inputs * outputs;
  const half = kernel / 2;
  const taps = half * half;
  return {
    kind: "packed",
    parts: [
      {
        name,
        shape: [inputs, outputs, kernel, kernel],
        dims: [inputs, outputs, half, 2, half, 2],
        strides: [outputs, 1, half * block, 2 * taps * block, block, taps * block],
        offset: 0,
      },
    ],
  };
}

/** The bias [O] once for each phase: [4·O]. */
export function perPhase(name: string, outputs: number): PackedSource {
  return {
    kind: "packed",
    parts: PHASES.map((_, phase) => ({ name, shape: [outputs], dims: [1, 1, 1, 1, 1, outputs], strides: [0, 0, 0, 0, 0, 1], offset: phase * outputs })),
  };
}

export const twin = matmulTwin;
