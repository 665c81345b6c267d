// The profiler on Dawn: a graph of two dispatches, by both clocks.
import { expect, it } from "vitest";
import { measurePeaks } from "../../src/bench/probes.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { Executor } from "../../src/gpu/executor.ts";
import { ActivationPool } from "../../src/gpu/pool.ts";
import { Profiler } from "../../src/gpu/profiler.ts";
import { Graph } from "../../src/graph/graph.ts";
import { byteLength, type Tensor } from "../../src/graph/tensor.ts";
import { linear } from "../../src/ops/linear.ts";
import { adapterFeatures, describeGpu, readBuffer, requestTestDevice } from "../support/dawn.ts";

const CLOCKS: readonly GPUFeatureName[][] = adapterFeatures().has("timestamp-query") ? [["timestamp-query"], []] : [[]];

describeGpu.each(CLOCKS.map((features) => ({ features, method: features.length > 0 ? "timestamp" : "wall" })))(
  "profiler by $method",
  ({ features, method }) => {
    async function tiny(): Promise<{ executor: Executor; profiler: Profiler; output: Tensor; close(): void }> {
      const gpu = await openGpu(await requestTestDevice({ features }));
      const graph = new Graph("tiny", gpu.target);
      const x = graph.constant(
        "x",
        [8, 8],
        Float32Array.from({ length: 64 }, (_, i) => i / 64),
      );
      const weight = graph.constant(
        "weight",
        [8, 8],
        Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 2 : 0)),
      );
      const output = graph.output(linear(graph, linear(graph, x, weight, { label: "one" }), weight, { label: "two" }));
      const pool = new ActivationPool(gpu);
      const executor = await Executor.create(gpu, graph, pool, new Map());
      const profiler = await Profiler.create(gpu);
      const close = () => {
        profiler.dispose();
        executor.dispose();
        pool.dispose();
      };
      return { executor, profiler, output, close };
    }

    it("times every dispatch and leaves the graph's result as it was", async () => {
      const { executor, profiler, output, close } = await tiny();
      expect(profiler.resolution.method).toBe(method);
      const seen: number[] = [];
      const timings = await profiler.dispatches(executor, { runs: 4, onProgress: (done, total) => seen.push(done / total) });
      expect(timings.map(({ index }) => index)).toEqual([0, 1]);
      for (const { samplesMs, repeats } of timings) {
        expect(samplesMs).toHaveLength(4);
        expect(repeats).toBeGreaterThanOrEqual(1);
        for (const ms of samplesMs) expect(ms).toBeGreaterThanOrEqual(0);
      }
      expect(seen.at(-1)).toBe(1);
      const values = new Float32Array(await readBuffer(executor.gpu.device, executor.buffer(output), byteLength(output)));
      // Twice the identity, twice over.
      expect([...values].slice(0, 64)).toEqual(Array.from({ length: 64 }, (_, i) => (4 * i) / 64));
      close();
    });

    it("times the graph as a whole", async () => {
      const { executor, profiler, close } = await tiny();
      const samples = await profiler.graph(executor, { runs: 3 });
      expect(samples).toHaveLength(3);
      for (const ms of samples) expect(ms).toBeGreaterThanOrEqual(0);
      close();
    });

    it("measures what the device can do at best", async () => {
      const gpu = await openGpu(await requestTestDevice({ features }));
      const profiler = await Profiler.create(gpu);
      const { gflops, gbs } = await measurePeaks(gpu, profiler);
      expect(gflops).toBeGreaterThan(0);
      expect(gbs).toBeGreaterThan(0);
      profiler.dispose();
    });

    it("ends between submits when it is told to", async () => {
      const { executor, profiler, close } = await tiny();
      await expect(profiler.dispatches(executor, { runs: 1, signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      close();
    });
  },
);
