import { expect, it, vi } from "vitest";
import type { SamMed2D, LoadOptions } from "../../src/sam_med2d.ts";
import { candidates } from "../../src/ops/matmul_time.ts";
import { Executor } from "../../src/gpu/executor.ts";
import { ActivationPool } from "../../src/gpu/pool.ts";
import { type Timed, tune } from "../../src/gpu/tuner.ts";
import { type Choice, Graph } from "../../src/graph/graph.ts";
import { shaderText } from "../../src/graph/shader.ts";
import { linear } from "../../src/ops/linear.ts";
import { given, testGpu } from "../support/twins.ts";
import { type Choices, GPU_TARGET } from "../../src/graph/target.ts";
import { encodeGraph } from "../../src/model/network.ts";
import { parseChoices, type TuningStore } from "../../src/tuning.ts";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { loadGolden } from "../model/dawn_model.ts";
import { checkGolden } from "../model/golden_check.ts";

const golden = readGolden("small_no_adapter");
/** The kernels of a GPU, on whatever runs the test. LLVM takes a minute to compile them when they first run: what is quick lets none of a network's run. */
const GPU = { target: { kind: "gpu", subgroupSize: 0, software: undefined } } as Partial<LoadOptions>;

function memoryStore(): TuningStore & { kept: Map<string, Choices> } {
  const kept = new Map<string, Choices>();
  return { budgetMs: 600_000, kept, read: async (adapter) => kept.get(adapter), write: async (adapter, choices) => void kept.set(adapter, choices) };
}

/** Loads with a store; the model, and how often the tuner reported. */
async function load(tune: LoadOptions["tune"], options: Partial<LoadOptions> = GPU): Promise<{ model: SamMed2D; reports: number }> {
  let reports = 0;
  const onProgress: LoadOptions["onProgress"] = ({ stage }) => {
    if (stage === "tune") reports++;
  };
  // Those that make weights of others.
  const still = QUICK ? vi.spyOn(Executor.prototype, "run").mockResolvedValue() : undefined;
  const model = await loadGolden(golden, { ...options, ...(tune === undefined ? {} : { tune }), onProgress });
  still?.mockRestore();
  return { model, reports };
}

/** Quickly with the variants that tests/ops/linear.test.ts runs then: any other is seconds to compile. */
function fewer(graph: Graph): Graph {
  graph.dispatches.forEach((dispatch, i) => {
    const { choice } = dispatch;
    if (QUICK && choice)
      graph.dispatches[i] = { ...dispatch, choice: { ...choice, candidates: choice.candidates.filter((name) => /^(small|sliced|skinny)/.test(name)) } };
  });
  return graph;
}

const offered = encodeGraph(golden.config, GPU_TARGET).graph.dispatches.flatMap(({ choice }) => choice ?? []);

describeGpu("the tuner", () => {
  if (!QUICK) {
    it("chooses for shapes of the model, keeps its choices for the adapter and changes no answer", async () => {
      const store = memoryStore();
      const { model, reports } = await load(store);
      expect(reports).toBeGreaterThan(1);
      await checkGolden(model, golden, { cases: ["point"] });
      model.dispose();
      expect(store.kept.size).toBe(1);
      const [[adapter, choices]] = [...store.kept] as [[string, Choices]];
      expect(adapter).toContain(model.device.description);
      expect(adapter).toMatch(/ \| \d+\.\d+\.\d+$/);
      expect(new Set(Object.keys(choices))).toEqual(new Set(offered.map(({ key }) => key)));
      for (const [key, name] of Object.entries(choices)) expect(offered.find((choice) => choice.key === key)?.candidates).toContain(name);
    });

    it("times every candidate of every shape that was not chosen before, given the time", async () => {
      const gpu = await testGpu();
      const pool = new ActivationPool(gpu);
      const compile = (graph: Graph) => Executor.create(gpu, graph, pool, new Map());
      const recorded: Choices[] = [];
      const record = (choices: Choices) => {
        recorded.push(choices);
        const graph = new Graph("tuned", { ...GPU_TARGET, choices });
        const x = given(graph, "x", [40, 400]);
        const y = linear(graph, x, given(graph, "weight", [400, 36]), { label: "few", activation: "gelu" });
        linear(graph, y, given(graph, "other", [36, 68]), { label: "more" });
        linear(graph, x, given(graph, "known", [400, 4]), { label: "known" });
        return graph;
      };
      const known = { "f32 40×4×400": "small/1" };
      const progress: number[] = [];
      const choices = await tune(gpu, { record, known, compile, pool, budgetMs: 600_000, onProgress: (done) => progress.push(done) });
      expect(Object.keys(choices).sort()).toEqual(["f32 40×36×400", "f32 40×4×400", "f32 40×68×36"]);
      expect(choices).toMatchObject(known);
      const few = candidates({ m: 40, n: 36, k: 400, taps: 1, phases: 1, dtype: "f32" });
      expect(few).toContain(choices["f32 40×36×400"]);
      expect(new Set(recorded.slice(1).map((made) => made["f32 40×36×400"]))).toEqual(new Set(few));
      expect(recorded.every((made) => made["f32 40×4×400"] === "small/1")).toBe(true);
      expect(progress).toEqual([0, 1, 2]);
      // All is known now: nothing more to do.
      expect(await tune(gpu, { record, known: choices, compile, pool })).toBe(choices);
      pool.dispose();
    });
  }

  if (!QUICK)
    it("repeats a kernel with one block's weights after the other's, on activations that are no zeros", async () => {
      const gpu = await testGpu();
      const pool = new ActivationPool(gpu);
      const ran: string[] = [];
      const compile = async (graph: Graph) => {
        const executor = await Executor.create(gpu, graph, pool, new Map());
        const encodeRange = executor.encodeRange.bind(executor);
        executor.encodeRange = (pass, begin, end) => {
          ran.push(graph.dispatches[begin]?.label as string);
          return encodeRange(pass, begin, end);
        };
        return executor;
      };
      const filled = vi.spyOn(gpu.device.queue, "writeBuffer");
      const record = (choices: Choices) => {
        const graph = new Graph("blocks", { ...GPU_TARGET, choices });
        let x = given(graph, "x", [8, 64]);
        for (const block of ["a", "b", "c"]) x = linear(graph, x, given(graph, block, [64, 64]), { label: block });
        return fewer(graph);
      };
      // A clock by which a kernel takes .4 ms asks for several, however busy the machine.
      let asked = 0;
      const clock = vi.spyOn(performance, "now").mockImplementation(() => 0.4 * ran.length + 0.001 * asked++);
      await tune(gpu, { record, known: {}, compile, pool, budgetMs: 600_000 });
      clock.mockRestore();
      expect(new Set(ran)).toEqual(new Set(["a", "b", "c"]));
      // Within a submit, and every submit begins with the first.
      const next = { a: ["b", "a"], b: ["c", "a"], c: ["a"] } as Readonly<Record<string, readonly string[]>>;
      expect(ran.slice(1).filter((label, i) => !next[ran[i] as string]?.includes(label))).toEqual([]);
      const values = filled.mock.calls.filter(([buffer]) => pool.buffers.includes(buffer)).map(([, , data]) => data as Float32Array);
      filled.mockRestore();
      expect(values.length).toBeGreaterThanOrEqual(pool.buffers.length);
      expect(values.every((data) => data.filter((value) => value !== 0).length > 0.99 * data.length)).toBe(true);
      pool.dispose();
    });

  it("times what is compiled when half of its time is over, and chooses again at the next load", async () => {
    const gpu = await testGpu();
    const pool = new ActivationPool(gpu);
    const compile = (graph: Graph) => Executor.create(gpu, graph, pool, new Map());
    const record = (choices: Choices) => {
      const graph = new Graph("late", { ...GPU_TARGET, choices });
      linear(graph, given(graph, "x", [24, 404]), given(graph, "weight", [404, 40]), { label: "late" });
      return fewer(graph);
    };
    const [choice] = record({}).dispatches.flatMap(({ choice }) => choice ?? []) as [Choice];
    const late = choice.candidates.at(-1) as string;
    const textOf = (name: string) =>
      record({ [choice.key]: name })
        .dispatches.slice(0, 1)
        .map(({ shader, constants, condition }) => shaderText(shader, constants, condition))[0] as string;
    // A pipeline that is never ready; time is over as soon as all others are.
    const known = gpu.pipelines.get(textOf(late));
    gpu.pipelines.set(textOf(late), new Promise(() => undefined));
    const timer = vi.spyOn(globalThis, "setTimeout").mockImplementation(((over: () => void) => {
      const others = choice.candidates.filter((name) => textOf(name) !== textOf(late)).map((name) => gpu.pipelines.get(textOf(name)));
      void Promise.all(others).then(() => setImmediate(over));
    }) as unknown as typeof setTimeout);
    const timed: Timed[] = [];
    await tune(gpu, { record, known: {}, compile, pool, budgetMs: 600_000, onTimed: (one) => timed.push(one) });
    timer.mockRestore();
    if (known) gpu.pipelines.set(textOf(late), known);
    else gpu.pipelines.delete(textOf(late));
    expect(timed.map(({ whole, candidates }) => [whole, candidates.map(({ name }) => name).includes(late), candidates.length > 1])).toEqual([
      [false, false, true],
    ]);
    pool.dispose();
  });

  it("keeps the default for what it has no time for, to be timed another time", async () => {
    const gpu = await testGpu();
    const pool = new ActivationPool(gpu);
    const compile = (graph: Graph) => Executor.create(gpu, graph, pool, new Map());
    const record = (choices: Choices) => {
      const graph = new Graph("hurried", { ...GPU_TARGET, choices });
      linear(graph, given(graph, "x", [40, 400]), given(graph, "weight", [400, 36]), { label: "few" });
      return graph;
    };
    expect(await tune(gpu, { record, known: {}, compile, pool, budgetMs: 0 })).toEqual({});
    pool.dispose();
  });

  it("takes what was kept without timing it again", async () => {
    // Every shape of the network, each in a variant that is not the default.
    const kept = Object.fromEntries(offered.map(({ key, candidates }) => [key, candidates[1] as string]));
    const store: TuningStore = { read: async () => kept, write: async () => expect.fail("nothing is new") };
    const { model, reports } = await load(store);
    expect(reports).toBe(0);
    if (!QUICK) await checkGolden(model, golden, { cases: ["point"] });
    model.dispose();
    // Another choice for each is another recording.
    const products = (choices: Choices) =>
      encodeGraph(golden.config, { ...GPU_TARGET, choices }).graph.dispatches.flatMap(({ choice, constants }) => (choice ? [constants] : []));
    expect(products(kept)).not.toEqual(products({}));
  });

  it("times nothing when told not to, or on a software adapter, whose kernels have no variants", async () => {
    const store = memoryStore();
    for (const { model, reports } of [await load(false), await load(store, {})]) {
      expect(reports).toBe(0);
      model.dispose();
    }
    expect(store.kept.size).toBe(0);
  });

  if (!QUICK)
    it("can be cancelled, and keeps nothing then", async () => {
      const store = memoryStore();
      const controller = new AbortController();
      const stop = new Error("stop");
      const loading = loadGolden(golden, {
        ...GPU,
        tune: store,
        signal: controller.signal,
        onProgress: ({ stage }) => {
          if (stage === "tune") controller.abort(stop);
        },
      });
      await expect(loading).rejects.toBe(stop);
      expect(store.kept.size).toBe(0);
    });

  it("falls back to the default where the kept name is none of this version's", async () => {
    const strange = Object.fromEntries(offered.map(({ key }) => [key, "colossal/1"]));
    const { model } = await load(false, { target: { kind: "gpu", subgroupSize: 0, software: undefined, choices: strange } } as Partial<LoadOptions>);
    if (!QUICK) await checkGolden(model, golden, { cases: ["point"] });
    model.dispose();
  });

  it("reads only tables of names", () => {
    expect(parseChoices('{"f32 1×2×3":"small/1"}')).toEqual({ "f32 1×2×3": "small/1" });
    for (const text of ["", "[]", "null", '{"a":1}', "{", '"x"']) expect(parseChoices(text)).toBeUndefined();
  });
});
