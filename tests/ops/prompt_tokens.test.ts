import { expect, it } from "vitest";
import { promptTokens } from "../../src/ops/prompt_tokens.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, type Range, runOp, values } from "../support/twins.ts";

// Angles of a few turns keep 6e-8 of themselves, and sin and cos are good to 1e-7.
const BOUND = 2e-6;

/** x and y in model pixels, then every label in turn: -1, 0, 1, 2, 3. */
function prompts(count: number, size: number): Float32Array {
  const at = values("prompts", 4 * count, { scale: size / 2, shift: size / 2 });
  return at.map((value, i) => (i % 4 === 2 ? (Math.floor(i / 4) % 5) - 1 : i % 4 === 3 ? 0 : value));
}

describeGpu("prompt_tokens", () => {
  it.each<{ batch: number; count: number; outputs: number; frequencies: number; size: number; gaussian?: Range; bound?: number }>([
    { batch: 1, count: 0, outputs: 5, frequencies: 128, size: 256 },
    { batch: 1, count: 1, outputs: 1, frequencies: 1, size: 16 },
    { batch: 3, count: 7, outputs: 5, frequencies: 67, size: 160 },
    { batch: 2, count: 11, outputs: 5, frequencies: 128, size: 1024 },
    // Forty turns keep 2e-5 of a radian.
    { batch: 1, count: 20, outputs: 5, frequencies: 64, size: 256, gaussian: { scale: 20 }, bound: 3e-5 },
  ])(
    "batch $batch, $count prompts, $frequencies frequencies, size $size",
    async ({ batch, count, outputs, frequencies, size, gaussian = {}, bound = BOUND }) => {
      const rows = Math.max(count, 1);
      const results = await runOp(
        (graph) =>
          promptTokens(
            graph,
            given(graph, "prompts", [batch, rows, 4], prompts(batch * rows, size)),
            given(graph, "gaussian", [2, frequencies], gaussian),
            given(graph, "labels", [5, 2 * frequencies]),
            given(graph, "outputs", [outputs, 2 * frequencies]),
            { label: "test", batch, prompts: count, size },
          ),
        { bound },
      );
      for (const { value } of results) expect(value.length).toBe(batch * (outputs + count) * 2 * frequencies);
    },
  );

  it("puts x on row 0 of the matrix, half a pixel further, and -1 in place of the position", async () => {
    // One frequency: z = 2π (cx · 1 + cy · 0) with cx = 2 (63.5 + 0.5) / 256 - 1 = -1/2 → half a turn back: sin 0, cos -1.
    const data = Float32Array.of(63.5, 200, 1, 0, 63.5, 200, -1, 0);
    const table = Float32Array.of(10, 10, 20, 20, 30, 30, 40, 40, 50, 60);
    const results = await runOp(
      (graph) =>
        promptTokens(
          graph,
          given(graph, "prompts", [1, 2, 4], data),
          given(graph, "gaussian", [2, 1], Float32Array.of(1, 0)),
          given(graph, "labels", [5, 2], table),
          given(graph, "outputs", [1, 2], Float32Array.of(7, 8)),
          { label: "test", batch: 1, prompts: 2, size: 256 },
        ),
      { bound: BOUND },
    );
    for (const { value } of results) [7, 8, 20, 19, 50, 60].forEach((want, i) => expect(value[i]).toBeCloseTo(want, 5));
  });
});
