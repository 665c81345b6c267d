import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { packOnCpu } from "../../src/graph/weight_source.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import type { Activation } from "../../src/ops/activation.ts";
import { activate, ACTIVATION_CODE } from "../../src/ops/activation.ts";
import { convTranspose2d, convTransposeWeight, perPhase, type TransposeKernel } from "../../src/ops/conv_transpose2d.ts";
import { shapeKey } from "../../src/ops/matmul_tiles.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp, values } from "../support/twins.ts";
import { CPU_TARGET } from "../support/targets.ts";

// As for `linear`: kernel² / 4 · I products a sum.
const BOUND = 3e-6;

interface Case {
  readonly side: number;
  readonly kernel: TransposeKernel;
  readonly inputs: number;
  readonly outputs: number;
  readonly batch?: number;
  readonly bias?: boolean;
  readonly activation?: Activation;
}

/** Scatters every input pixel over the output, as the definition does, from PyTorch's layout of the weights: channels last, stride 2. */
function naive({ side, kernel, inputs, outputs, batch = 1, bias, activation = "none" }: Case): Float64Array {
  const x = values("x", batch * side * side * inputs);
  const weight = values("weight", inputs * outputs * kernel * kernel);
  const added = values("bias", outputs);
  const padding = kernel === 4 ? 1 : 0;
  const out = 2 * side;
  const sums = Float64Array.from({ length: batch * out * out * outputs }, (_, i) => (bias ? (added[i % outputs] as number) : 0));
  for (let pixel = 0; pixel < batch * side * side; pixel++) {
    const [b, y, column] = [Math.floor(pixel / side / side), Math.floor(pixel / side) % side, pixel % side];
    for (let ky = 0; ky < kernel; ky++) {
      for (let kx = 0; kx < kernel; kx++) {
        const [oy, ox] = [2 * y - padding + ky, 2 * column - padding + kx];
        if (oy < 0 || oy >= out || ox < 0 || ox >= out) continue;
        const to = ((b * out + oy) * out + ox) * outputs;
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < outputs; o++) {
            (sums[to + o] as number) += (x[pixel * inputs + i] as number) * (weight[((i * outputs + o) * kernel + ky) * kernel + kx] as number);
          }
        }
      }
    }
  }
  return sums.map((sum) => activate(ACTIVATION_CODE[activation], sum));
}

function record({ side, kernel, inputs, outputs, batch = 1, bias, activation = "none" }: Case) {
  return (graph: Graph) => {
    const shape = [kernel * kernel * inputs, outputs];
    const packed = packOnCpu(convTransposeWeight("weight", inputs, outputs, kernel), shape, () => values("weight", inputs * outputs * kernel * kernel));
    const phases = packOnCpu(perPhase("bias", outputs), [4 * outputs], () => values("bias", outputs));
    return convTranspose2d(graph, given(graph, "x", [batch * side * side, inputs]), given(graph, "packed", shape, packed), {
      label: "test",
      side,
      kernel,
      batch,
      activation,
      ...(bias ? { bias: given(graph, "phases", [4 * outputs], phases) } : {}),
    });
  };
}

describeGpu("conv_transpose2d", () => {
  it.each<Case & { choice?: string }>([
    { side: 1, kernel: 2, inputs: 4, outputs: 4 },
    { side: 1, kernel: 4, inputs: 4, outputs: 8, activation: "relu" },
    { side: 2, kernel: 4, inputs: 12, outputs: 4 },
    { side: 5, kernel: 2, inputs: 8, outputs: 20, batch: 3, bias: true, activation: "gelu" },
    { side: 8, kernel: 4, inputs: 20, outputs: 36, activation: "relu" },
    { side: 7, kernel: 4, inputs: 4, outputs: 8, batch: 2, bias: true },
    { side: 8, kernel: 2, inputs: 36, outputs: 32, batch: 2, bias: true },
    { side: 3, kernel: 4, inputs: 132, outputs: 12, activation: "relu", choice: "sliced/3" },
    { side: 3, kernel: 4, inputs: 20, outputs: 12, batch: 2, bias: true, activation: "relu", choice: "lanes/1" },
    { side: 5, kernel: 4, inputs: 36, outputs: 8, choice: "lanes/3" },
  ])("side $side, kernel $kernel, $inputs → $outputs channels, batch $batch", async ({ choice, ...options }) => {
    const want = naive(options);
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const { side, kernel, inputs, outputs, batch = 1, bias } = options;
    const key = shapeKey({ m: batch * side * side, n: outputs, k: inputs, taps: kernel ** 2 / 4, phases: 4, dtype: "f32", maySplit: !bias });
    const gpu = choice ? { ...GPU_TARGET, subgroupSize: 4, choices: { [key]: choice } } : GPU_TARGET;
    const results = await runOp(record(options), { bound: BOUND, targets: [gpu, CPU_TARGET] });
    for (const { value } of results) expectClose(value, want, { label: "conv_transpose2d against its definition", bound: BOUND * scale });
    expect(results.map(({ graph }) => graph.dispatches.length)).toEqual([!choice || choice.endsWith("/1") ? 1 : 2, 1]);
    if (choice?.startsWith("lanes")) expect(results[0]?.graph.dispatches[0]?.shader.name).toBe("matmul_lanes");
  });

  it("spreads an impulse over the kernel's cells, one pixel up and left for kernel 4", async () => {
    const weight = Float32Array.from({ length: 4 * 4 * 16 }, (_, i) => (Math.floor(i / 16) === 0 ? 10 * Math.floor((i % 16) / 4) + (i % 4) + 1 : 0));
    const packed = packOnCpu(convTransposeWeight("weight", 4, 4, 4), [64, 4], () => weight);
    const x = new Float32Array(9 * 4);
    x[4 * 4] = 1;
    const results = await runOp(
      (graph) => convTranspose2d(graph, given(graph, "x", [9, 4], x), given(graph, "packed", [64, 4], packed), { label: "test", side: 3, kernel: 4 }),
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
