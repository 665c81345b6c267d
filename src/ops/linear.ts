// Linear layers: y = act(x Wᵀ + b) + residual.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Epilogue, matmul, type MatmulOptions } from "./matmul.ts";
import { matmulTwin } from "./matmul_twin.ts";

/** x [M, K] by weight [K, N] → [M, N]. */
export function linear(graph: Graph, x: Tensor, weight: Tensor, options: { label: string } & Epilogue & Pick<MatmulOptions, "partial" | "wide">): Tensor {
  return matmul(graph, x, weight, { op: "linear", ...options });
}

export const twin = matmulTwin;
