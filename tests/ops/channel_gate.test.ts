import { expect, it } from "vitest";
import { channelGate } from "../../src/ops/channel_gate.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, type Range, runOp, values } from "../support/twins.ts";

// Sums of up to 1024 products, through a sigmoid whose slope is at most 1/4.
const BOUND = 2e-6;

describeGpu("channel_gate", () => {
  it.each<{ rows: number; columns: number; hidden: number; x?: Range }>([
    { rows: 1, columns: 4, hidden: 4 },
    { rows: 17, columns: 68, hidden: 20 },
    { rows: 256, columns: 64, hidden: 16, x: { scale: 1e3, shift: 2e3 } },
    { rows: 13, columns: 1028, hidden: 260 },
    { rows: 4, columns: 16, hidden: 1024 },
  ])("$rows rows of $columns channels, $hidden hidden", async ({ rows, columns, hidden, x = {} }) => {
    const [result] = await runOp(
      (graph) => {
        const weight = (label: string, shape: readonly number[]) => given(graph, label, shape, { scale: (x.shift ? 0.01 : 4) / Math.sqrt(shape[0] as number) });
        return channelGate(graph, given(graph, "x", [rows, columns], x), weight("weight1", [columns, hidden]), weight("weight2", [hidden, columns]), "test");
      },
      { bound: BOUND },
    );
    const gate = result.value;
    expect(gate.every((value) => value > 0 && value < 1)).toBe(true);
    // Neither all alike nor all shut: the gate depends on its input.
    expect(Math.max(...gate) - Math.min(...gate)).toBeGreaterThan(0.01);
  });

  it("takes the mean over all rows of each channel", async () => {
    const [rows, columns] = [19, 36];
    const x = values("x", rows * columns);
    const [result] = await runOp(
      (graph) =>
        channelGate(graph, given(graph, "x", [rows, columns], x), given(graph, "weight1", [columns, 4]), given(graph, "weight2", [4, columns]), "test"),
      {
        bound: BOUND,
      },
    );
    expect(result.graph.dispatches.map(({ op }) => op)).toEqual(["channel_mean", "channel_gate"]);
  });

  it("lets every channel through by half where the squeeze is shut", async () => {
    // Weights of -1 on inputs of 1: ReLU gives 0, sigmoid(0) = 1/2.
    const results = await runOp(
      (graph) =>
        channelGate(
          graph,
          given(graph, "x", [5, 8], { scale: 0, shift: 1 }),
          given(graph, "weight1", [8, 4], { scale: 0, shift: -1 }),
          given(graph, "weight2", [4, 8]),
          "test",
        ),
      { bound: 0 },
    );
    for (const { value } of results) expectClose(value, new Float32Array(8).fill(0.5), { label: "gate", bound: 0 });
  });
});
