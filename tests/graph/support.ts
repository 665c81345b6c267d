// A kernel that exists only as a declaration: enough to record, plan and print with.
import { Graph } from "../../src/graph/graph.ts";
import type { Shader } from "../../src/graph/shader.ts";
import type { Tensor } from "../../src/graph/tensor.ts";

export const ADD: Shader = {
  name: "add",
  bindings: [
    { name: "a", index: 0, access: "read" },
    { name: "b", index: 1, access: "read" },
    { name: "y", index: 2, access: "write" },
    { name: "params", index: 3, access: "uniform" },
  ],
  params: [
    { name: "count", offset: 0, type: "u32" },
    { name: "scale", offset: 4, type: "f32" },
  ],
  constants: { TILE: { type: "u32", value: 4 }, FUSED: { type: "bool", value: false }, EPS: { type: "f32", value: 1 }, SHIFT: { type: "i32", value: -3 } },
  conditions: ["fast", "half"],
  code: { "": "fn plain() {}", fast: "fn fast() {}", half: "enable f16;\nrequires x;\nfn half() {}" },
};

export interface Step {
  readonly label?: string;
  readonly shape?: readonly number[];
  readonly flop?: number;
}

/** y = a + b, on record. */
export function add(graph: Graph, a: Tensor, b: Tensor, { label = "y", shape = a.shape, flop = 1 }: Step = {}): Tensor {
  const y = graph.activation(label, shape);
  graph.dispatch({ op: "add", label, shader: ADD, reads: { a, b }, writes: { y }, params: { count: 1, scale: 1 }, workgroups: [1, 1, 1], flop });
  return y;
}

/** Numbers in [0, 1) that look random, the same for a seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let h = Math.imul(state ^ (state >>> 15), state | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A graph of `length` additions of earlier tensors, some of them outputs, of sizes from 1 to 4000 elements. */
export function randomGraph(seed: number, length: number): Graph {
  const next = random(seed);
  const graph = new Graph(`random ${seed}`);
  const known: Tensor[] = [graph.input("input", [64]), graph.constant("constant", [3], new Float32Array(3))];
  // Mostly of what was written lately, as networks are, at times of what lies far back.
  const pick = () => known[Math.max(0, known.length - 1 - Math.floor(next() ** 3 * known.length))] as Tensor;
  for (let i = 0; i < length; i++) {
    const y = add(graph, pick(), pick(), { label: `t${i}`, shape: [1 + Math.floor(next() * 4000)], flop: Math.floor(next() * 1e6) });
    if (next() < 0.05) graph.output(y);
    known.push(y);
  }
  return graph;
}
