// Linear layers: y = act((x + addend) Wᵀ + b) + residual.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Epilogue, matmul, type MatmulOptions } from "./matmul.ts";
import { matmulTwin } from "./matmul_twin.ts";

/** x [M, K] by weight [K, N] → [M, N]. */
export function linear(
  graph: Graph,
  x: Tensor,
  weight: Tensor,
  options: { label: string } & Epilogue & Pick<MatmulOptions, "addend" | "addendColumns">,
): Tensor {
  return matmul(graph, x, weight, { op: "linear", ...options });
}

/**
 * Z independent layers of one shape, each on its own token: x [B·tokens, K], weight [Z·K, N], bias [Z·N] → [B·Z, N].
 * Layer z of prompt b reads row b·tokens + firstRows[z] and writes row b·Z + z.
 */
export function linearHeads(
  graph: Graph,
  x: Tensor,
  weight: Tensor,
  options: { label: string; batch: number; tokens: number; firstRows: readonly number[] } & Epilogue,
): Tensor {
  const { batch, tokens, firstRows, ...rest } = options;
  const phases = firstRows.length;
  const table = graph.constant(`${options.label}.rows`, [phases, 2, 1], new Uint32Array(firstRows.flatMap((row, z) => [row, z])));
  return matmul(graph, x, weight, {
    op: "linear",
    ...rest,
    rows: { table, phases, taps: 1, period: 1, inStride: tokens, outStride: phases, m: batch, outRows: batch * phases },
  });
}

export const twin = matmulTwin;
