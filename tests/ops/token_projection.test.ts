import { it } from "vitest";
import { tokenProjection, tokenProjectionWeights } from "../../src/ops/token_projection.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp } from "../support/twins.ts";

// Sums of up to 256 products, of rows that a normalisation made.
const BOUND = 5e-6;

describeGpu("token_projection", () => {
  it.each<{ rows: number; width: number; splits: number; columns: number; positional: number }>([
    { rows: 1, width: 64, splits: 1, columns: 64, positional: 0 },
    { rows: 7, width: 256, splits: 10, columns: 1024, positional: 640 },
    { rows: 56, width: 256, splits: 1, columns: 384, positional: 256 },
    { rows: 17, width: 128, splits: 3, columns: 192, positional: 192 },
    { rows: 9, width: 192, splits: 2, columns: 68, positional: 12 },
    { rows: 203, width: 256, splits: 2, columns: 384, positional: 256 },
    { rows: 65, width: 64, splits: 1, columns: 128, positional: 68 },
  ])("$rows rows of $width channels, $splits parts, $positional of $columns columns with positions", async ({ rows, width, splits, columns, positional }) => {
    await runOp(
      (graph) =>
        tokenProjection(graph, given(graph, "partial", [splits, rows, width]), given(graph, "weights", [tokenProjectionWeights(width, columns)]), {
          label: "test",
          residual: given(graph, "residual", [rows, width + 8], { shift: 10 }),
          positions: given(graph, "positions", [rows, width + 4], { scale: 3 }),
          columns,
          positional,
          eps: 1e-5,
        }),
      { bound: BOUND },
    );
  });
});
