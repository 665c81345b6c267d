// Tokens of the decoder as they come out of an MLP, or in from the prompts, and every projection of them that the next attentions need.
import shader from "../../shaders/token_projection.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { hasSubgroups, linearRow, normalise } from "./rows.ts";
import type { Twin } from "./twin.ts";

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
}

/** Elements of the weights: gaussian [2, D/2], labels [5, D], output tokens [O, D], then the projection's [D, columns] and bias. */
export function promptTokensWeights(outputTokens: number, width: number, columns: number): number {
  return (6 + outputTokens) * width + (width + 1) * columns;
}

/** prompts [B, max(N, 1), 4] (x, y in model pixels, label, 0) → [B·(O + N), D + columns]: the tokens, then their projection. */
export function promptTokens(graph: Graph, prompts: Tensor, weights: Tensor, options: PromptTokensOptions): Tensor {
  const { label, batch, outputTokens, size, width, columns } = options;
  const tokens = outputTokens + options.prompts;
  expectShape("token_projection", "prompts", prompts, [batch, Math.max(options.prompts, 1), 4]);
  expectShape("token_projection", "weights", weights, [promptTokensWeights(outputTokens, width, columns)]);
  const params = { ...ZERO, tokens, output_tokens: outputTokens, inverse_size: 1 / size };
  const reads = { weights, source: prompts, residual: graph.none, positions: graph.none };
  return record(graph, label, batch * tokens, width, columns, 0, reads, params);
}

export interface TokenProjectionOptions {
  readonly label: string;
  /** Both of rows that begin with the D channels. */
  readonly residual: Tensor;
  readonly positions: Tensor;
  readonly columns: number;
  /** Columns that see x + positions, the first ones. */
  readonly positional: number;
  readonly eps: number;
}

/** Elements of the weights: bias, LayerNorm weight and bias, then the projection's [D, columns] and bias. */
export function tokenProjectionWeights(width: number, columns: number): number {
  return 3 * width + (width + 1) * columns;
}

/** partial [splits, rows, D], parts of a product's sum → [rows, D + columns]: x = LN(residual + sum + bias), then its projection. */
export function tokenProjection(graph: Graph, partial: Tensor, weights: Tensor, options: TokenProjectionOptions): Tensor {
  const op = "token_projection";
  const { label, residual, positions, columns, positional, eps } = options;
  const [splits, rows, width] = partial.shape as [number, number, number];
  const length = ({ shape }: Tensor) => shape[1] as number;
  expectShape(op, "weights", weights, [tokenProjectionWeights(width, columns)]);
  expectShape(op, "residual", residual, [rows, length(residual)]);
  expectShape(op, "positions", positions, [rows, length(positions)]);
  const params = { ...ZERO, splits, residual_row: length(residual), positions_row: length(positions), eps };
  const reads = { weights, source: partial, residual: residual, positions: positions };
  return record(graph, label, rows, width, columns, positional, reads, params);
}

const ZERO = { splits: 0, residual_row: 0, positions_row: 0, eps: 0, tokens: 1, output_tokens: 0, inverse_size: 0 };

function record(
  graph: Graph,
  label: string,
  rows: number,
  width: number,
  columns: number,
  positional: number,
  reads: Readonly<Record<string, Tensor>>,
  params: typeof ZERO,
): Tensor {
  const y = graph.activation(label, [rows, width + columns]);
  graph.dispatch({
    op: "token_projection",
    label,
    shader,
    reads,
    writes: { y },
    conditions: hasSubgroups(graph.target) ? ["subgroups"] : [],
    params: { rows, width, columns, positional, ...params },
    workgroups: [Math.ceil(rows / 8), Math.ceil(positional / 256) + Math.ceil((columns - positional) / 256), 1],
    flop: rows * width * (2 * columns + params.splits + 20),
  });
  return y;
}

export const twin: Twin = ({ params }, { weights, source, residual, positions }) => {
  const { rows = 0, width = 0, columns = 0, positional = 0, splits = 0, eps = 0, residual_row: residualRow = 0, positions_row: positionsRow = 0 } = params;
  const y = new Float32Array(rows * (width + columns));
  const at = (data: ArrayLike<number> | undefined, i: number) => data?.[i] as number;
  const matrix = splits === 0 ? (6 + (params["output_tokens"] as number)) * width : 3 * width;
  for (let row = 0; row < rows; row++) {
    let x = Array.from({ length: width }, (_, c) => {
      if (splits === 0) return promptToken(params, weights, source, row, c);
      let sum = at(weights, c) + at(residual, row * residualRow + c);
      for (let split = 0; split < splits; split++) sum += at(source, (split * rows + row) * width + c);
      return sum;
    });
    if (splits > 0) x = normalise(x, weights, width, eps);
    y.set(x, row * (width + columns));
    const moved = positional > 0 ? x.map((value, c) => value + at(positions, row * positionsRow + c)) : x;
    y.set([...linearRow(moved, weights, matrix, columns).slice(0, positional), ...linearRow(x, weights, matrix, columns).slice(positional)], row * (width + columns) + width);
  }
  return { y };
};

function promptToken(params: Readonly<Record<string, number>>, weights: ArrayLike<number> | undefined, prompts: ArrayLike<number> | undefined, row: number, c: number): number {
  const { width = 0, tokens = 1, output_tokens: outputs = 0, inverse_size: inverseSize = 0 } = params;
  const table = (label: number) => weights?.[(1 + label) * width + c] as number;
  const token = row % tokens;
  if (token < outputs) return table(5 + token);
  const prompt = Math.floor(row / tokens) * (tokens - outputs) + token - outputs;
  const [px, py, label] = [0, 1, 2].map((i) => prompts?.[4 * prompt + i] as number) as [number, number, number];
  if (label < 0) return table(4);
  const frequencies = width / 2;
  const [cx, cy] = [2 * (px + 0.5) * inverseSize - 1, 2 * (py + 0.5) * inverseSize - 1];
  const angle = 2 * Math.PI * (cx * (weights?.[c % frequencies] as number) + cy * (weights?.[frequencies + (c % frequencies)] as number));
  return (c < frequencies ? Math.sin(angle) : Math.cos(angle)) + table(label);
}
