import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { layerNorm, type LayerNormOptions } from "../../src/ops/layer_norm.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, type Range, runOp, values } from "../support/twins.ts";

// Outputs are a few units; the two sums over the channels lose a few roundings (6e-8) each.
const BOUND = 2e-6;

interface Case extends Partial<Pick<LayerNormOptions, "eps" | "activation">> {
  readonly rows: number;
  readonly columns: number;
  readonly x?: Range;
  readonly addend?: Range;
  readonly residual?: boolean;
}

function record({ rows, columns, x = {}, addend, residual, eps = 1e-6, activation = "none" }: Case) {
  return (graph: Graph) =>
    layerNorm(graph, given(graph, "x", [rows, columns], x), given(graph, "weight", [columns], { shift: 1, scale: 0.3 }), given(graph, "bias", [columns]), {
      label: "test",
      eps,
      activation,
      ...(addend ? { addend: given(graph, "addend", [rows, columns], addend) } : {}),
      ...(residual ? { residual: given(graph, "residual", [rows, columns], { scale: 3 }) } : {}),
    });
}

describeGpu("layer_norm", () => {
  it.each<Case>([
    { rows: 1, columns: 4 },
    { rows: 3, columns: 36, residual: true },
    { rows: 65, columns: 20, addend: {} },
    { rows: 131, columns: 64, residual: true },
    { rows: 5, columns: 256, activation: "gelu" },
    { rows: 2, columns: 260, addend: {}, residual: true },
    { rows: 7, columns: 768, x: { scale: 1e4 }, eps: 1e-5 },
    { rows: 3, columns: 1280, addend: { scale: 100 }, activation: "gelu" },
  ])("$rows rows of $columns", async (options) => {
    expect(await runOp(record(options), { bound: BOUND })).toHaveLength(2);
  });

  it("keeps its precision where the mean is a thousand times the deviation", async () => {
    // x itself is rounded to 6e-5 of its deviation, the mean as much: one pass over x and x² would be off by 10 and more.
    await runOp(record({ rows: 4, columns: 512, x: { shift: 1000 } }), { bound: 2e-4 });
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
    const results = await runOp(record({ rows: 2, columns: 20, x: { scale: 0, shift: 7 } }), { bound: BOUND });
    for (const { value } of results) expectClose(value.subarray(20), values("bias", 20), { label: "bias", bound: 0 });
  });

  it("gives every row mean 0 and variance 1 before weight and bias", async () => {
    const [rows, columns] = [5, 132];
    const [result] = await runOp(
      (graph) => {
        const ones = given(graph, "weight", [columns], { scale: 0, shift: 1 });
        return layerNorm(graph, given(graph, "x", [rows, columns], { scale: 30, shift: 5 }), ones, given(graph, "bias", [columns], { scale: 0 }), {
          label: "test",
          eps: 1e-6,
        });
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
    const wrong = runOp(
      (graph) => layerNorm(graph, given(graph, "x", [2, 8]), given(graph, "weight", [4]), given(graph, "bias", [8]), { label: "test", eps: 1e-6 }),
      { bound: 0 },
    );
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "layer_norm", argument: "weight", expected: "[8]", got: "[4] (weight)" });
  });
});
