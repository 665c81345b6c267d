import { expect, it } from "vitest";
import { headMlps, headWeights } from "../../src/ops/head_mlps.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp } from "../support/twins.ts";

// Three layers of up to 256 products a sum.
const BOUND = 5e-6;

describeGpu("head_mlps", () => {
  it.each([
    { batch: 1, tokens: 5, heads: 5, width: 256, outputs: 32 },
    { batch: 3, tokens: 7, heads: 5, width: 64, outputs: 8 },
    { batch: 9, tokens: 6, heads: 2, width: 128, outputs: 16 },
    { batch: 8, tokens: 1, heads: 1, width: 192, outputs: 24 },
  ])("batch $batch, $heads heads of $width channels on $tokens tokens", async ({ batch, tokens, heads, width, outputs }) => {
    const weights = heads * headWeights(width, outputs);
    await runOp(
      (graph) => headMlps(graph, given(graph, "x", [batch * tokens, width]), given(graph, "weights", [weights]), { label: "test", batch, heads, outputs }),
      { bound: BOUND },
    );
  });

  it("gives each head its own token and weights, the last one token 0, and keeps what is negative at the end alone", async () => {
    const [batch, tokens, heads, width, outputs] = [2, 3, 2, 64, 8];
    // Channel 0 goes through unchanged; the last layer takes it times -(head + 1).
    const x = Float32Array.from({ length: batch * tokens * width }, (_, i) => (i % width === 0 ? i / width + 1 : 0));
    const weights = new Float32Array(heads * headWeights(width, outputs));
    for (let head = 0; head < heads; head++) {
      const first = head * headWeights(width, outputs);
      for (const layer of [0, 1]) weights[first + layer * (width + 1) * width] = 1;
      weights[first + 2 * (width + 1) * width] = -(head + 1);
    }
    const results = await runOp(
      (graph) =>
        headMlps(graph, given(graph, "x", [batch * tokens, width], x), given(graph, "weights", [weights.length], weights), {
          label: "test",
          batch,
          heads,
          outputs,
        }),
      { bound: 0 },
    );
    for (const { value } of results) expect([...value].filter((_, i) => i % outputs === 0)).toEqual([-2, -2, -5, -8]);
  });
});
