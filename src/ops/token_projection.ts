// Tokens of the decoder as they come out of an MLP, and every projection of them that the next attentions need.
import shader from "../../shaders/token_projection.wgsl";
import { type Dispatch, expectShape, type Graph } from "../graph/graph.ts";
import { elements, type Tensor } from "../graph/tensor.ts";
import { linearRow, normalise, productWaits, rowsWork } from "./rows.ts";
import type { Twin, TwinData } from "./twin.ts";

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

/** partial [rows, D], or [splits, rows, D], parts of a product's sum → [rows, D + columns]: x = LN(residual + sum + bias), then its projection. */
export function tokenProjection(graph: Graph, partial: Tensor, weights: Tensor, options: TokenProjectionOptions): Tensor {
  const op = "token_projection";
  const { label, residual, positions, columns, positional, eps } = options;
  const [width, rows, splits = 1] = [...partial.shape].reverse() as [number, number, number?];
  const length = ({ shape }: Tensor) => shape[1] as number;
  expectShape(op, "weights", weights, [tokenProjectionWeights(width, columns)]);
  expectShape(op, "residual", residual, [rows, length(residual)]);
  expectShape(op, "positions", positions, [rows, length(positions)]);
  const params = { rows, width, columns, positional, splits, residual_row: length(residual), positions_row: length(positions), eps };
  return recordProjection(graph, op, label, { source: partial, weights, residual, positions }, params);
}

const UNUSED = { positional: 0, splits: 0, residual_row: 0, positions_row: 0, eps: 0, tokens: 1, output_tokens: 0, copied: 0, inverse_size: 0 };

/** The dispatch of this op and of `prompt_tokens`, which share a kernel: without splits it makes the tokens itself, `copied` ones once for each prompt of `copies`. */
export function recordProjection(
  graph: Graph,
  op: string,
  label: string,
  reads: Dispatch["reads"],
  sizes: Partial<typeof UNUSED> & { rows: number; width: number; columns: number },
  copies = 0,
): Tensor {
  const params = { ...UNUSED, ...sizes };
  const { rows, width, columns, positional, splits, copied } = params;
  const y = graph.activation(label, [rows + copies * copied, width + columns]);
  const { software, subgroupSize } = graph.target;
  // Each block makes x for itself: narrow ones fill a software adapter's threads where rows are few, which take two each where they are many.
  const [block, perThread] = !software ? [128, 1] : rows <= 64 ? [64, 1] : [256, 2];
  const blocks = Math.ceil(positional / block) + Math.ceil((columns - positional) / block);
  graph.dispatch({
    op,
    label,
    shader: software?.tokenProjection ?? shader,
    reads,
    writes: { y, ...(software ? { scratch: graph.activation(`${label}.scratch`, [Math.max(blocks * rows, 1), width]) } : {}) },
    params,
    constants: { BLOCK: block, ...(software ? { ROWS: perThread, LANES: subgroupSize >= 8 ? 8 : 4 } : {}) },
    workgroups: [Math.ceil(rows / (8 * perThread)) + copies, blocks, 1],
    ...(software ? {} : { work: rowsWork(productWaits(width, block), Math.ceil(splits / 2) + 2) }),
    flop: rows * width * (2 * columns + splits + 20),
  });
  return y;
}

const at = (data: TwinData | undefined, i: number): number => data?.[i] as number;

export const twin: Twin = (dispatch, { weights, source, residual, positions }) => {
  const { rows = 0, width = 0, splits = 0, eps = 0, residual_row: length = 0 } = dispatch.params;
  return projectRows(dispatch, weights, positions, 3 * width, (row) => {
    const x = Array.from({ length: width }, (_, c) => {
      let sum = at(weights, c) + at(residual, row * length + c);
      for (let split = 0; split < splits; split++) sum += at(source, (split * rows + row) * width + c);
      return sum;
    });
    return normalise(x, weights, width, eps);
  });
};

/** Each computed row's x, then its projection by the matrix at `matrix` of the weights, with positions for the first columns. */
export function projectRows(
  { params, constants, workgroups, writes }: Dispatch,
  weights: TwinData | undefined,
  positions: TwinData | undefined,
  matrix: number,
  rowOf: (row: number) => number[],
): { y: Float32Array; scratch: Float32Array } {
  const { rows = 0, width = 0, columns = 0, positional = 0, positions_row: length = 0, tokens = 1, copied = 0 } = params;
  const y = new Float32Array(elements((writes["y"] as Tensor).shape));
  const scratch = new Float32Array(Math.max(workgroups[1] * rows, 1) * width);
  const own = tokens - copied;
  for (let i = 0; i < rows; i++) {
    const row = Math.floor(i / own) * tokens + copied + (i % own);
    const x = rowOf(row);
    const moved = positional > 0 ? x.map((value, c) => value + at(positions, row * length + c)) : x;
    const seeing = Math.ceil(positional / (constants["BLOCK"] as number));
    for (let block = 0; block < workgroups[1]; block++) scratch.set(block < seeing ? moved : x, (block * rows + i) * width);
    const [seen, plain] = [moved, x].map((values) => linearRow(values, weights, matrix, columns)) as [number[], number[]];
    y.set([...x, ...seen.slice(0, positional), ...plain.slice(positional)], row * (width + columns));
  }
  return { y, scratch };
}
