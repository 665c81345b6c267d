import { describe, expect, it } from "vitest";
import { ACTIVATION_CODE, type Activation, activate, erf } from "../../src/ops/activation.ts";
import { linear } from "../../src/ops/linear.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp } from "../support/twins.ts";

// erf to 16 digits, from the C library's.
const ERF: readonly [x: number, y: number][] = [
  [0, 0],
  [1e-10, 1.1283791670955126e-10],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [2.4999, 0.9995928300996666],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [4, 0.9999999845827421],
  [40, 1],
];

describe("the oracle's erf and GELU", () => {
  it.each(ERF)("erf(%f)", (x, y) => {
    // Relative, so that small values count too.
    expect(Math.abs(erf(x) - y)).toBeLessThanOrEqual(1e-14 * y);
    expect(erf(-x)).toBe(-erf(x));
  });

  it("is PyTorch's GELU, not its tanh", () => {
    expect(activate(ACTIVATION_CODE.gelu, 1)).toBeCloseTo(0.8413447460685429, 14);
    expect(activate(ACTIVATION_CODE.gelu, -3)).toBeCloseTo(-0.00404969409489, 13);
  });
});

/** The kernels' activation of these inputs, through a product with the identity. */
async function onDevice(activation: Activation, inputs: readonly number[]): Promise<Float32Array[]> {
  const rows = Math.ceil(inputs.length / 4);
  const x = new Float32Array(rows * 4);
  x.set(inputs);
  const identity = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const results = await runOp(
    (graph) => linear(graph, given(graph, "x", [rows, 4], x), given(graph, "identity", [4, 4], identity), { label: "test", activation }),
    { bound: 1e-6 },
  );
  return results.map(({ value }) => value.subarray(0, inputs.length));
}

describeGpu("activation.wgsl", () => {
  const grid = Array.from({ length: 801 }, (_, i) => Math.fround((i - 400) / 50));

  it("has a GELU within 1.5e-7 · |x| / 2 and a few roundings of erf's, over [-8, 8]", async () => {
    for (const value of await onDevice("gelu", grid)) {
      const wrong = grid.filter((x, i) => !(Math.abs((value[i] as number) - activate(ACTIVATION_CODE.gelu, x)) <= (0.75e-7 + 1.5e-7) * Math.abs(x)));
      expect(wrong).toEqual([]);
    }
  });

  it.each<[Activation, number, number]>([
    ["gelu", 0, 0],
    ["gelu", 10, 10],
    ["gelu", -10, 0],
    ["gelu", 40, 40],
    ["gelu", -40, 0],
    ["gelu", 3e4, 3e4],
    ["gelu", -3e4, 0],
    ["sigmoid", 0, 0.5],
    ["sigmoid", 40, 1],
    ["sigmoid", -40, 4.248354255291589e-18],
    ["sigmoid", 100, 1],
    ["sigmoid", -100, 0],
    // Where exp and squares would pass f32: no infinity comes up that a compiler may assume there is none of.
    ["sigmoid", -3e38, 0],
    ["sigmoid", 3e38, 1],
    ["gelu", 1e30, 1e30],
    ["gelu", -1e30, 0],
    ["relu", 40, 40],
    ["relu", -40, 0],
    ["relu", 0, 0],
    ["none", -40, -40],
  ])("%s(%f) is %f, to the last few bits of what saturates", async (activation, x, want) => {
    for (const [value] of await onDevice(activation, [x])) {
      // GELU of a large negative x is x · (1 - 1): what is left of erf's rounding, times x.
      expect(Math.abs((value as number) - want)).toBeLessThanOrEqual(1.5e-7 * Math.max(Math.abs(x), 1));
    }
  });

  it("has a sigmoid and a ReLU as the formula over [-8, 8]", async () => {
    for (const value of await onDevice("sigmoid", grid)) {
      expect(grid.filter((x, i) => !(Math.abs((value[i] as number) * (1 + Math.exp(-x)) - 1) <= 2e-6))).toEqual([]);
    }
    for (const value of await onDevice("relu", grid)) expect([...value]).toEqual(grid.map((x) => Math.max(x, 0)));
  });
});
