// How long each dispatch of a graph takes: by timestamps where the device has them, by the wall clock where not.
import type { Gpu } from "./device.ts";
import type { Executor } from "./executor.ts";

export type TimingMethod = "timestamp" | "wall";

export interface Resolution {
  readonly method: TimingMethod;
  /** The smallest step the clock was seen to take, nanoseconds. */
  readonly quantumNs: number;
  /** Whether all times are multiples of it: a browser rounds timestamps unless its WebGPU developer features are on. */
  readonly quantised: boolean;
  /** Of a submit without work, which wall-clock times are less; 0 for timestamps. */
  readonly submitMs: number;
}

export interface DispatchTiming {
  readonly index: number;
  /** Milliseconds of one dispatch, a value for each run: the repeats' mean. */
  readonly samplesMs: readonly number[];
  /** Dispatches behind each other between two readings of the clock. */
  readonly repeats: number;
}

export interface ProfileOptions {
  readonly runs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A reading this many steps of the clock long is off by 5 % at most. */
const QUANTA = 20;
const MAX_REPEATS = 1024;
/** Repeats are raised until every dispatch reaches its length, by at most this factor a round: the first readings may be zero. */
const GROWTH = 16;
const ROUNDS = 5;
/** Longest a submit is meant to take. A system resets a GPU that is busy for a second or two. */
const SUBMIT_MS = 100;
/** FLOP of a submit of which nothing is known yet. */
const UNKNOWN_FLOP = { cpu: 5e8, gpu: 2e10 } as const;
/** Two timestamps for each pass; WebGPU allows 4096 in a set. */
const MAX_PASSES = 1024;
const PROBE_PASSES = 64;

/** The step of a clock from readings of it, in nanoseconds. Gaps that are all multiples of the smallest mean it rounds to that. */
export function detectQuantum(readings: readonly bigint[]): { readonly quantumNs: number; readonly quantised: boolean } {
  const sorted = [...new Set(readings)].sort((a, b) => (a < b ? -1 : 1));
  const gaps = sorted.slice(1).map((value, i) => Number(value - (sorted[i] as bigint)));
  const quantumNs = gaps.length > 0 ? Math.min(...gaps) : 0;
  // Below a microsecond repeats are long enough in any case, and multiples say nothing.
  const multiples = gaps.filter((gap) => Math.abs(gap / quantumNs - Math.round(gap / quantumNs)) < 0.02);
  return { quantumNs, quantised: quantumNs >= 1000 && multiples.length >= 0.98 * gaps.length };
}

/** Dispatches behind each other so that a reading of `ms` for `repeats` becomes `targetMs` long. */
export function nextRepeats(repeats: number, ms: number, targetMs: number): number {
  if (ms >= targetMs) return repeats;
  const wanted = ms > 0 ? Math.ceil((repeats * targetMs * 1.2) / ms) : Number.POSITIVE_INFINITY;
  return Math.min(MAX_REPEATS, repeats * GROWTH, wanted);
}

/** One reading of the clock: dispatches [begin, end), `repeats` times behind each other. */
interface Span {
  readonly begin: number;
  readonly end: number;
  readonly repeats: number;
  readonly flop: number;
  /** Of all repeats, where it has been read before. */
  readonly expectedMs?: number | undefined;
}

export class Profiler {
  private constructor(
    readonly gpu: Gpu,
    readonly resolution: Resolution,
    readonly queries: Queries | undefined,
  ) {}

  /** Timestamps need a device made with the feature `timestamp-query`. */
  static async create(gpu: Gpu): Promise<Profiler> {
    const { device } = gpu;
    if (!device.features.has("timestamp-query")) {
      const times: number[] = [];
      for (let i = 0; i < 20; i++) times.push(await timeSubmit(device));
      times.sort((a, b) => a - b);
      const submitMs = times[10] as number;
      return new Profiler(gpu, { method: "wall", quantumNs: clockStepMs() * 1e6, quantised: false, submitMs }, undefined);
    }
    const queries = new Queries(device);
    const readings: bigint[] = [];
    // Submits of their own, so that the readings spread over many steps of a coarse clock.
    for (let round = 0; round < 4; round++) {
      const encoder = device.createCommandEncoder({ label: "clock" });
      for (let i = 0; i < PROBE_PASSES; i++) encoder.beginComputePass({ timestampWrites: queries.writes(i) }).end();
      readings.push(...(await queries.read(encoder, PROBE_PASSES)));
    }
    return new Profiler(gpu, { method: "timestamp", ...detectQuantum(readings), submitMs: 0 }, queries);
  }

  /** Milliseconds that a reading must last to be trusted. */
  get targetMs(): number {
    const { method, quantumNs, submitMs } = this.resolution;
    const steps = (QUANTA * quantumNs) / 1e6;
    return method === "wall" ? Math.max(steps, 4 * submitMs) : steps;
  }

  /** Every dispatch alone, in the order of the graph: what it reads is there, since a dispatch never writes what it reads. */
  async dispatches(executor: Executor, { runs, signal, onProgress }: ProfileOptions): Promise<DispatchTiming[]> {
    const { dispatches } = executor.graph;
    executor.prepare();
    let spans = dispatches.map(({ flop }, index): Span => ({ begin: index, end: index + 1, repeats: 1, flop }));
    const total = runs + ROUNDS;
    for (let round = 0; round < ROUNDS; round++) {
      const times = await this.#read(executor, spans, signal);
      // The first round warms up: caches, clocks and the driver's own lazy work.
      const next = spans.map((span, i) => ({ ...span, repeats: round === 0 ? 1 : nextRepeats(span.repeats, times[i] as number, this.targetMs) }));
      const settled = round > 0 && next.every(({ repeats }, i) => repeats === spans[i]?.repeats);
      spans = next.map((span, i) => ({ ...span, expectedMs: ((times[i] as number) / (spans[i] as Span).repeats) * span.repeats }));
      onProgress?.(round + 1, total);
      if (settled) break;
    }
    const samples = dispatches.map((): number[] => []);
    for (let run = 0; run < runs; run++) {
      const times = await this.#read(executor, spans, signal);
      times.forEach((ms, i) => {
        samples[i]?.push(ms / (spans[i] as Span).repeats);
      });
      onProgress?.(ROUNDS + run + 1, total);
    }
    return spans.map(({ begin, repeats }, i) => ({ index: begin, samplesMs: samples[i] as number[], repeats }));
  }

  /** GPU time of the whole graph, as it runs in use: dispatches in one pass, cut only where a submit would be too long. */
  async graph(executor: Executor, { runs, signal, onProgress }: ProfileOptions): Promise<number[]> {
    const { dispatches } = executor.graph;
    executor.prepare();
    const limit = this.gpu.target.kind === "cpu" ? UNKNOWN_FLOP.cpu : Number.POSITIVE_INFINITY;
    const spans: Span[] = [];
    for (const [index, { flop }] of dispatches.entries()) {
      const last = spans.at(-1);
      if (last && last.flop + flop <= limit) spans[spans.length - 1] = { ...last, end: index + 1, flop: last.flop + flop };
      else spans.push({ begin: index, end: index + 1, repeats: 1, flop });
    }
    const samples: number[] = [];
    for (let run = 0; run < runs; run++) {
      samples.push((await this.#read(executor, spans, signal)).reduce((sum, ms) => sum + ms, 0));
      onProgress?.(run + 1, runs);
    }
    return samples;
  }

  /** Milliseconds of each span, all repeats together. */
  async #read(executor: Executor, spans: readonly Span[], signal: AbortSignal | undefined): Promise<number[]> {
    const { queries } = this;
    const times: number[] = [];
    for (const group of queries ? this.#groups(spans) : spans.map((span) => [span])) {
      signal?.throwIfAborted();
      const encoder = this.gpu.device.createCommandEncoder({ label: `${executor.graph.label}.profile` });
      group.forEach((span, i) => {
        const pass = encoder.beginComputePass(queries ? { timestampWrites: queries.writes(i) } : {});
        for (let r = 0; r < span.repeats; r++) executor.encodeRange(pass, span.begin, span.end);
        pass.end();
      });
      if (queries) {
        const readings = await queries.read(encoder, group.length);
        // Some drivers hand back timestamps out of order around a power state: no time is less than none.
        group.forEach((_, i) => times.push(Math.max(0, Number((readings[2 * i + 1] as bigint) - (readings[2 * i] as bigint)) / 1e6)));
      } else {
        const commands = encoder.finish();
        const started = performance.now();
        this.gpu.device.queue.submit([commands]);
        await this.gpu.device.queue.onSubmittedWorkDone();
        times.push(Math.max(0, performance.now() - started - this.resolution.submitMs));
      }
    }
    return times;
  }

  /** Spans of one submit each. */
  #groups(spans: readonly Span[]): Span[][] {
    const groups: Span[][] = [];
    let used = Number.POSITIVE_INFINITY;
    for (const span of spans) {
      const share = span.expectedMs === undefined ? (span.flop * span.repeats) / UNKNOWN_FLOP[this.gpu.target.kind] : span.expectedMs / SUBMIT_MS;
      if (used + share > 1 || (groups.at(-1)?.length ?? 0) >= MAX_PASSES) {
        groups.push([]);
        used = 0;
      }
      groups.at(-1)?.push(span);
      used += share;
    }
    return groups;
  }

  dispose(): void {
    this.queries?.dispose();
  }
}

/** A query set and the buffers that bring its timestamps back. */
class Queries {
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(readonly device: GPUDevice) {
    const size = MAX_PASSES * 2 * 8;
    this.#set = device.createQuerySet({ label: "profiler", type: "timestamp", count: MAX_PASSES * 2 });
    this.#resolved = device.createBuffer({ label: "profiler.resolved", size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.#staging = device.createBuffer({ label: "profiler.staging", size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  writes(pass: number): GPUComputePassTimestampWrites {
    return { querySet: this.#set, beginningOfPassWriteIndex: 2 * pass, endOfPassWriteIndex: 2 * pass + 1 };
  }

  /** Submits the encoder's work and gives begin and end of each of its passes, nanoseconds. */
  async read(encoder: GPUCommandEncoder, passes: number): Promise<bigint[]> {
    encoder.resolveQuerySet(this.#set, 0, 2 * passes, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16 * passes);
    this.device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ, 0, 16 * passes);
    try {
      return [...new BigUint64Array(this.#staging.getMappedRange(0, 16 * passes))];
    } finally {
      this.#staging.unmap();
    }
  }

  dispose(): void {
    this.#set.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}

async function timeSubmit(device: GPUDevice): Promise<number> {
  const commands = device.createCommandEncoder({ label: "nothing" }).finish();
  const started = performance.now();
  device.queue.submit([commands]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - started;
}

/** The smallest step `performance.now` takes: browsers round it to 5 µs or 100 µs. */
function clockStepMs(): number {
  let smallest = 1;
  for (let i = 0; i < 50; i++) {
    const from = performance.now();
    let to = from;
    while (to === from) to = performance.now();
    smallest = Math.min(smallest, to - from);
  }
  return smallest;
}
