// Plain multi-head attention, of the mask decoder.
import shader from "../../shaders/attention.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Shader } from "../graph/shader.ts";
import type { Target } from "../graph/target.ts";
import type { Tensor } from "../graph/tensor.ts";
import { AHEAD, workOf } from "./attention_time.ts";
import type { Twin, TwinData } from "./twin.ts";

/** `columns` channels of a projected tensor, from `first` on: q, k and v may share one tensor. */
export interface Columns {
  readonly tensor: Tensor;
  readonly first: number;
}

export interface AttentionOptions {
  readonly label: string;
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Channels of all heads together. */
  readonly columns: number;
}

/**
 * Few queries over many keys leave most of a GPU idle with a thread a query: 32 threads share the keys then. A software adapter has
 * few threads to fill, and the barrier costs it more than the sums.
 */
const SHARED_LANES = 32;
const MANY = 48;

/** A software adapter's own kernel, of so many queries and keys that it is quicker alone than in an attention block. */
export function attentionOfMany({ software }: Target, queries: number, keys: number): Shader | undefined {
  return queries >= MANY && keys >= MANY ? software?.attention : undefined;
}

/** Rows of a tensor with `count` for each entry of the batch. A single entry may have more, of which the first are taken. */
export function rowsOf({ shape }: Tensor, batch: number, count: number): number {
  return batch === 1 ? Math.max(count, shape[0] as number) : batch * count;
}

/** q [B·queries, …], k and v [B·keys, …] → [B·queries, columns]; scores are scaled by 1/√(head width). Of a single entry, q may have more rows. */
export function attention(graph: Graph, q: Columns, k: Columns, v: Columns, { label, batch, heads, queries, keys, columns }: AttentionOptions): Tensor {
  const op = "attention";
  expectShape(op, "q", q.tensor, [rowsOf(q.tensor, batch, queries), q.tensor.shape[1] as number]);
  expectShape(op, "k", k.tensor, [batch * keys, k.tensor.shape[1] as number]);
  expectShape(op, "v", v.tensor, [batch * keys, v.tensor.shape[1] as number]);
  const y = graph.activation(label, [batch * queries, columns]);
  const { kind, subgroupSize } = graph.target;
  const alone = kind === "cpu";
  const [lanes, threads] = [keys >= 64 && !alone ? SHARED_LANES : 1, alone ? 8 : 64];
  const width = columns / heads;
  const own = attentionOfMany(graph.target, queries, keys);
  const row4 = ({ tensor }: Columns) => (tensor.shape[1] as number) / 4;
  graph.dispatch({
    op,
    label,
    shader: own ?? shader,
    reads: { q: q.tensor, k: k.tensor, v: v.tensor },
    writes: { y },
    params: {
      queries,
      keys,
      q_row4: row4(q),
      q_first4: q.first / 4,
      k_row4: row4(k),
      k_first4: k.first / 4,
      v_row4: row4(v),
      v_first4: v.first / 4,
      y_row4: columns / 4,
      ...(own ? { head4: width / 4 } : {}),
      scale: width ** -0.5,
    },
    constants: own
      ? { LANES: subgroupSize >= 8 ? 8 : 4 }
      : { LANES: lanes, MERGES: Math.log2(lanes), THREADS: threads, HEAD4: width / 4, AHEAD: lanes > 1 ? AHEAD : 1 },
    workgroups: [own ? Math.ceil(queries / 16) : Math.ceil((queries * lanes) / threads), heads, batch],
    ...(alone ? {} : { work: workOf(width, keys, lanes, threads) }),
    flop: 4 * batch * queries * keys * columns,
  });
  return y;
}

export const twin: Twin = ({ params, constants, workgroups }, { q, k, v }) => {
  const p = params as Record<"queries" | "keys" | "q_row4" | "q_first4" | "k_row4" | "k_first4" | "v_row4" | "v_first4" | "y_row4" | "scale", number>;
  const d = 4 * (params["head4"] ?? (constants["HEAD4"] as number));
  const [, heads, batches] = workgroups;
  const y = new Float32Array(batches * p.queries * 4 * p.y_row4);
  const rowAt = (data: TwinData | undefined, row4: number, first4: number) => (row: number) =>
    (data as Float32Array).subarray(4 * (row * row4 + first4), 4 * (row * row4 + first4) + heads * d);
  for (let row = 0; row < batches * p.queries; row++) {
    const keys = Array.from({ length: p.keys }, (_, key) => Math.floor(row / p.queries) * p.keys + key);
    const of = { k: keys.map(rowAt(k, p.k_row4, p.k_first4)), v: keys.map(rowAt(v, p.v_row4, p.v_first4)) };
    y.set(attendTo(rowAt(q, p.q_row4, p.q_first4)(row), of.k, of.v, heads, p.scale), row * 4 * p.y_row4);
  }
  return { y };
};

/** The attention of one query to keys and values, all of them rows of the channels of all heads. */
export function attendTo(q: ArrayLike<number>, k: readonly ArrayLike<number>[], v: readonly ArrayLike<number>[], heads: number, scale: number): Float64Array {
  const d = q.length / heads;
  const y = new Float64Array(q.length);
  for (let head = 0; head < heads; head++) {
    const scores = k.map((key) => {
      let score = 0;
      for (let i = head * d; i < head * d + d; i++) score += (q[i] as number) * (key[i] as number);
      return score * scale;
    });
    const highest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - highest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = head * d; i < head * d + d; i++) y[i] = weights.reduce((sum, weight, key) => sum + weight * (v[key]?.[i] as number), 0) / total;
  }
  return y;
}
