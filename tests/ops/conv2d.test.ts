import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { packOnCpu } from "../../src/graph/weight_source.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import { conv2d, convWeight } from "../../src/ops/conv2d.ts";
import { shapeKey } from "../../src/ops/matmul_tiles.ts";
import { expectClose } from "../support/compare.ts";
import { LANES } from "../../src/gpu/lanes.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, runOp, SOFTWARE_HERE, values } from "../support/twins.ts";

// As for `linear`: 9·I products a sum.
const BOUND = 3e-6;

interface Case {
  readonly side: number;
  readonly stride: 1 | 2;
  readonly inputs: number;
  readonly outputs: number;
  readonly gate?: boolean;
  readonly relu?: boolean;
  readonly residual?: boolean;
}

/** The convolution as its definition has it, from PyTorch's layout of the weights and without row tables: channels last, padding 1. */
function naive({ side, stride, inputs, outputs, gate, relu, residual }: Case): Float64Array {
  const x = values("x", side * side * inputs);
  const weight = values("weight", outputs * inputs * 9);
  const factor = values("gate", inputs);
  const out = Math.floor((side - 1) / stride) + 1;
  const added = values("residual", out * out * outputs);
  return Float64Array.from({ length: out * out * outputs }, (_, index) => {
    const o = index % outputs;
    const [row, column] = [Math.floor(index / outputs / out), Math.floor(index / outputs) % out];
    let sum = 0;
    for (let ky = 0; ky < 3; ky++) {
      for (let kx = 0; kx < 3; kx++) {
        const [y, at] = [row * stride + ky - 1, column * stride + kx - 1];
        if (y < 0 || y >= side || at < 0 || at >= side) continue;
        for (let i = 0; i < inputs; i++) {
          const v = (x[(y * side + at) * inputs + i] as number) * (gate ? (factor[i] as number) : 1);
          sum += v * (weight[((o * inputs + i) * 3 + ky) * 3 + kx] as number);
        }
      }
    }
    return (relu ? Math.max(sum, 0) : sum) + (residual ? (added[index] as number) : 0);
  });
}

function record({ side, stride, inputs, outputs, gate, relu, residual }: Case) {
  return (graph: Graph) => {
    const packed = packOnCpu(convWeight("weight", outputs, inputs), [9 * inputs, outputs], () => values("weight", outputs * inputs * 9));
    const out = Math.ceil(side / stride);
    return conv2d(graph, given(graph, "x", [side * side, inputs]), given(graph, "packed", [9 * inputs, outputs], packed), {
      label: "test",
      side,
      stride,
      ...(gate ? { gate: given(graph, "gate", [inputs]) } : {}),
      ...(relu ? { activation: "relu" } : {}),
      ...(residual ? { residual: given(graph, "residual", [out * out, outputs]) } : {}),
    });
  };
}

/** Seconds each to compile where LLVM does it. */
const MORE_VARIANTS = [
  { side: 16, stride: 2, inputs: 64, outputs: 64, gate: true, relu: true, choice: "small/3" },
  { side: 9, stride: 2, inputs: 20, outputs: 100, gate: true, relu: true, choice: "wide/4" },
  { side: 5, stride: 1, inputs: 68, outputs: 4, residual: true, choice: "skinny/3" },
  { side: 7, stride: 1, inputs: 20, outputs: 260, choice: "lanes/2" },
] as const;

describeGpu("conv2d", () => {
  it.each<Case & { choice?: string }>([
    { side: 1, stride: 1, inputs: 4, outputs: 4 },
    { side: 1, stride: 2, inputs: 8, outputs: 4 },
    { side: 2, stride: 2, inputs: 4, outputs: 12 },
    { side: 3, stride: 2, inputs: 4, outputs: 36 },
    { side: 7, stride: 1, inputs: 20, outputs: 8, relu: true, residual: true },
    { side: 16, stride: 1, inputs: 12, outputs: 36 },
    { side: 9, stride: 2, inputs: 16, outputs: 68, gate: true, relu: true },
    ...(QUICK ? [] : MORE_VARIANTS),
    { side: 9, stride: 2, inputs: 20, outputs: 36, gate: true, relu: true, residual: true, choice: "lanes/1" },
    { side: 7, stride: 2, inputs: 20, outputs: 36, relu: true },
  ])("side $side, stride $stride, $inputs → $outputs channels, variant $choice", async ({ choice, ...options }) => {
    const want = naive(options);
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const { side, stride, inputs, outputs } = options;
    const key = shapeKey({ m: Math.ceil(side / stride) ** 2, n: outputs, k: inputs, taps: 9, phases: 1, dtype: "f32" });
    const gpu = choice ? { ...GPU_TARGET, subgroupSize: 4, lanes: LANES, choices: { [key]: choice } } : GPU_TARGET;
    const results = await runOp(record(options), { bound: BOUND, targets: [gpu, SOFTWARE_HERE] });
    for (const { value } of results) expectClose(value, want, { label: "conv2d against its definition", bound: BOUND * scale });
    const [{ graph: first }, ...others] = results;
    expect(first.dispatches.length).toBe(!choice || choice.endsWith("/1") ? 1 : 2);
    for (const { graph } of others) expect(graph.dispatches.length).toBe(1);
    if (choice?.startsWith("lanes")) expect(results[0]?.graph.dispatches[0]?.shader.name).toBe("matmul_lanes");
  });

  it("moves an impulse by one cell in each direction", async () => {
    // Cell (ky, kx) of the kernel weighs 10·ky + kx + 1; PyTorch correlates: output (y, x) sees input (y + ky - 1, x + kx - 1).
    const weight = Float32Array.from({ length: 4 * 4 * 9 }, (_, i) => (Math.floor(i / 9) === 0 ? 10 * Math.floor((i % 9) / 3) + (i % 3) + 1 : 0));
    const packed = packOnCpu(convWeight("weight", 4, 4), [36, 4], () => weight);
    const x = new Float32Array(25 * 4);
    x[(2 * 5 + 2) * 4] = 1;
    const results = await runOp(
      (graph) => conv2d(graph, given(graph, "x", [25, 4], x), given(graph, "packed", [36, 4], packed), { label: "test", side: 5, stride: 1 }),
      { bound: 0 },
    );
    const image = [0, 0, 0, 0, 0, 0, 23, 22, 21, 0, 0, 13, 12, 11, 0, 0, 3, 2, 1, 0, 0, 0, 0, 0, 0];
    for (const { value } of results) expect([...value].filter((_, i) => i % 4 === 0)).toEqual(image);
  });
});
