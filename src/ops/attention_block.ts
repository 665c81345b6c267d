// An attention's way out: multi-head attention, output projection, residual and LayerNorm in one dispatch, and what the next attention asks.
import shader from "../../shaders/attention_block.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { attendTo, attention, attentionOfMany, type Columns, rowsOf } from "./attention.ts";
import { attendWaits } from "./attention_time.ts";
import { linearRow, normalise, productWaits, rowsWork } from "./rows.ts";
import type { Twin } from "./twin.ts";

export interface AttentionBlockOptions {
  readonly label: string;
  readonly batch: number;
  readonly heads: number;
  /** Of one entry of the batch. */
  readonly queries: number;
  /** Channels of all heads. */
  readonly inner: number;
  /** Keys and values in one tensor [B·keys, …]; without them q is what was attended to. */
  readonly to?: { readonly tensor: Tensor; readonly k: number; readonly v: number; readonly keys: number };
  /** Channels of y before the projection, D. */
  readonly width: number;
  /** Of rows that begin with the D channels, as the positions are. */
  readonly residual?: Tensor;
  /** Columns of a projection of y + positions. */
  readonly project?: { readonly columns: number; readonly positions: Tensor };
  readonly eps: number;
}

/** Elements of the weights: Wo [inner, D], bias, LayerNorm weight and bias, then the projection's [D, columns] and bias. */
export function attentionBlockWeights(inner: number, width: number, columns: number): number {
  return inner * width + 3 * width + (columns > 0 ? (width + 1) * columns : 0);
}

/** q [B·queries, …] → [B·queries, D + columns]: y, then its projection. */
export function attentionBlock(graph: Graph, q: Columns, weights: Tensor, options: AttentionBlockOptions): Tensor {
  const op = "attention_block";
  const { label, batch, heads, queries, inner, to, width, residual, project, eps } = options;
  const rows = batch * queries;
  const columns = project?.columns ?? 0;
  const length = (tensor: Tensor | undefined) => (tensor?.shape[1] ?? 0) as number;
  expectShape(op, "weights", weights, [attentionBlockWeights(inner, width, columns)]);
  expectShape(op, "q", q.tensor, [rows, length(q.tensor)]);
  if (to) expectShape(op, "to", to.tensor, [batch * to.keys, length(to.tensor)]);
  if (residual) expectShape(op, "residual", residual, [rowsOf(residual, batch, queries), length(residual)]);
  if (project) expectShape(op, "positions", project.positions, [rows, length(project.positions)]);
  if (to && attentionOfMany(graph.target, queries, to.keys)) {
    const { to: _, ...after } = options;
    const sides = [to.k, to.v].map((first) => ({ tensor: to.tensor, first })) as [Columns, Columns];
    const attended = attention(graph, q, ...sides, { label: `${label}.attended`, batch, heads, queries, keys: to.keys, columns: inner });
    return attentionBlock(graph, { tensor: attended, first: 0 }, weights, after);
  }
  const y = graph.activation(label, [rows, width + columns]);
  const { software } = graph.target;
  graph.dispatch({
    op,
    label,
    shader: software?.attentionBlock ?? shader,
    reads: {
      q: q.tensor,
      weights,
      kv: to?.tensor ?? graph.none,
      residual: residual ?? graph.none,
      positions: project?.positions ?? graph.none,
    },
    writes: { y, ...(software ? { scratch: graph.activation(`${label}.scratch`, [rows, inner]) } : {}) },
    params: {
      queries,
      keys: to?.keys ?? 0,
      heads,
      inner,
      width,
      columns,
      q_row: length(q.tensor),
      q_first: q.first,
      kv_row: length(to?.tensor),
      k_first: to?.k ?? 0,
      v_first: to?.v ?? 0,
      residual_row: length(residual),
      positions_row: length(project?.positions),
      scale: (inner / heads) ** -0.5,
      eps,
    },
    workgroups: [Math.ceil(queries / (software ? 16 : 8)), batch, 1],
    ...(software ? {} : { work: rowsWork(productWaits(inner, width) + productWaits(width, columns), 1 + attendWaits(to?.keys ?? 0, heads, inner / heads)) }),
    flop: rows * (4 * (to?.keys ?? 0) * inner + 2 * inner * width + 8 * width + 2 * width * columns),
  });
  return y;
}

export const twin: Twin = ({ params, workgroups }, reads) => {
  const { weights, q, kv, residual, positions } = reads as Record<string, Float32Array>;
  const p = params as Record<string, number>;
  const [queries, inner, width, columns] = [p["queries"], p["inner"], p["width"], p["columns"]] as [number, number, number, number];
  const part = (data: Float32Array | undefined, row: number, length: string, first: number, count: number) =>
    (data as Float32Array).subarray(row * (p[length] as number) + first, row * (p[length] as number) + first + count);
  const y = new Float32Array(workgroups[1] * queries * (width + columns));
  const scratch = new Float32Array(workgroups[1] * queries * inner);
  for (let row = 0; row < workgroups[1] * queries; row++) {
    const entry = Math.floor(row / queries);
    let a: ArrayLike<number> = part(q, row, "q_row", p["q_first"] as number, inner);
    if (p["keys"]) {
      const of = (first: string) =>
        Array.from({ length: p["keys"] as number }, (_, key) => part(kv, entry * (p["keys"] as number) + key, "kv_row", p[first] as number, inner));
      a = attendTo(a, of("k_first"), of("v_first"), p["heads"] as number, p["scale"] as number);
    }
    scratch.set(a, row * inner);
    const out = linearRow(a, weights, 0, width);
    if (p["residual_row"]) part(residual, row, "residual_row", 0, width).forEach((value, c) => ((out[c] as number) += value));
    const v = normalise(out, weights, (inner + 1) * width, p["eps"] as number);
    y.set(v, row * (width + columns));
    if (columns === 0) continue;
    const at = part(positions, row, "positions_row", 0, width);
    const moved = v.map((value, c) => value + (at[c] as number));
    y.set(linearRow(moved, weights, (inner + 3) * width, columns), row * (width + columns) + width);
  }
  return { y, scratch };
};
