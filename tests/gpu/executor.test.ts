import { afterEach, expect, it } from "vitest";
import type { Gpu } from "../../src/gpu/device.ts";
import { Executor } from "../../src/gpu/executor.ts";
import { pipelineOf } from "../../src/gpu/kernel.ts";
import { ActivationPool } from "../../src/gpu/pool.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Shader } from "../../src/graph/shader.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { layerNorm } from "../../src/ops/layer_norm.ts";
import { linear } from "../../src/ops/linear.ts";
import { describeGpu } from "../support/dawn.ts";
import { expectClose } from "../support/compare.ts";
import { expectSameBits, given, readTensors, testGpu } from "../support/twins.ts";
import { watchBuffers } from "./buffers.ts";

const gpu = () => testGpu();

afterEach(async () => {
  (await gpu()).flopPerMs = Number.POSITIVE_INFINITY;
});

/** Alternating products and norms on [rows, 16], so that buffers are used again and every step depends on the one before. */
function chain(label: string, rows: number, length: number, columns = 16): { graph: Graph; y: Tensor } {
  const graph = new Graph(label);
  let x = given(graph, "x", [rows, columns]);
  const weight = given(graph, "weight", [columns, columns]);
  const affine = given(graph, "affine", [2, columns], { shift: 0.5 });
  for (let i = 0; i < length; i++) {
    x = linear(graph, x, weight, { label: `linear ${i}`, residual: x });
    x = layerNorm(graph, x, { affine, eps: 1e-6 }, { label: `norm ${i}` }).y;
  }
  return { graph, y: graph.output(x) };
}

async function executorOf(graph: Graph, pool?: ActivationPool): Promise<Executor> {
  return Executor.create(await gpu(), graph, pool ?? new ActivationPool(await gpu()), new Map());
}

async function result(executor: Executor, y: Tensor, options?: Parameters<Executor["run"]>[0]) {
  await executor.run(options);
  return readTensors(executor, [y]);
}

describeGpu("an executor", () => {
  it("gives the same bits in one submit, in several and in one for each dispatch", async () => {
    const { graph, y } = chain("submits", 32, 6);
    const executor = await executorOf(graph);
    const once = await result(executor, y);
    expect(executor.submits).toBe(1);
    // 16 KFLOP a product: at 1 FLOP a millisecond all dispatches are over the budget, at 100 some fit together.
    for (const [speed, submits] of [
      [100, 4],
      [1, graph.dispatches.length],
    ] as const) {
      (await gpu()).flopPerMs = speed;
      const progress: number[] = [];
      const again = await result(executor, y, { onProgress: (done, total) => progress.push(done / total) });
      expect(executor.submits).toBe(submits);
      expectSameBits(once, again);
      expect(progress.length).toBe(submits);
      expect(progress.every((done, i) => done > (progress[i - 1] ?? 0))).toBe(true);
      expect(progress.at(-1)).toBe(1);
    }
    executor.dispose();
    executor.pool.dispose();
  });

  it("encodes copies out of it into the last of its submits", async () => {
    const { graph, y } = chain("copies", 4, 2);
    const executor = await executorOf(graph);
    (await gpu()).flopPerMs = 1;
    const calls: string[] = [];
    await executor.run({ after: () => calls.push("after"), onProgress: () => calls.push("submit") });
    expect(calls).toEqual(["submit", "submit", "submit", "after", "submit"]);
    expect(executor.buffer(y).size).toBe(256);
    executor.dispose();
    executor.pool.dispose();
  });

  it("stops between submits when aborted, with the signal's own reason, and runs again", async () => {
    const { graph, y } = chain("abort", 32, 4);
    const executor = await executorOf(graph);
    const once = await result(executor, y);
    (await gpu()).flopPerMs = 1;
    const controller = new AbortController();
    const reason = new Error("the user clicked elsewhere");
    let submits = 0;
    const run = executor.run({
      signal: controller.signal,
      onProgress: () => {
        if (++submits === 3) controller.abort(reason);
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(submits).toBe(3);
    await expect(executor.run({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expectSameBits(once, await result(executor, y));
    executor.dispose();
    executor.pool.dispose();
  });

  it("learns from a slow whole run to cut the next one, never below a slowest speed", async () => {
    const { graph, y } = chain("slow", 32, 4);
    const executor = await executorOf(graph);
    await result(executor, y);
    const flop = graph.dispatches.reduce((sum, dispatch) => sum + dispatch.flop, 0);
    executor.learnWhole(300);
    expect((await gpu()).flopPerMs).toBe(Number.POSITIVE_INFINITY);
    executor.learnWhole(1000);
    expect((await gpu()).flopPerMs).toBe(Math.max(2.5e5, flop / 1000));
    // And from a fast one that submits may hold more.
    executor.learnWhole(flop / 1e6);
    expect((await gpu()).flopPerMs).toBeCloseTo(1e6, 0);
    executor.dispose();
    executor.pool.dispose();
  });

  it("names the graph and tensor of a buffer it does not have", async () => {
    const { graph } = chain("strange", 4, 1);
    const executor = await executorOf(graph);
    expect(() => executor.buffer(new Graph("other").input("stray", [4]))).toThrow("strange: stray has no buffer");
    executor.dispose();
  });

  it("frees every buffer of its own and of its pool, and no sooner than it is told", async () => {
    const watch = watchBuffers((await gpu()).device);
    const { graph, y } = chain("free", 4, 2);
    const executor = await executorOf(graph);
    await executor.run();
    await (await gpu()).device.queue.onSubmittedWorkDone();
    // Params, three constants and the zeros of nothing, two slots of a chain with residuals or three.
    expect(watch.labels()).toEqual(expect.arrayContaining(["activations.0", "activations.1", "affine", "free.params", "weight", "x"]));
    const before = watch.live.size;
    for (let i = 0; i < 20; i++) await executor.run();
    expect(watch.live.size).toBe(before);
    expect(executor.buffer(y).size).toBeGreaterThan(0);
    executor.dispose();
    executor.pool.dispose();
    expect(watch.labels()).toEqual([]);
    watch.stop();
  });
});

/** A kernel made up here. */
function shaderOf(name: string, body: string): Shader {
  const declarations = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;";
  return {
    name,
    bindings: [{ name: "y", index: 0, access: "write" }],
    params: [],
    constants: { VALUE: { type: "f32", value: 1 } },
    conditions: [],
    code: { "": `${declarations}\n@compute @workgroup_size(1) fn main() { ${body} }` },
  };
}

function fillGraph(shader: Shader, constants = {}): { graph: Graph; y: Tensor } {
  const graph = new Graph("fill");
  const y = graph.output(graph.activation("y", [4]));
  graph.dispatch({ op: "fill", label: "fill", shader, reads: {}, writes: { y }, params: {}, constants, workgroups: [1, 1, 1], flop: 1 });
  return { graph, y };
}

/** How many pipelines a device is asked for while `work` runs. */
async function compiled({ device }: Gpu, work: () => Promise<unknown>): Promise<number> {
  const create = device.createComputePipelineAsync;
  let count = 0;
  device.createComputePipelineAsync = (descriptor) => {
    count++;
    return create.call(device, descriptor);
  };
  try {
    await work();
  } finally {
    device.createComputePipelineAsync = create;
  }
  return count;
}

describeGpu("pipelines", () => {
  it("are compiled once for each text, however many dispatches and graphs ask at once", async () => {
    const device = await gpu();
    const shader = shaderOf("once", "y[0] = VALUE;");
    const wish = { shader, constants: {}, condition: "" };
    const asked = await compiled(device, () =>
      Promise.all([pipelineOf(device, wish), pipelineOf(device, wish), executorOf(fillGraph(shader).graph), executorOf(fillGraph(shader).graph)]),
    );
    expect(asked).toBe(1);
    expect(await compiled(device, () => executorOf(fillGraph(shader).graph))).toBe(0);
    // Another constant is another text.
    expect(await compiled(device, () => pipelineOf(device, { ...wish, constants: { VALUE: 2 } }))).toBe(1);
  });

  it("take the dispatch's constants", async () => {
    const { graph, y } = fillGraph(shaderOf("constant", "y[0] = VALUE;"), { VALUE: 2.5 });
    const executor = await executorOf(graph);
    expectClose([((await result(executor, y)).get(y) as Float32Array)[0] as number], [2.5], { label: "constant", bound: 0 });
    executor.dispose();
    executor.pool.dispose();
  });

  it("that do not compile are an error with the kernel's name, the message and the line, and are not kept", async () => {
    const watch = watchBuffers((await gpu()).device);
    const broken = shaderOf("broken", "y[0] = undeclared;");
    for (let i = 0; i < 2; i++) {
      await expect(executorOf(fillGraph(broken).graph)).rejects.toMatchObject({
        name: "SamError",
        code: "device",
        op: "broken.wgsl",
        expected: "to compile",
        got: expect.stringMatching(/undeclared.*in line 3: @compute/),
      });
    }
    expect(watch.labels()).toEqual([]);
    watch.stop();
  });
});

describeGpu("the activation pool", () => {
  it("is shared by graphs that run in turn, and grows for the larger one", async () => {
    const pool = new ActivationPool(await gpu());
    const [small, large] = [chain("small", 8, 3), chain("large", 200, 3)];
    const first = await executorOf(small.graph, pool);
    const alone = await result(first, small.y);
    const { generation, bytes } = pool;
    const second = await executorOf(large.graph, pool);
    const wide = await result(second, large.y);
    expect(pool.bytes).toBe(second.plan.activationBytes);
    expect(pool.bytes).toBeGreaterThan(bytes);
    expect(pool.generation).toBeGreaterThan(generation);
    // The buffers the first executor was bound to are gone: it must bind anew.
    const grown = pool.generation;
    expectSameBits(alone, await result(first, small.y));
    expectSameBits(wide, await result(second, large.y));
    expect(pool.generation).toBe(grown);
    expect(first.buffer(small.y)).toBe(pool.buffer(first.plan.slotOf.get(small.y) as number));
    first.dispose();
    second.dispose();
    pool.dispose();
    expect(pool.bytes).toBe(0);
  });

  it("keeps what is large enough", async () => {
    const pool = new ActivationPool(await gpu());
    pool.reserve([1024, 512]);
    const [first, second] = [pool.buffer(0), pool.buffer(1)];
    pool.reserve([512, 768, 16]);
    expect(pool.buffer(0)).toBe(first);
    expect(pool.buffer(1)).not.toBe(second);
    expect(pool.bytes).toBe(1024 + 768 + 16);
    expect(pool.generation).toBe(4);
    pool.dispose();
  });
});
