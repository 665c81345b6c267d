import { expect, it } from "vitest";
import { GPU_TARGET, type Target } from "../../src/graph/target.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { attentionBlock, attentionBlockWeights } from "../../src/ops/attention_block.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, type Range, runOp, SOFTWARE_HERE } from "../support/twins.ts";
import { softwareKernelsRun } from "../support/dawn.ts";

// Two products of up to 256 terms, a softmax and a normalisation between them.
const BOUND = 5e-6;
/** An adapter without subgroups gets a GPU's kernel. */
const TARGETS: readonly Target[] = [GPU_TARGET, SOFTWARE_HERE, { kind: "cpu", subgroupSize: 0 }];

interface Case {
  readonly batch: number;
  readonly queries: number;
  /** 0: attended to before. */
  readonly keys: number;
  readonly inner: number;
  readonly width: number;
  readonly residual?: boolean;
  readonly columns?: number;
  readonly heads?: number;
  readonly q?: Range;
}

/** Rows longer than what is read of them, as those of several projections are. */
function record({ batch, queries, keys, inner, width, residual = false, columns = 0, heads = 8, q = {} }: Case) {
  const rows = batch * queries;
  return (graph: Graph) =>
    attentionBlock(
      graph,
      { tensor: given(graph, "q", [rows, inner + 8], q), first: 8 },
      given(graph, "weights", [attentionBlockWeights(inner, width, columns)], { scale: 0.2 }),
      {
        label: "test",
        batch,
        heads,
        queries,
        inner,
        width,
        eps: 1e-5,
        ...(keys > 0 ? { to: { tensor: given(graph, "kv", [batch * keys, 2 * inner + 4]), k: inner + 4, v: 4, keys } } : {}),
        ...(residual ? { residual: given(graph, "residual", [rows, width + 4]) } : {}),
        ...(columns > 0 ? { project: { columns, positions: given(graph, "positions", [rows, width + 12]) } } : {}),
      },
    );
}

describeGpu("attention_block", () => {
  it.each<Case>([
    { batch: 1, queries: 1, keys: 1, inner: 64, width: 64 },
    { batch: 1, queries: 7, keys: 7, inner: 256, width: 256, columns: 128 },
    { batch: 3, queries: 7, keys: 7, inner: 256, width: 256, residual: true, columns: 128 },
    { batch: 2, queries: 65, keys: 45, inner: 128, width: 256, residual: true },
    { batch: 1, queries: 9, keys: 0, inner: 128, width: 256, residual: true },
    { batch: 2, queries: 8, keys: 17, inner: 192, width: 128, columns: 192 },
    { batch: 1, queries: 17, keys: 33, inner: 64, width: 192, residual: true, columns: 64, heads: 4 },
    { batch: 5, queries: 3, keys: 0, inner: 64, width: 64, columns: 64 },
    { batch: 1, queries: 5, keys: 131, inner: 128, width: 64, q: { scale: 100 } }, // one key takes all
  ])("batch $batch, $queries queries of $inner channels over $keys keys, $width channels, $columns projected", async (options) => {
    const bound = options.q ? 1e-4 : BOUND;
    const results = await runOp(record(options), { bound, targets: TARGETS });
    const kernels = softwareKernelsRun ? ["attention_block", "attention_block_subgroups"] : ["attention_block"];
    expect(new Set(results.map(({ graph }) => graph.dispatches[0]?.shader.name))).toEqual(new Set(kernels));
    for (const { value } of results) expectClose(value, results[0].value, { label: "the kernels of both kinds of adapter", bound: 20 * bound });
  });

  it("has rows of weights that sum to 1: values that are all one are left as they are", async () => {
    const [inner, width] = [64, 64];
    // Identity for the projection, and a normalisation that would show any other sum.
    const weights = new Float32Array(attentionBlockWeights(inner, width, 0));
    for (let i = 0; i < inner; i++) weights[i * width + i] = i < 32 ? 1 : -1;
    weights.fill(1, (inner + 1) * width, (inner + 2) * width);
    const results = await runOp(
      (graph) =>
        attentionBlock(graph, { tensor: given(graph, "q", [9, inner], { scale: 5 }), first: 0 }, given(graph, "weights", [weights.length], weights), {
          label: "test",
          batch: 1,
          heads: 8,
          queries: 9,
          inner,
          width,
          eps: 0,
          to: { tensor: given(graph, "kv", [37, 2 * inner], new Float32Array(37 * 2 * inner).fill(1)), k: 0, v: inner, keys: 37 },
        }),
      { bound: BOUND, targets: TARGETS },
    );
    for (const { value } of results) {
      const want = Array.from({ length: value.length }, (_, i) => (i % width < 32 ? 1 : -1));
      expectClose(value, want, { label: "sum of the weights", bound: 1e-6 });
    }
  });

  it("names the weights where they are of another size", async () => {
    const wrong = runOp(
      (graph) =>
        attentionBlock(graph, { tensor: given(graph, "q", [2, 64]), first: 0 }, given(graph, "weights", [64]), {
          label: "test",
          batch: 1,
          heads: 8,
          queries: 2,
          inner: 64,
          width: 64,
          eps: 1e-5,
        }),
      { bound: 0 },
    );
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "attention_block", argument: "weights", expected: "[4288]" });
  });
});
