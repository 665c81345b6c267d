// The decoder's token sequence, output tokens and positional encodings of the prompts, and its first projection.
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { projectRows, recordProjection } from "./token_projection.ts";
import type { Twin, TwinData } from "./twin.ts";

export interface PromptTokensOptions {
  readonly label: string;
  readonly batch: number;
  /** Sparse prompt tokens of each entry of the batch; may be 0. */
  readonly prompts: number;
  readonly outputTokens: number;
  /** Side of the model's image, in pixels. */
  readonly size: number;
  readonly width: number;
  readonly columns: number;
  /** What this op makes of the output tokens alone, [O, D + columns]: copied then, not computed. */
  readonly outputs?: Tensor;
}

/** Elements of the weights: gaussian [2, D/2], labels [5, D], output tokens [O, D], then the projection's [D, columns] and bias. */
export function promptTokensWeights(outputTokens: number, width: number, columns: number): number {
  return (6 + outputTokens) * width + (width + 1) * columns;
}

/** prompts [B, max(N, 1), 4] (x, y in model pixels, label, 0) → [B·(O + N), D + columns]: the tokens, then their projection. */
export function promptTokens(graph: Graph, prompts: Tensor, weights: Tensor, options: PromptTokensOptions): Tensor {
  const op = "prompt_tokens";
  const { label, batch, outputTokens, size, width, columns, outputs } = options;
  const tokens = outputTokens + options.prompts;
  const copied = outputs ? outputTokens : 0;
  expectShape(op, "prompts", prompts, [batch, Math.max(options.prompts, 1), 4]);
  expectShape(op, "weights", weights, [promptTokensWeights(outputTokens, width, columns)]);
  if (outputs) expectShape(op, "outputs", outputs, [outputTokens, width + columns]);
  const reads = { source: prompts, weights, residual: outputs ?? graph.none, positions: graph.none };
  const sizes = { rows: batch * (tokens - copied), width, columns, tokens, output_tokens: outputTokens, copied, inverse_size: 1 / size };
  return recordProjection(graph, op, label, reads, sizes, outputs ? batch : 0);
}

export const twin: Twin = (dispatch, { weights, source: prompts, residual }) => {
  const { width = 0, tokens = 1, output_tokens: outputs = 0, copied = 0, inverse_size: inverseSize = 0 } = dispatch.params;
  const frequencies = width / 2;
  const table = (label: number, c: number) => weights?.[(1 + label) * width + c] as number;
  const made = projectRows(dispatch, weights, undefined, (6 + outputs) * width, (row) =>
    Array.from({ length: width }, (_, c) => {
      const token = row % tokens;
      if (token < outputs) return table(5 + token, c);
      const prompt = Math.floor(row / tokens) * (tokens - outputs) + token - outputs;
      const [px, py, label] = [0, 1, 2].map((i) => prompts?.[4 * prompt + i] as number) as [number, number, number];
      if (label < 0) return table(4, c);
      const [cx, cy] = [2 * (px + 0.5) * inverseSize - 1, 2 * (py + 0.5) * inverseSize - 1];
      const angle = 2 * Math.PI * (cx * (weights?.[c % frequencies] as number) + cy * (weights?.[frequencies + (c % frequencies)] as number));
      return (c < frequencies ? Math.sin(angle) : Math.cos(angle)) + table(label, c);
    }),
  );
  const row = (dispatch.writes["y"] as Tensor).shape[1] as number;
  for (let first = 0; copied > 0 && first < made.y.length; first += tokens * row) made.y.set((residual as TwinData).subarray(0, copied * row), first);
  return made;
};
