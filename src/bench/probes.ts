// What the device at hand can do at best: two kernels that do nothing else, timed by the same profiler as the rest.
import copyShader from "../../shaders/probe_copy.wgsl";
import fmaShader from "../../shaders/probe_fma.wgsl";
import { type Gpu, guarded } from "../gpu/device.ts";
import { Executor } from "../gpu/executor.ts";
import { ActivationPool } from "../gpu/pool.ts";
import type { Profiler } from "../gpu/profiler.ts";
import { Graph } from "../graph/graph.ts";
import type { Speed } from "./counts.ts";

const THREADS = 256;
/** The shader's, for each of its steps. */
const FLOP_PER_STEP = 64;
/** Enough threads to fill a large GPU; a software adapter runs them one behind the other. */
const GROUPS = { gpu: 4096, cpu: 64 } as const;
/** Far beyond any cache, and WebGPU's default limit for a binding; then less, for devices that cannot spare it beside the weights. */
const COPY_BYTES = { gpu: [128 * 2 ** 20, 32 * 2 ** 20], cpu: [32 * 2 ** 20] } as const;
const COPY_GROUPS = 16384;
const FIRST_STEPS = 64;
const MOST_STEPS = 2 ** 17;
/** Long enough that starting and ending the kernel does not count. */
const LONG_MS = 5;
const RUNS = 5;

function fmaGraph(groups: number, steps: number): Graph {
  const graph = new Graph("probe.fma");
  const count = groups * THREADS;
  const y = graph.activation("probe.fma", [count]);
  graph.dispatch({
    op: "probe_fma",
    label: "probe.fma",
    shader: fmaShader,
    reads: {},
    writes: { y },
    // Values stay near 1 however many steps there are: infinities and subnormals can be slower or faster.
    params: { steps, count, factor: 0.5, term: 0.25 },
    workgroups: [groups, 1, 1],
    flop: count * steps * FLOP_PER_STEP,
  });
  graph.output(y);
  return graph;
}

function copyGraph(bytes: number): Graph {
  const graph = new Graph("probe.copy");
  const x = graph.input("probe.copy.x", [bytes / 4]);
  const y = graph.activation("probe.copy", [bytes / 4]);
  graph.dispatch({
    op: "probe_copy",
    label: "probe.copy",
    shader: copyShader,
    reads: { x },
    writes: { y },
    params: { count4: bytes / 16 },
    workgroups: [Math.min(COPY_GROUPS, bytes / 16 / THREADS), 1, 1],
    flop: 0,
  });
  graph.output(y);
  return graph;
}

/** Milliseconds of the quickest of some runs: a peak is what the device can do, not what it does on average. */
async function quickest(gpu: Gpu, profiler: Profiler, graph: Graph, runs: number, signal: AbortSignal | undefined): Promise<number> {
  const pool = new ActivationPool(gpu);
  const executor = await Executor.create(gpu, graph, pool, new Map(), { signal });
  try {
    const [timing] = await profiler.dispatches(executor, { runs, signal });
    return Math.min(...(timing?.samplesMs ?? []));
  } finally {
    executor.dispose();
    pool.dispose();
  }
}

/** GFLOP/s of fused multiply-adds in f32, and GB/s of a copy, bytes read and written both counted. */
export async function measurePeaks(gpu: Gpu, profiler: Profiler, signal?: AbortSignal): Promise<Speed> {
  const { kind } = gpu.target;
  let steps = FIRST_STEPS;
  for (;;) {
    const ms = await quickest(gpu, profiler, fmaGraph(GROUPS[kind], steps), 1, signal);
    if (ms >= LONG_MS || steps >= MOST_STEPS) break;
    steps = Math.min(MOST_STEPS, steps * (ms > 0 ? Math.max(2, Math.min(16, Math.ceil(LONG_MS / ms))) : 16));
  }
  const graph = fmaGraph(GROUPS[kind], steps);
  const fmaMs = await quickest(gpu, profiler, graph, RUNS, signal);
  const flop = graph.dispatches.reduce((sum, dispatch) => sum + dispatch.flop, 0);
  return { gflops: flop / fmaMs / 1e6, gbs: await measureCopy(gpu, profiler, signal) };
}

async function measureCopy(gpu: Gpu, profiler: Profiler, signal: AbortSignal | undefined): Promise<number> {
  const sizes: readonly number[] = COPY_BYTES[gpu.target.kind];
  for (const [i, bytes] of sizes.entries()) {
    try {
      const ms = await guarded(gpu, "bench", () => quickest(gpu, profiler, copyGraph(bytes), RUNS, signal));
      return (2 * bytes) / ms / 1e6;
    } catch (error) {
      signal?.throwIfAborted();
      if (i === sizes.length - 1 || gpu.lost) throw error;
    }
  }
  return 0;
}
