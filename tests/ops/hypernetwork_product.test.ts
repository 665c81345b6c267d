import { expect, it } from "vitest";
import { hypernetworkProduct } from "../../src/ops/hypernetwork_product.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp } from "../support/twins.ts";

// Sums of up to 36 products.
const BOUND = 1e-6;

describeGpu("hypernetwork_product", () => {
  it.each([
    { batch: 1, masks: 1, rows: 1, side: 1, columns: 4 },
    { batch: 3, masks: 4, rows: 5, side: 7, columns: 32 },
    { batch: 2, masks: 3, rows: 3, side: 8, columns: 36 },
    { batch: 1, masks: 4, rows: 5, side: 13, columns: 12 },
  ])("batch $batch, $masks of $rows rows, $side² pixels, $columns channels", async ({ batch, masks, rows, side, columns }) => {
    const [result] = await runOp(
      (graph) =>
        hypernetworkProduct(graph, given(graph, "hyper", [batch * rows, columns]), given(graph, "features", [batch * side * side, columns]), {
          label: "test",
          batch,
          masks,
        }),
      { bound: BOUND },
    );
    expect(result.graph.outputs[0]?.shape).toEqual([batch, masks, side, side]);
  });
});
