import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { packOnCpu } from "../../src/graph/weight_source.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import type { Activation } from "../../src/ops/activation.ts";
import { activate, ACTIVATION_CODE } from "../../src/ops/activation.ts";
import { convTranspose2d, convTransposeWeight } from "../../src/ops/conv_transpose2d.ts";
import { shapeKey } from "../../src/ops/matmul_tiles.ts";
import { expectClose } from "../support/compare.ts";
import { LANES } from "../../src/gpu/lanes.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, runOp, SOFTWARE_HERE, values } from "../support/twins.ts";

// As for `linear`: 4·I products a sum.
const BOUND = 3e-6;

interface Case {
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias?: boolean;
  readonly activation?: Activation;
}

/** Scatters every input pixel over the output, as the definition does, from PyTorch's layout of the weights: channels last, stride 2, padding 1. */
function naive({ side, inputs, outputs, bias, activation = "none" }: Case): Float64Array {
  const x = values("x", side * side * inputs);
  const weight = values("weight", inputs * outputs * 16);
  const added = values("bias", outputs);
  const out = 2 * side;
  const sums = Float64Array.from({ length: out * out * outputs }, (_, i) => (bias ? (added[i % outputs] as number) : 0));
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [y, column] = [Math.floor(pixel / side), pixel % side];
    for (let ky = 0; ky < 4; ky++) {
      for (let kx = 0; kx < 4; kx++) {
        const [oy, ox] = [2 * y - 1 + ky, 2 * column - 1 + kx];
        if (oy < 0 || oy >= out || ox < 0 || ox >= out) continue;
        const to = (oy * out + ox) * outputs;
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < outputs; o++) {
            (sums[to + o] as number) += (x[pixel * inputs + i] as number) * (weight[((i * outputs + o) * 4 + ky) * 4 + kx] as number);
          }
        }
      }
    }
  }
  return sums.map((sum) => activate(ACTIVATION_CODE[activation], sum));
}

function record({ side, inputs, outputs, bias, activation = "none" }: Case) {
  return (graph: Graph) => {
    const shape = [16 * inputs, outputs];
    const packed = packOnCpu(convTransposeWeight("weight", inputs, outputs), shape, () => values("weight", 16 * inputs * outputs));
    return convTranspose2d(graph, given(graph, "x", [side * side, inputs]), given(graph, "packed", shape, packed), {
      label: "test",
      side,
      activation,
      ...(bias ? { bias: given(graph, "bias", [outputs]) } : {}),
    });
  };
}

/** Seconds each to compile where LLVM does it. */
const MORE_VARIANTS: readonly (Case & { choice: string })[] = [
  { side: 6, inputs: 36, outputs: 52, activation: "relu", choice: "wide/2" },
  { side: 3, inputs: 132, outputs: 12, bias: true, choice: "small/2" },
];

describeGpu("conv_transpose2d", () => {
  it.each<Case & { choice?: string }>([
    { side: 1, inputs: 4, outputs: 8, activation: "relu" },
    { side: 2, inputs: 12, outputs: 4 },
    { side: 8, inputs: 20, outputs: 36, activation: "relu" },
    { side: 7, inputs: 4, outputs: 8, bias: true, activation: "gelu" },
    { side: 3, inputs: 132, outputs: 12, activation: "relu", choice: "sliced/3" },
    { side: 3, inputs: 20, outputs: 12, bias: true, activation: "relu", choice: "lanes/1" },
    { side: 5, inputs: 36, outputs: 8, choice: "lanes/3" },
    ...(QUICK ? [] : MORE_VARIANTS),
  ])("side $side, $inputs → $outputs channels, variant $choice", async ({ choice, ...options }) => {
    const want = naive(options);
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const { side, inputs, outputs } = options;
    const key = shapeKey({ m: side * side, n: outputs, k: inputs, taps: 4, phases: 4, dtype: "f32" });
    const gpu = choice ? { ...GPU_TARGET, subgroupSize: 4, lanes: LANES, choices: { [key]: choice } } : GPU_TARGET;
    const results = await runOp(record(options), { bound: BOUND, targets: [gpu, SOFTWARE_HERE] });
    for (const { value } of results) expectClose(value, want, { label: "conv_transpose2d against its definition", bound: BOUND * scale });
    const [{ graph: first }, ...others] = results;
    expect(first.dispatches.length).toBe(!choice || choice.endsWith("/1") ? 1 : 2);
    for (const { graph } of others) expect(graph.dispatches.length).toBe(1);
    if (choice?.startsWith("lanes")) expect(results[0]?.graph.dispatches[0]?.shader.name).toBe("matmul_lanes");
  });

  it("spreads an impulse over the kernel's cells, one pixel up and left", async () => {
    const weight = Float32Array.from({ length: 4 * 4 * 16 }, (_, i) => (Math.floor(i / 16) === 0 ? 10 * Math.floor((i % 16) / 4) + (i % 4) + 1 : 0));
    const packed = packOnCpu(convTransposeWeight("weight", 4, 4), [64, 4], () => weight);
    const x = new Float32Array(9 * 4);
    x[4 * 4] = 1;
    const results = await runOp(
      (graph) => convTranspose2d(graph, given(graph, "x", [9, 4], x), given(graph, "packed", [64, 4], packed), { label: "test", side: 3 }),
      {
        bound: 0,
      },
    );
    const image = Array.from({ length: 36 }, (_, i) => {
      const [ky, kx] = [Math.floor(i / 6) - 1, (i % 6) - 1];
      return ky >= 0 && ky < 4 && kx >= 0 && kx < 4 ? 10 * ky + kx + 1 : 0;
    });
    for (const { value } of results) expect([...value].filter((_, i) => i % 4 === 0)).toEqual(image);
  });
});
