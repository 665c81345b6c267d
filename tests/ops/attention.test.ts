import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { attention } from "../../src/ops/attention.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, type Range, runOp, SOFTWARE_HERE, values } from "../support/twins.ts";

// Scores of a few units lose a few roundings (6e-8) each, and so do the weights made of them.
const BOUND = 2e-6;

interface Case {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Channels of a head. */
  readonly width: number;
  readonly q?: Range;
}

function record({ batch, heads, queries, keys, width, q = {} }: Case, v: Range = {}) {
  const columns = heads * width;
  return (graph: Graph) =>
    attention(
      graph,
      { tensor: given(graph, "q", [batch * queries, columns], q), first: 0 },
      { tensor: given(graph, "k", [batch * keys, columns]), first: 0 },
      { tensor: given(graph, "v", [batch * keys, columns], v), first: 0 },
      { label: "test", batch, heads, queries, keys, columns },
    );
}

/** A kernel for each number of threads and width of a head. */
const MORE_WIDTHS: readonly (Case & { lanes: number })[] = [
  { batch: 2, heads: 8, queries: 65, keys: 63, width: 4, lanes: 1 },
  { batch: 1, heads: 2, queries: 8, keys: 8, width: 32, lanes: 1 },
  { batch: 1, heads: 1, queries: 5, keys: 257, width: 4, lanes: 32 },
];

describeGpu("attention", () => {
  it.each<Case & { lanes: number }>([
    { batch: 1, heads: 1, queries: 1, keys: 1, width: 4, lanes: 1 },
    { batch: 3, heads: 2, queries: 7, keys: 5, width: 16, lanes: 1 },
    { batch: 1, heads: 8, queries: 1, keys: 64, width: 16, lanes: 32 },
    { batch: 3, heads: 2, queries: 3, keys: 67, width: 16, lanes: 32 },
    ...(QUICK ? [] : MORE_WIDTHS),
  ])("batch $batch, $heads heads of $width, $queries queries over $keys keys, $lanes threads a query", async ({ lanes, ...options }) => {
    const [gpu] = await runOp(record(options), { bound: BOUND, targets: [GPU_TARGET, SOFTWARE_HERE] });
    expect(gpu.graph.dispatches[0]?.constants["LANES"]).toBe(lanes);
  });

  it.each<Case>([
    { batch: 1, heads: 8, queries: 200, keys: 203, width: 32 },
    { batch: 3, heads: 2, queries: 49, keys: 48, width: 16 },
    { batch: 2, heads: 1, queries: 64, keys: 65, width: 4, q: { scale: 30 } },
    ...(QUICK ? [] : [{ batch: 1, heads: 4, queries: 50, keys: 1030, width: 24 }]),
  ])("many of both, batch $batch, $heads heads of $width, $queries queries over $keys keys, on software adapters", async (options) => {
    const [{ graph }] = await runOp(record(options), { bound: BOUND, targets: [SOFTWARE_HERE] });
    expect(graph.dispatches[0]?.constants["LANES"]).toBe(SOFTWARE_HERE.subgroupSize);
  });

  it("takes the first rows of a single entry that has more", async () => {
    const [result] = await runOp(
      (graph) => {
        const [q, k, v] = ["q", "k", "v"].map((name) => given(graph, name, [70, 32])) as [Tensor, Tensor, Tensor];
        const sizes = { batch: 1, heads: 2, queries: 5, keys: 70, columns: 32 };
        return attention(graph, { tensor: q, first: 0 }, { tensor: k, first: 0 }, { tensor: v, first: 0 }, { label: "test", ...sizes });
      },
      { bound: BOUND },
    );
    expect(result.graph.dispatches[0]?.writes["y"]?.shape).toEqual([5, 32]);
  });

  it.each([5, 67])("reads q, k and v from the columns of one tensor, %i keys", async (keys) => {
    const options = { batch: 2, heads: 2, queries: keys, keys, width: 16 };
    const columns = options.heads * options.width;
    const parts = ["q", "k", "v"].map((name) => values(name, 2 * keys * columns));
    const qkv = new Float32Array(2 * keys * 3 * columns).map((_, i) => {
      const column = i % (3 * columns);
      return parts[Math.floor(column / columns)]?.[Math.floor(i / (3 * columns)) * columns + (column % columns)] as number;
    });
    const [shared] = await runOp(
      (graph) => {
        const tensor = given(graph, "qkv", [2 * keys, 3 * columns], qkv);
        return attention(graph, { tensor, first: 0 }, { tensor, first: columns }, { tensor, first: 2 * columns }, { label: "test", columns, ...options });
      },
      { bound: BOUND },
    );
    const [apart] = await runOp(record(options), { bound: BOUND });
    expectClose(shared.value, apart.value, { label: "the same bits as from three tensors", bound: 0 });
  });

  it.each([7, 131])("has rows of weights that sum to 1: %i values of one give one", async (keys) => {
    const options = { batch: 2, heads: 2, queries: 3, keys, width: 16, q: { scale: 5 } };
    for (const { value } of await runOp(record(options, { scale: 0, shift: 1 }), { bound: BOUND })) {
      // `keys` weights and their sum are rounded alike: what is left is a few roundings of 1.
      expectClose(value, new Float32Array(value.length).fill(1), { label: "sum of the weights", bound: 5e-7 });
    }
  });

  it.each([31, 96])("picks the best of %i keys where scores are thousands", async (keys) => {
    // Scores of 4000 are rounded to 2e-4: so are the weights, relative to themselves, where two are close.
    await runOp(record({ batch: 1, heads: 2, queries: 9, keys, width: 16, q: { scale: 1000 } }), { bound: 1e-3 });
  });
});
