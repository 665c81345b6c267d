import { expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { LANES } from "../../src/gpu/lanes.ts";
import type { Activation } from "../../src/ops/activation.ts";
import { GPU_TARGET, type Target } from "../../src/graph/target.ts";
import { linear } from "../../src/ops/linear.ts";
import { shapeKey } from "../../src/ops/matmul_tiles.ts";
import { candidates } from "../../src/ops/matmul_time.ts";
import { chooseMatmul } from "../../src/ops/matmul_variants.ts";
import { adapterFeatures, describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, matrix, type Range, runOp, SOFTWARE_HERE } from "../support/twins.ts";
import { SWIFTSHADER } from "../support/targets.ts";

// A sum of K products in f32 is off by a few times √K roundings (6e-8) of its terms: below 3e-6 of the largest sum for the
// K here, also where a large mean makes terms and sums grow together.
const BOUND = 3e-6;

interface Case {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly bias?: boolean;
  readonly activation?: Activation;
  readonly residual?: boolean;
  /** Rows of a residual that starts again, and the columns of the product that see it. */
  readonly repeated?: readonly [rows: number, columns: number];
  readonly x?: Range;
}

function record({ m, k, n, bias = true, activation = "none", residual = false, repeated, x }: Case) {
  return (graph: Graph) =>
    linear(graph, given(graph, "x", [m, k], x), given(graph, "weight", [k, n]), {
      label: "test",
      activation,
      ...(bias ? { bias: given(graph, "bias", [n]) } : {}),
      ...(residual ? { residual: given(graph, "residual", [m, n], { scale: 3 }) } : {}),
      ...(repeated ? { residual: given(graph, "residual", [repeated[0], n]), residualColumns: repeated[1] } : {}),
    });
}

/** With the weight as narrow as the target stores it. */
function recordNarrow({ m, k, n, activation, residual }: Case) {
  return (graph: Graph) =>
    linear(graph, given(graph, "x", [m, k]), matrix(graph, "weight", [k, n]), {
      label: "test",
      bias: given(graph, "bias", [n]),
      ...(activation ? { activation } : {}),
      ...(residual ? { residual: given(graph, "residual", [m, n], { scale: 3 }) } : {}),
    });
}

const shapeOf = ({ m, k, n }: Case) => ({ m, n, k, taps: 1, phases: 1, dtype: "f32" as const });
const keyOf = (options: Case) => shapeKey(shapeOf(options));
/** What a target that chose it makes of a variant's name. */
const chosen = (options: Case, variant: string) => chooseMatmul({ ...GPU_TARGET, choices: { [keyOf(options)]: variant } }, shapeOf(options));

/** Of tiles that the quick ones have in other parts or with another residual, and of the large ones: seconds each to compile where LLVM does it. */
const MORE_VARIANTS: readonly (Case & { variant: string })[] = [
  { m: 129, k: 36, n: 68, residual: true, variant: "huge/1" },
  { m: 65, k: 52, n: 132, activation: "gelu", variant: "large/1" },
  { m: 65, k: 1060, n: 68, activation: "relu", variant: "square/16" },
  { m: 37, k: 1060, n: 52, repeated: [37, 20], variant: "wide/8" },
  { m: 65, k: 52, n: 132, activation: "gelu", repeated: [13, 64], variant: "tall/1" },
  { m: 3, k: 4, n: 4, variant: "tall/1" },
  { m: 67, k: 52, n: 132, activation: "gelu", repeated: [67, 64], variant: "square/1" },
  { m: 131, k: 36, n: 68, residual: true, variant: "broad/1" },
  { m: 3, k: 4, n: 4, variant: "broad/1" },
  { m: 67, k: 52, n: 100, activation: "gelu", residual: true, variant: "wide/1" },
  { m: 6, k: 400, n: 36, activation: "gelu", repeated: [3, 20], variant: "small/2" },
  { m: 37, k: 772, n: 68, activation: "relu", variant: "large/3" },
  { m: 37, k: 772, n: 68, activation: "relu", variant: "sliced/8" },
];

/** Of narrow weights too: each type of them once is quick. */
const MORE_NARROW: readonly (Case & Target)[] = [
  { m: 33, k: 68, n: 36, residual: true, ...GPU_TARGET, weights: "f16" },
  { m: 1, k: 4, n: 4, ...GPU_TARGET, weights: "int8" },
  { m: 33, k: 772, n: 36, residual: true, ...GPU_TARGET, weights: "int8", choices: { "int8 33×36×772": "small/3" } },
  { m: 5, k: 772, n: 36, activation: "gelu", ...GPU_TARGET, weights: "f16", choices: { "f16 5×36×772": "sliced/2" } },
];

describeGpu("linear", () => {
  it.each<Case>([
    { m: 1, k: 4, n: 4 },
    { m: 1, k: 260, n: 132, activation: "relu" },
    { m: 7, k: 36, n: 20, activation: "gelu", residual: true },
    { m: 31, k: 12, n: 68, activation: "sigmoid" },
    { m: 33, k: 68, n: 36, residual: true },
    { m: 65, k: 20, n: 260, bias: false },
    { m: 64, k: 64, n: 64, x: { scale: 1e4, shift: -3e4 } },
    { m: 29, k: 20, n: 28, x: { scale: 1e-20 }, bias: false },
    { m: 13, k: 28, n: 24, repeated: [13, 24], activation: "relu" },
    { m: 21, k: 28, n: 72, repeated: [7, 64] },
    { m: 37, k: 20, n: 136, repeated: [37, 100] },
  ])("$m×$k by $k×$n", async (options) => {
    await runOp(record(options), { bound: BOUND });
  });

  it.each<Case>([
    ...(QUICK ? [] : [{ m: 521, k: 12, n: 516, residual: true }]),
    { m: 1, k: 1100, n: 8, bias: false },
    { m: 16, k: 36, n: 132, repeated: [8, 128] },
    { m: 129, k: 1300, n: 68, activation: "gelu", residual: true },
  ])("gives $m×$k by $k×$n the variant that the model of a GPU believes in, rows and columns past its edge", async (options) => {
    const [gpu] = await runOp(record(options), { bound: BOUND, targets: [GPU_TARGET] });
    const { constants, splits } = chosen(options, candidates(shapeOf(options))[0] as string);
    expect(gpu.graph.dispatches[0]).toMatchObject({ constants, params: { splits } });
  });

  it.each<Case & { variant: string }>([
    { m: 33, k: 12, n: 36, variant: "sliced/1" },
    { m: 5, k: 400, n: 36, activation: "gelu", residual: true, variant: "small/2" },
    { m: 1, k: 1100, n: 8, bias: false, variant: "skinny/4" },
    ...(QUICK ? [] : MORE_VARIANTS),
  ])("computes $m×$k by $k×$n in the variant $variant that the tuner chose", async ({ variant, ...options }) => {
    const [{ graph }] = await runOp(record(options), { bound: BOUND, targets: [{ ...GPU_TARGET, choices: { [keyOf(options)]: variant } }] });
    const { constants, splits } = chosen(options, variant);
    expect(graph.dispatches[0]).toMatchObject({ constants, params: { splits } });
    expect(graph.dispatches.map(({ op }) => op)).toEqual(splits > 1 ? ["linear", "matmul_reduce"] : ["linear"]);
  });

  it.each<Case & Pick<Target, "subgroupSize" | "weights"> & { variant: string; rows: number }>([
    { m: 16, k: 36, n: 132, repeated: [8, 128], subgroupSize: 4, variant: "lanes/1", rows: 4 },
    { m: 37, k: 772, n: 68, activation: "relu", subgroupSize: 4, variant: "lanes/3", rows: 4 },
    { m: 1, k: 4, n: 4, bias: false, subgroupSize: 4, variant: "lanes/1", rows: 4 },
    { m: 70, k: 20, n: 260, residual: true, subgroupSize: 4, weights: "f16", variant: "lanes/1", rows: 4 },
    { m: 9, k: 76, n: 36, activation: "gelu", subgroupSize: 4, weights: "int8", variant: "lanes/1", rows: 4 },
  ])("hands rows among the lanes of a subgroup: $m×$k by $k×$n as $variant, weights $weights", async ({ variant, subgroupSize, weights, rows, ...options }) => {
    const key = shapeKey({ ...shapeOf(options), dtype: weights ?? "f32" });
    const target = { ...GPU_TARGET, subgroupSize, lanes: LANES, choices: { [key]: variant }, ...(weights ? { weights } : {}) };
    const [{ graph }] = await runOp(weights ? recordNarrow(options) : record(options), { bound: BOUND, targets: [target] });
    expect(graph.dispatches[0]).toMatchObject({
      shader: { name: "matmul_lanes" },
      constants: { TILE_M: rows },
      params: { splits: Number(variant.split("/")[1]) },
    });
  });

  it("offers variants of lanes where there are subgroups, and takes none where there are not", () => {
    // Parts are offered where their reader adds them up.
    const shape = { ...shapeOf({ m: 256, k: 768, n: 768 }), reducedByReader: true };
    const offered = (subgroupSize: number) =>
      chooseMatmul({ ...GPU_TARGET, subgroupSize, lanes: LANES }, shape).choice?.candidates.filter((name) => name.startsWith("lanes/"));
    expect([0, 4, 8, 32, 64].map((size) => offered(size)?.length)).toEqual([0, 2, 2, 2, 2]);
    const choices = { [shapeKey(shape)]: "lanes/1" };
    const tile = (subgroupSize: number, m = 256) =>
      chooseMatmul({ ...GPU_TARGET, subgroupSize, lanes: LANES, choices: { [shapeKey({ ...shape, m })]: "lanes/1" } }, { ...shape, m });
    expect(tile(8).constants).toEqual({ TILE_M: 8, TILE_N4: 64, STEP4: 1 });
    expect(tile(64).constants).toEqual({ TILE_M: 16, TILE_N4: 64, STEP4: 2 });
    expect(tile(32, 7).constants).toEqual({ TILE_M: 8, TILE_N4: 64, STEP4: 4 });
    expect(chooseMatmul({ ...GPU_TARGET, choices }, shape)).toEqual(chooseMatmul(GPU_TARGET, shape));
  });

  it("offers the tuner the default first, each variant once, and none larger than the shape needs", () => {
    for (const m of [1, 7, 64, 256, 4096]) {
      const names = candidates(shapeOf({ m, k: 768, n: 768 }));
      expect(new Set(names).size).toBe(names.length);
      expect(chooseMatmul(GPU_TARGET, shapeOf({ m, k: 768, n: 768 }))).toEqual(chosen({ m, k: 768, n: 768 }, names[0] as string));
      expect(names.length).toBeGreaterThan(1);
      expect(names.length).toBeLessThanOrEqual(10);
      for (const name of names) expect(chosen({ m, k: 768, n: 768 }, name).constants["TILE_M"]).toBeLessThanOrEqual(2 * Math.max(m, 16));
    }
  });

  it("leaves the parts of a split sum as they are where what reads them adds them up", async () => {
    const [m, k, n] = [5, 1028, 36];
    const [gpu, cpu] = await runOp((graph) => linear(graph, given(graph, "x", [m, k]), given(graph, "weight", [k, n]), { label: "test", partial: true }), {
      bound: BOUND,
      targets: [GPU_TARGET, SOFTWARE_HERE],
    });
    expect(gpu.graph.dispatches.length).toBe(1);
    const splits = gpu.graph.dispatches[0]?.params["splits"];
    expect(splits).toBeGreaterThan(1);
    expect(gpu.graph.dispatches[0]?.writes["y"]?.shape).toEqual([splits, m, n]);
    if (cpu) expect(cpu.graph.dispatches[0]?.writes["y"]?.shape).toEqual([m, n]);
  });

  it.each<Case>([
    { m: 5, k: 36, n: 12, bias: false },
    { m: 67, k: 20, n: 84, activation: "relu", repeated: [67, 64] },
  ])("shares weights among four lanes as on SwiftShader: $m×$k by $k×$n", async (options) => {
    const [{ graph }] = await runOp(record(options), { bound: BOUND, targets: [SWIFTSHADER] });
    expect(graph.dispatches[0]?.constants["LANES"]).toBe(4);
  });

  it.each<Case & Target>([
    { m: 7, k: 36, n: 20, activation: "gelu", ...GPU_TARGET, weights: "f16" },
    { m: 33, k: 68, n: 36, residual: true, ...GPU_TARGET, weights: "int8" },
    { m: 70, k: 260, n: 132, activation: "gelu", ...GPU_TARGET, weights: "int8" },
    { m: 67, k: 20, n: 84, ...SOFTWARE_HERE, weights: "f16" },
    { m: 5, k: 36, n: 12, ...SOFTWARE_HERE, weights: "f16" },
    { m: 67, k: 20, n: 84, activation: "relu", ...SOFTWARE_HERE, weights: "int8" },
    { m: 9, k: 36, n: 12, ...SOFTWARE_HERE, weights: "int8" },
    ...(QUICK ? [] : MORE_NARROW),
  ])(
    "takes weights in $weights, on a $kind with subgroups of $subgroupSize: $m×$k by $k×$n",
    async ({ kind, subgroupSize, software, weights, choices, ...options }) => {
      const target = { kind, subgroupSize, software, ...(weights ? { weights } : {}), ...(choices ? { choices } : {}) };
      const [{ graph }] = await runOp(recordNarrow(options), { bound: BOUND, targets: [target] });
      expect(graph.dispatches[0]?.condition).toBe(weights);
    },
  );

  it.skipIf(!adapterFeatures().has("shader-f16"))(
    "multiplies in f16 where the device can, and sums a few channels there before it goes on in f32",
    async () => {
      // Factors and sums of up to sixteen products are rounded to 11 bits: 2⁻¹¹ of the terms, which K of them even out.
      const halfGpu = { ...GPU_TARGET, weights: "f16", halfProducts: true } as const;
      const inLanes = { ...halfGpu, subgroupSize: 4, lanes: LANES, choices: { "multiplied in f16 65×132×772": "lanes/1" } };
      // Quickly in the tile that the test below has, and not in lanes.
      const [m, targets] = QUICK ? [13, [halfGpu]] : [65, [halfGpu, inLanes]];
      const results = await runOp((graph) => linear(graph, given(graph, "x", [m, 772]), matrix(graph, "weight", [772, 132]), { label: "test" }), {
        bound: 2e-3,
        targets,
      });
      expect(results.map(({ graph }) => graph.dispatches[0]?.shader.name)).toEqual(QUICK ? ["matmul"] : ["matmul", "matmul_lanes"]);
      for (const { graph, error } of results) {
        expect(graph.dispatches[0]?.condition).toBe("f16_products");
        expect(error).toBeGreaterThan(1e-5);
      }
    },
  );

  it.skipIf(!adapterFeatures().has("shader-f16"))("multiplies what may be beyond f16 in f32 there", async () => {
    const halfGpu = { ...GPU_TARGET, weights: "f16", halfProducts: true } as const;
    const far = (wide: boolean) => (graph: Graph) =>
      linear(graph, given(graph, "x", [20, 64], { scale: 1e5 }), matrix(graph, "weight", [64, 36]), { label: "test", wide });
    const [{ graph }] = await runOp(far(true), { bound: BOUND, targets: [halfGpu] });
    expect(graph.dispatches[0]?.condition).toBe("f16");
  });

  it.skipIf(!adapterFeatures().has("shader-f16"))("lets no ReLU take what went beyond f16 for nothing", async () => {
    const halfGpu = { ...GPU_TARGET, weights: "f16", halfProducts: true } as const;
    const x = new Float32Array(20 * 64).fill(-6e4);
    const values = async (activation: "none" | "relu") => {
      const far = (graph: Graph) => linear(graph, given(graph, "x", [20, 64], x), matrix(graph, "weight", [64, 36]), { label: "test", activation });
      const [{ value, graph }] = await runOp(far, { bound: Number.POSITIVE_INFINITY, targets: [halfGpu] });
      expect(graph.dispatches[0]?.condition).toBe("f16_products");
      return value;
    };
    const [sums, kept] = [await values("none"), await values("relu")];
    expect(sums.filter((sum) => sum === Number.NEGATIVE_INFINITY).length).toBeGreaterThan(20);
    expect([...sums].filter((sum, i) => !Number.isFinite(sum) && Number.isFinite(kept[i]))).toEqual([]);
  });

  it("names the operand whose shape does not fit", async () => {
    const wrong = (weight: readonly number[], bias: readonly number[]) =>
      runOp((graph) => linear(graph, given(graph, "x", [3, 8]), given(graph, "weight", weight), { label: "test", bias: given(graph, "bias", bias) }), {
        bound: 0,
      });
    await expect(wrong([12, 4], [4])).rejects.toMatchObject({ code: "graph", op: "linear", argument: "weight", expected: "[8, 4]" });
    await expect(wrong([8, 4], [8])).rejects.toMatchObject({ code: "graph", op: "linear", argument: "bias", expected: "[4]", got: "[8] (bias)" });
    // A residual starts again after each image of a batch, not in the middle of one.
    const uneven = runOp(record({ m: 6, k: 8, n: 8, repeated: [4, 8] }), { bound: 0 });
    await expect(uneven).rejects.toMatchObject({ code: "graph", op: "linear", argument: "residual", expected: "[6, 8]", got: "[4, 8] (residual)" });
  });
});
