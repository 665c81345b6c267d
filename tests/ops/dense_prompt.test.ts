import { expect, it } from "vitest";
import { densePrompt } from "../../src/ops/dense_prompt.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, type Range, runOp, values } from "../support/twins.ts";

// Two small normalisations, the rounding of GELU (2e-7) and a sum of 16.
const BOUND = 3e-6;

interface Case {
  readonly grid: number;
  readonly columns: number;
  readonly masks: readonly (0 | 1)[];
  readonly mask?: Range;
}

function run({ grid, columns, masks, mask = { scale: 0.5, shift: 0.5 } }: Case) {
  const batch = masks.length;
  return runOp(
    (graph) =>
      densePrompt(
        graph,
        given(graph, "embedding", [grid * grid, columns]),
        given(graph, "mask", [batch, 4 * grid, 4 * grid], mask),
        given(graph, "given", [batch], Uint32Array.from(masks)),
        { stage1: given(graph, "stage1", [28]), stage2: given(graph, "stage2", [304]), stage3: given(graph, "stage3", [18, columns]) },
        "test",
      ),
    { bound: BOUND },
  );
}

describeGpu("dense_prompt", () => {
  it.each<Case>([
    { grid: 1, columns: 4, masks: [1] },
    { grid: 3, columns: 36, masks: [1, 0, 1] },
    { grid: 5, columns: 260, masks: [0, 1] },
    { grid: 16, columns: 256, masks: [1] },
    { grid: 2, columns: 12, masks: [1], mask: { scale: 0, shift: 1 } }, // all one: no variance but that of the weights
  ])("grid $grid, $columns channels, masks $masks", async (options) => {
    await run(options);
  });

  it("adds the no-mask embedding to every token of a prompt without a mask, and looks at no mask", async () => {
    const [grid, columns] = [3, 8];
    const want = values("embedding", grid * grid * columns).map((value, i) => value + (values("stage3", 18 * columns)[17 * columns + (i % columns)] as number));
    for (const { value } of await run({ grid, columns, masks: [0], mask: { scale: 1e30 } }))
      expectClose(value, want, { label: "embedding + no mask", bound: 0 });
  });

  it("names a mask of another shape", async () => {
    const wrong = runOp(
      (graph) =>
        densePrompt(
          graph,
          given(graph, "embedding", [4, 8]),
          given(graph, "mask", [1, 4, 4]),
          given(graph, "given", [1], new Uint32Array(1)),
          { stage1: given(graph, "stage1", [28]), stage2: given(graph, "stage2", [304]), stage3: given(graph, "stage3", [18, 8]) },
          "test",
        ),
      { bound: 0 },
    );
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "dense_prompt", argument: "mask", expected: "[1, 8, 8]" });
  });
});
