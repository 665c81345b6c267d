import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { layerNorm, type LayerNormOptions } from "../../src/ops/layer_norm.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, type Range, runOp, SOFTWARE_HERE, values } from "../support/twins.ts";
import { softwareKernelsRun } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";

// Outputs are a few units; the two sums over the channels lose a few roundings (6e-8) each.
const BOUND = 2e-6;

interface Case extends Pick<LayerNormOptions, "activation" | "sums"> {
  readonly eps?: number;
  readonly rows: number;
  readonly columns: number;
  readonly x?: Range;
  readonly addend?: Range;
  readonly residual?: boolean;
  /** Eps of a second norm. */
  readonly next?: number;
}

/** Weights around 1, biases around 0. */
function affineOf(graph: Graph, label: string, columns: number) {
  const bias = values(`${label}.bias`, columns);
  return given(graph, label, [2, columns], Float32Array.of(...values(`${label}.weight`, columns, { shift: 1, scale: 0.3 }), ...bias));
}

function normed(graph: Graph, { rows, columns, x = {}, addend, residual, eps = 1e-6, activation = "none", next, sums = false }: Case) {
  return layerNorm(
    graph,
    given(graph, "x", [rows, columns], x),
    { affine: affineOf(graph, "affine", columns), eps },
    {
      label: "test",
      activation,
      sums,
      ...(addend ? { addend: given(graph, "addend", [rows, columns], addend) } : {}),
      ...(residual ? { residual: given(graph, "residual", [rows, columns], { scale: 3 }) } : {}),
      ...(next ? { next: { label: "next", eps: next, affine: affineOf(graph, "next affine", columns) } } : {}),
    },
  );
}

const record = (options: Case) => (graph: Graph) => normed(graph, options).y;

/** Of other operands and of wider rows than the quick ones: each is a kernel of its own to compile. */
const MORE: readonly Case[] = [
  { rows: 65, columns: 20, addend: {} },
  { rows: 2, columns: 260, addend: {}, residual: true },
  { rows: 7, columns: 768, x: { scale: 1e4 }, eps: 1e-5 },
  { rows: 3, columns: 1280, addend: { scale: 100 }, activation: "gelu" },
];
const MORE_PARTS = [
  { rows: 3, columns: 36, parts: [2, 0, 0] },
  { rows: 5, columns: 768, parts: [3, 1, 1] },
] as const;

describeGpu("layer_norm", () => {
  it.each<Case>([
    { rows: 1, columns: 4 },
    { rows: 3, columns: 36, residual: true },
    { rows: 131, columns: 64, residual: true },
    { rows: 5, columns: 256, activation: "gelu" },
    { rows: 6, columns: 68, x: { scale: 1e4 }, eps: 1e-5 },
    { rows: 1, columns: 4, next: 1e-6, sums: true },
    { rows: 7, columns: 260, next: 1e-5, addend: {}, residual: true },
    { rows: 67, columns: 36, next: 1e-6, sums: true, activation: "relu" },
    { rows: 130, columns: 20, sums: true },
    ...(QUICK ? [] : MORE),
  ])("$rows rows of $columns", async (options) => {
    expect(await runOp(record(options), { bound: BOUND })).toHaveLength(softwareKernelsRun ? 2 : 1);
  });

  it.each([{ rows: 66, columns: 260, parts: [1, 3, 2] } as const, ...(QUICK ? [] : MORE_PARTS)])(
    "adds up the parts of split products, $parts of x, addend and residual: $rows rows of $columns",
    async ({ rows, columns, parts }) => {
      const [x, addend, residual] = parts;
      const split = (graph: Graph, label: string, count: number) => given(graph, label, [count, rows, columns]);
      await runOp(
        (graph) =>
          layerNorm(
            graph,
            split(graph, "x", x),
            { affine: affineOf(graph, "affine", columns), eps: 1e-6 },
            {
              label: "test",
              keep: "kept",
              addendActivation: "gelu",
              ...(addend ? { addend: split(graph, "addend", addend) } : {}),
              ...(residual ? { residual: split(graph, "residual", residual) } : {}),
            },
          ).kept as Tensor,
        { bound: BOUND, targets: [GPU_TARGET] },
      );
    },
  );

  it("keeps its precision where the mean is a thousand times the deviation", async () => {
    // x itself is rounded to 6e-5 of its deviation, the mean as much: one pass over x and x² would be off by 10 and more.
    await runOp(record({ rows: 4, columns: QUICK ? 256 : 512, x: { shift: 1000 } }), { bound: 2e-4 });
  });

  it("tells eps 1e-5 from 1e-6 where the variance is as small", async () => {
    // Deviation 1e-3 / √3: variance 3.3e-7, below both.
    const low = { rows: 3, columns: 64, x: { scale: 1e-3 } };
    const run = async (eps: number) => (await runOp(record({ ...low, eps }), { bound: BOUND }))[0].value;
    const [encoder, adapter] = [await run(1e-6), await run(1e-5)];
    const apart = encoder.reduce((most, value, i) => Math.max(most, Math.abs(value - (adapter[i] as number))), 0);
    expect(apart).toBeGreaterThan(0.3);
  });

  it("gives rows of no variance the bias", async () => {
    // WGSL's division may be off by 2.5 units in the last place: the mean of sevens by 1.2e-6, which 1 / sqrt(eps) makes a thousand times more of.
    const [bound, exact] = softwareKernelsRun ? [BOUND, 0] : [1.2e-3, 1.2e-3];
    const results = await runOp(record({ rows: 2, columns: 20, x: { scale: 0, shift: 7 } }), { bound });
    for (const { value } of results) expectClose(value.subarray(20), values("affine.bias", 20), { label: "bias", bound: exact });
  });

  it("gives every row mean 0 and variance 1 before weight and bias", async () => {
    const [rows, columns] = [5, 132];
    const [result] = await runOp(
      (graph) => {
        const affine = given(
          graph,
          "affine",
          [2, columns],
          Float32Array.from({ length: 2 * columns }, (_, i) => (i < columns ? 1 : 0)),
        );
        return layerNorm(graph, given(graph, "x", [rows, columns], { scale: 30, shift: 5 }), { affine, eps: 1e-6 }, { label: "test" }).y;
      },
      { bound: BOUND },
    );
    for (let row = 0; row < rows; row++) {
      const v = [...result.value.subarray(row * columns, (row + 1) * columns)];
      const mean = v.reduce((sum, value) => sum + value, 0) / columns;
      const variance = v.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
      // Rounding alone, of 132 values near 1.
      expect(Math.abs(mean)).toBeLessThan(1e-6);
      expect(Math.abs(variance - 1)).toBeLessThan(2e-6);
    }
  });

  it("names the operand whose shape does not fit", async () => {
    const wrong = runOp((graph) => layerNorm(graph, given(graph, "x", [2, 8]), { affine: given(graph, "affine", [2, 4]), eps: 1e-6 }, { label: "test" }).y, {
      bound: 0,
    });
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "layer_norm", argument: "affine", expected: "[2, 8]", got: "[2, 4] (affine)" });
  });

  it("sums each column over all rows, in groups", async () => {
    const [rows, columns] = [67, 20];
    for (const target of [GPU_TARGET, SOFTWARE_HERE]) {
      const [{ value, graph }] = await runOp((g) => normed(g, { rows, columns, sums: true }).sums as Tensor, { bound: BOUND, targets: [target] });
      const groups = value.length / columns;
      expect(groups).toBe(target.kind === "gpu" ? 17 : 2);
      expect(graph.dispatches.length).toBe(1);
    }
  });

  it("gives the second norm what a norm of its own would", async () => {
    const both = { rows: 9, columns: 68, next: 1e-5, ...(QUICK ? { sums: true } : { residual: true }) };
    const [fused] = await runOp((graph) => normed(graph, both).next as Tensor, { bound: BOUND });
    const [apart] = await runOp(
      (graph) => layerNorm(graph, normed(graph, { ...both, next: 0 }).y, { affine: affineOf(graph, "next affine", 68), eps: 1e-5 }, { label: "next" }).y,
      { bound: BOUND },
    );
    // The same sums in the same order.
    expectClose(fused.value, apart.value, { label: "next", bound: 1e-6 });
  });
});
