import { expect, it } from "vitest";
import { depthwise } from "../../src/ops/depthwise.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, runOp, values } from "../support/twins.ts";

// Nine products and a bias; the norm's two sums lose a few roundings (6e-8) each.
const BOUND = 2e-6;

interface Case {
  readonly side: number;
  readonly columns: number;
  readonly stride: 1 | 2;
  readonly gelu?: boolean;
  readonly norm?: boolean;
}

describeGpu("depthwise", () => {
  it.each<Case>([
    { side: 1, columns: 4, stride: 1 },
    { side: 2, columns: 8, stride: 2 },
    { side: 7, columns: 20, stride: 1, gelu: true },
    { side: 7, columns: 260, stride: 2, gelu: true },
    { side: 5, columns: 36, stride: 1, norm: true },
    { side: 9, columns: 320, stride: 1, norm: true },
    ...(QUICK ? [] : [{ side: 11, columns: 12, stride: 2, norm: true, gelu: true } as const]),
  ])("side $side, $columns channels, stride $stride", async ({ side, columns, stride, gelu, norm }) => {
    const results = await runOp(
      (graph) => {
        const affine = Float32Array.of(...values("weight", columns, { shift: 1, scale: 0.3 }), ...values("bias", columns));
        const next = { label: "next", eps: 1e-5, affine: given(graph, "affine", [2, columns], affine) };
        const x = given(graph, "x", [side * side, columns]);
        return depthwise(graph, x, given(graph, "weights", [10, columns]), {
          label: "test",
          side,
          stride,
          ...(gelu ? { activation: "gelu" } : {}),
          ...(norm ? { next } : {}),
        }).y;
      },
      { bound: BOUND },
    );
    for (const { value, graph } of results) {
      expect(value.length).toBe(Math.ceil(side / stride) ** 2 * columns);
      expect(graph.dispatches.length).toBe(1);
    }
  });

  it("multiplies what lies outside by nothing", async () => {
    const ones = new Float32Array(40).fill(1).fill(0, 36);
    const [{ value }] = await runOp(
      (graph) =>
        depthwise(graph, given(graph, "x", [9, 4], { scale: 0, shift: 1 }), given(graph, "weights", [10, 4], ones), { label: "test", side: 3, stride: 1 }).y,
      { bound: 0 },
    );
    expect([...value].filter((_, i) => i % 4 === 0)).toEqual([4, 6, 4, 6, 9, 6, 4, 6, 4]);
  });

  it("names weights of another shape", async () => {
    const wrong = runOp((graph) => depthwise(graph, given(graph, "x", [4, 8]), given(graph, "weights", [9, 8]), { label: "test", side: 2, stride: 1 }).y, {
      bound: 0,
    });
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "depthwise", argument: "weights", expected: "[10, 8]" });
  });
});
