import { expect, it } from "vitest";
import { promptTokens, promptTokensWeights } from "../../src/ops/prompt_tokens.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp, values } from "../support/twins.ts";

// Angles of a few turns keep 6e-8 of themselves, sin and cos are good to 1e-7, and sums have up to 256 terms.
const BOUND = 5e-6;

/** x and y in model pixels, then every label in turn: -1, 0, 1, 2, 3. */
function prompts(count: number, size: number): Float32Array {
  const at = values("prompts", 4 * count, { scale: size / 2, shift: size / 2 });
  return at.map((value, i) => (i % 4 === 2 ? (Math.floor(i / 4) % 5) - 1 : i % 4 === 3 ? 0 : value));
}

describeGpu("prompt_tokens", () => {
  it.each<{
    batch: number;
    count: number;
    outputTokens: number;
    width: number;
    columns: number;
    size: number;
    turns?: number;
    bound?: number;
    copied?: boolean;
  }>([
    { batch: 1, count: 0, outputTokens: 5, width: 256, columns: 768, size: 256 },
    { batch: 1, count: 1, outputTokens: 1, width: 64, columns: 4, size: 16 },
    { batch: 3, count: 7, outputTokens: 5, width: 128, columns: 260, size: 160 },
    { batch: 2, count: 11, outputTokens: 5, width: 256, columns: 64, size: 1024 },
    { batch: 2, count: 90, outputTokens: 5, width: 64, columns: 260, size: 256, copied: true },
    { batch: 1, count: 75, outputTokens: 5, width: 64, columns: 64, size: 256 },
    { batch: 1, count: 45, outputTokens: 5, width: 192, columns: 576, size: 256 },
    { batch: 1, count: 0, outputTokens: 5, width: 64, columns: 260, size: 256, copied: true },
    { batch: 3, count: 0, outputTokens: 1, width: 64, columns: 4, size: 256, copied: true },
    { batch: 7, count: 3, outputTokens: 5, width: 128, columns: 260, size: 160, copied: true },
    { batch: 2, count: 11, outputTokens: 5, width: 256, columns: 768, size: 256, copied: true },
    // Forty turns keep 2e-5 of a radian.
    { batch: 1, count: 20, outputTokens: 5, width: 64, columns: 64, size: 256, turns: 20, bound: 3e-5 },
  ])(
    "batch $batch, $count prompts, $width channels, $columns columns, size $size, output tokens copied: $copied",
    async ({ batch, count, turns = 1, bound = BOUND, copied, ...options }) => {
      const { outputTokens, width, columns, size } = options;
      const weights = values("weights", promptTokensWeights(outputTokens, width, columns)).map((value, i) => (i < width ? turns * value : value));
      const rows = Math.max(count, 1);
      const results = await runOp(
        (graph) =>
          promptTokens(graph, given(graph, "prompts", [batch, rows, 4], prompts(batch * rows, size)), given(graph, "weights", [weights.length], weights), {
            label: "test",
            batch,
            prompts: count,
            ...options,
            ...(copied ? { outputs: given(graph, "outputs", [outputTokens, width + columns]) } : {}),
          }),
        { bound },
      );
      for (const { value } of results) expect(value.length).toBe(batch * (outputTokens + count) * (width + columns));
    },
  );

  it("puts x on row 0 of the matrix, half a pixel further, and -1 in place of the position", async () => {
    // One frequency: z = 2π (cx · 1 + cy · 0) with cx = 2 (63.5 + 0.5) / 256 - 1 = -1/2 → half a turn back: sin 0, cos -1.
    const [width, columns] = [64, 4];
    const data = Float32Array.of(63.5, 200, 1, 0, 63.5, 200, -1, 0);
    const weights = new Float32Array(promptTokensWeights(1, width, columns));
    weights[0] = 1;
    const both = (row: number, sin: number, cos: number) => weights.set([sin], row * width) ?? weights.set([cos], row * width + width / 2);
    [10, 20, 30, 40, 50].forEach((value, label) => both(1 + label, value, value + (label === 4 ? 10 : 0)));
    both(6, 7, 8);
    // The projection's first column is channel 0 and a bias of 100.
    weights[7 * width] = 1;
    weights[7 * width + width * columns] = 100;
    const results = await runOp(
      (graph) =>
        promptTokens(graph, given(graph, "prompts", [1, 2, 4], data), given(graph, "weights", [weights.length], weights), {
          label: "test",
          batch: 1,
          prompts: 2,
          outputTokens: 1,
          size: 256,
          width,
          columns,
        }),
      { bound: BOUND },
    );
    for (const { value } of results) {
      const row = width + columns;
      [7, 8, 20, 19, 50, 60].forEach((want, i) => expect(value[Math.floor(i / 2) * row + (i % 2) * (width / 2)]).toBeCloseTo(want, 5));
      expect([0, 1, 2].map((i) => Math.round(value[i * row + width] as number))).toEqual([107, 120, 150]);
    }
  });
});
