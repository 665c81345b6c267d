import { expect, it } from "vitest";
import { GPU_TARGET, type Target } from "../../src/graph/target.ts";
import { channelGate } from "../../src/ops/channel_gate.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, type Range, runOp } from "../support/twins.ts";

// Sums of up to 1024 products, through a sigmoid whose slope is at most 1/4.
const BOUND = 2e-6;

/** Quickly the sizes of the first cases, so that their kernels are these tests' too. */
const sizes = (columns: number, hidden: number) => (QUICK ? [68, 20] : [columns, hidden]) as [number, number];

describeGpu("channel_gate", () => {
  it.each<{ groups: number; columns: number; hidden: number; x?: Range; targets?: Target[] }>([
    { groups: 17, columns: 68, hidden: 20 },
    { groups: 64, columns: 68, hidden: 20, x: { scale: 1e3, shift: 2e3 } },
    // Each takes seconds to compile where LLVM does it.
    ...(QUICK
      ? []
      : [
          { groups: 1, columns: 4, hidden: 4 },
          { groups: 64, columns: 768, hidden: 192, x: { scale: 1e3, shift: 2e3 } },
          { groups: 13, columns: 1028, hidden: 260 },
          { groups: 4, columns: 16, hidden: 1024, targets: [GPU_TARGET] },
        ]),
  ])("$groups groups of $columns channels, $hidden hidden", async ({ groups, columns, hidden, x = {}, ...options }) => {
    const [result] = await runOp(
      (graph) => {
        const weight = (label: string, shape: readonly number[]) => given(graph, label, shape, { scale: (x.shift ? 0.01 : 4) / Math.sqrt(shape[0] as number) });
        const sums = given(graph, "sums", [groups, columns], x);
        return channelGate(graph, sums, weight("weight1", [columns, hidden]), weight("weight2", [hidden, columns]), { label: "test", rows: 4 * groups });
      },
      { bound: BOUND, ...options },
    );
    const gate = result.value;
    expect(gate.every((value) => value > 0 && value < 1)).toBe(true);
    // Neither all alike nor all shut: the gate depends on its input.
    expect(Math.max(...gate) - Math.min(...gate)).toBeGreaterThan(0.01);
  });

  it("takes the mean over all rows of each channel", async () => {
    // Both sums are 10 rows of 1: the same gate, whatever the groups.
    const [columns, hidden] = sizes(36, 4);
    const gate = async (groups: readonly number[]) => {
      const [{ value }] = await runOp(
        (graph) => {
          const sums = given(
            graph,
            "sums",
            [groups.length, columns],
            Float32Array.from({ length: columns * groups.length }, (_, i) => groups[Math.floor(i / columns)] as number),
          );
          const weights = [given(graph, "weight1", [columns, hidden]), given(graph, "weight2", [hidden, columns])] as const;
          return channelGate(graph, sums, ...weights, { label: "test", rows: 10 });
        },
        { bound: BOUND, targets: [GPU_TARGET] },
      );
      return value;
    };
    expectClose(await gate([4, 4, 2]), await gate([10]), { label: "gate", bound: 0 });
  });

  it("lets every channel through by half where the squeeze is shut", async () => {
    // Weights of -1 on inputs of 1: ReLU gives 0, sigmoid(0) = 1/2.
    const [columns, hidden] = sizes(8, 4);
    const results = await runOp(
      (graph) =>
        channelGate(
          graph,
          given(graph, "sums", [5, columns], { scale: 0, shift: 1 }),
          given(graph, "weight1", [columns, hidden], { scale: 0, shift: -1 }),
          given(graph, "weight2", [hidden, columns]),
          { label: "test", rows: 5 },
        ),
      { bound: 0 },
    );
    for (const { value } of results) expectClose(value, new Float32Array(columns).fill(0.5), { label: "gate", bound: 0 });
  });
});
