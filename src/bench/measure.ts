// The bench: load, check, then time. The page and the command line run this and show what it gives.
import { version } from "../../package.json";
import { readF32 } from "../checkpoint/checkpoint.ts";
import { Engine, type RawDecoded } from "../engine.ts";
import type { Executor } from "../gpu/executor.ts";
import { Profiler } from "../gpu/profiler.ts";
import { Readback } from "../gpu/readback.ts";
import type { Dispatch, Graph } from "../graph/graph.ts";
import { byteLength } from "../graph/tensor.ts";
import { frame, toModel } from "../image/image.ts";
import { preprocess } from "../image/preprocess.ts";
import { type Config, variantName } from "../model/config.ts";
import { encodePrompt } from "../model/prompts.ts";
import { type BenchDevice, openBenchDevice } from "./adapter.ts";
import { benchUpsample, boxOf, goldenErrors, type Subject } from "./configurations.ts";
import { countGraph, floorMs, totalFloorMs, shapeOf, type Speed } from "./counts.ts";
import { benchImage } from "./image.ts";
import { checkKernels, KERNEL_TOLERANCE, type KernelParity, signature } from "./parity.ts";
import { measurePeaks } from "./probes.ts";
import type { BenchReport, Environment, GraphReport, KernelReport, ParityReport, StageReport } from "./report.ts";
import { SCHEMA, SCHEMA_VERSION } from "./report.ts";
import { summarise } from "./statistics.ts";

export interface MeasureOptions {
  readonly subject: Subject;
  readonly environment: Environment;
  readonly runs: number;
  /** Off: the wall clock, on any device. */
  readonly timestamps?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is going on, and how much of it is done. */
  readonly onProgress?: ((step: string, done: number, total: number) => void) | undefined;
}

/** Largest difference from PyTorch that is still rounding, where embedding and logits are of the order of 1. */
const GOLDEN_TOLERANCE = 2e-4;

/** A result that is wrong is not worth timing. */
export class ParityError extends Error {
  override readonly name = "ParityError";
}

/** @throws ParityError when a kernel or the whole network gives something else than it should; nothing has been timed then. */
export async function measure(options: MeasureOptions): Promise<BenchReport> {
  const opened = await openBenchDevice({ timestamps: options.timestamps ?? true });
  try {
    return await measureOn(opened, options);
  } finally {
    opened.gpu.device.destroy();
  }
}

async function measureOn({ gpu, adapter }: BenchDevice, options: MeasureOptions): Promise<BenchReport> {
  const { subject, environment, runs, signal } = options;
  const progress = options.onProgress ?? (() => undefined);
  const { config, checkpoint, golden } = subject;
  const stages: StageReport[] = [];
  const stage = (name: string, coldMs: number | null, samples: readonly number[] = []) =>
    stages.push({ name, coldMs, warm: samples.length > 0 ? summarise(samples) : null });

  const begun = performance.now();
  let uploaded = begun;
  const engine = await Engine.open(config, checkpoint, {
    device: gpu.device,
    signal,
    onProgress: ({ stage, loaded, total }) => {
      if (stage === "weights") uploaded = performance.now();
      progress(stage === "weights" ? "Loading weights" : "Compiling kernels", loaded, total);
    },
  });
  try {
    stage("load and upload weights", uploaded - begun);
    stage("compile encode", performance.now() - uploaded);
    const image = benchImage(golden.image.width, golden.image.height, golden.image.seed);
    const framing = frame(image.width, image.height, config.imageSize, "resize");
    const prepare = () => preprocess(image, framing, "bgr") as Uint32Array<ArrayBuffer>;
    const [preprocessMs, pixels] = await timed(async () => prepare());
    const space = { width: framing.width, height: framing.height, toModel: (x: number, y: number) => toModel(framing, x, y) };
    const prompt = encodePrompt({ box: boxOf(golden) }, config, space);
    const upsample = benchUpsample(subject);

    progress("Checking", 0, 1);
    const [encodeColdMs, tokens] = await timed(() => engine.encode(pixels, { signal }));
    const [decodeColdMs, [answer]] = await timed(() => engine.decode(tokens, [prompt], upsample, signal));
    const decoder = engine.lastDecoder?.executor;
    if (!answer || !decoder) throw new Error("decode gave no answer");
    const encoder = engine.encoder.executor;
    const { parity, kernels } = await checkAll({ encoder, decoder, tokens, answer }, options, progress);

    progress("Measuring the device's peaks", 0, 1);
    const profiler = await Profiler.create(gpu);
    try {
      const peaks = await measurePeaks(gpu, profiler, signal);
      const count = { runs, signal };
      const preprocessed = await repeat(count, "Preprocessing", progress, async () => void prepare());
      const encodes = await repeat(count, "Encoding", progress, () => engine.encode(pixels, { signal }));
      const encodeSubmits = encoder.submits;
      const decodes = await repeat(count, "Decoding", progress, () => engine.decode(tokens, [prompt], upsample, signal));
      const decodeSubmits = decoder.submits;
      const readback = new Readback(gpu);
      const readbacks = await repeat(count, "Reading back", progress, () => readEmbedding(readback, engine));
      readback.dispose();
      stage("preprocess", preprocessMs, preprocessed);
      stage("encode", encodeColdMs, encodes);
      stage("decode (first: compile too)", decodeColdMs, decodes);
      stage("read the embedding back", null, readbacks);

      // Inputs are still in their buffers: they belong to the graph, not to the run.
      const timeGraph = async (executor: Executor, facts: { coldMs: number; wall: number[]; submits: number }): Promise<GraphReport> => {
        const { label } = executor.graph;
        const wholes = await profiler.graph(executor, { ...count, onProgress: (done, total) => progress(`Timing ${label}`, done, total) });
        const timings = await profiler.dispatches(executor, { ...count, onProgress: (done, total) => progress(`Timing the kernels of ${label}`, done, total) });
        return {
          ...summaryOf(executor.graph, peaks),
          submits: facts.submits,
          coldMs: facts.coldMs,
          medianMs: summarise(facts.wall).median,
          wall: summarise(facts.wall),
          gpu: profiler.resolution.method === "timestamp" ? summarise(wholes) : null,
          kernels: kernelReports(executor.graph.dispatches, timings, peaks, kernels),
        };
      };
      const encode = await timeGraph(encoder, { coldMs: encodeColdMs, wall: encodes, submits: encodeSubmits });
      const decode = await timeGraph(decoder, { coldMs: decodeColdMs, wall: decodes, submits: decodeSubmits });
      const { method, quantumNs, quantised, submitMs } = profiler.resolution;
      return {
        schema: SCHEMA,
        version: SCHEMA_VERSION,
        date: new Date().toISOString(),
        package: version,
        environment,
        adapter,
        precision: engine.summary.precision,
        model: { name: modelName(config), configuration: subject.configuration, weights: checkpoint.label, synthetic: subject.synthetic },
        image: { width: image.width, height: image.height },
        runs,
        timing: { method, quantumUs: quantumNs / 1000, quantised, submitMs },
        peaks,
        memory: { weightBytes: engine.weightBytes, activationBytes: engine.pool.bytes },
        parity,
        stages,
        encode,
        decode,
      };
    } finally {
      profiler.dispose();
    }
  } finally {
    engine.dispose();
  }
}

interface Checked {
  readonly encoder: Executor;
  readonly decoder: Executor;
  readonly tokens: Float32Array;
  readonly answer: RawDecoded;
}

type Say = NonNullable<MeasureOptions["onProgress"]>;

async function checkAll({ encoder, decoder, tokens, answer }: Checked, { subject, signal }: MeasureOptions, progress: Say) {
  const { checkpoint, config, golden, synthetic } = subject;
  const errors: Readonly<Record<string, number>> = synthetic ? goldenErrors(golden, config, tokens, answer) : {};
  const checks = Object.entries(errors).map(([name, maxAbsError]) => ({ name, maxAbsError, tolerance: GOLDEN_TOLERANCE }));
  const kernels = new Map<string, number | undefined>();
  for (const executor of [encoder, decoder]) {
    const found = await checkKernels(executor, {
      signal,
      readF32: (name) => readF32(checkpoint, name, signal),
      onProgress: (done, total) => progress(`Checking the kernels of ${executor.graph.label}`, done, total),
    });
    for (const [key, error] of found) kernels.set(key, error);
  }
  const labelled = [...encoder.graph.dispatches, ...decoder.graph.dispatches].flatMap((dispatch) => {
    const error = kernels.get(signature(dispatch));
    return error === undefined ? [] : [{ label: dispatch.label, error }];
  });
  const worst = labelled.reduce<{ label: string; error: number } | null>((most, one) => (most && most.error >= one.error ? most : one), null);
  const wrong = checks.filter(({ maxAbsError, tolerance }) => !(maxAbsError <= tolerance)).map(({ name, maxAbsError }) => `${name} is off by ${maxAbsError}`);
  if (worst && !(worst.error <= KERNEL_TOLERANCE))
    wrong.push(`${worst.label} differs from its CPU twin by ${worst.error.toExponential(1)} of its largest value`);
  if (wrong.length > 0) throw new ParityError(`The results are wrong on this device, so nothing was timed: ${wrong.join("; ")}.`);
  const values = [...kernels.values()];
  const parity: ParityReport = {
    golden: checks,
    checked: values.filter((error) => error !== undefined).length,
    kernels: values.length,
    worst,
    tolerance: KERNEL_TOLERANCE,
  };
  return { parity, kernels: kernels as KernelParity };
}

function summaryOf(graph: Graph, peaks: Speed) {
  return { ...countGraph(graph), floorMs: totalFloorMs(graph.dispatches, peaks) };
}

function kernelReports(
  dispatches: readonly Dispatch[],
  timings: readonly { samplesMs: readonly number[]; repeats: number }[],
  peaks: Speed,
  parity: KernelParity,
): KernelReport[] {
  const times = timings.map(({ samplesMs }) => summarise(samplesMs));
  const total = times.reduce((sum, { median }) => sum + median, 0);
  return dispatches.map((dispatch, index) => {
    const time = times[index] as KernelReport["time"];
    const { median } = time;
    const rate = (count: number) => (median > 0 ? count / median / 1e6 : 0);
    const gflops = rate(dispatch.flop);
    const gbs = rate(dispatch.bytes);
    return {
      index,
      label: dispatch.label,
      op: dispatch.op,
      kernel: dispatch.shader.name,
      constants: Object.entries(dispatch.constants)
        .filter(([, value]) => value !== false)
        .map(([name, value]) => (value === true ? name : `${name}=${value}`))
        .join(" "),
      shape: shapeOf(dispatch),
      workgroups: dispatch.workgroups.join("×"),
      flop: dispatch.flop,
      bytes: dispatch.bytes,
      time,
      repeats: timings[index]?.repeats ?? 1,
      share: total > 0 ? median / total : 0,
      gflops,
      gbs,
      ofGflops: gflops / peaks.gflops,
      ofGbs: gbs / peaks.gbs,
      ofFloor: median > 0 ? floorMs(dispatch, peaks) / median : 0,
      parity: parity.get(signature(dispatch)) ?? null,
    };
  });
}

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, result: T]> {
  const started = performance.now();
  const result = await work();
  return [performance.now() - started, result];
}

async function repeat({ runs, signal }: { runs: number; signal: AbortSignal | undefined }, step: string, progress: Say, work: () => Promise<unknown>) {
  const samples: number[] = [];
  for (let run = 0; run < runs; run++) {
    signal?.throwIfAborted();
    progress(step, run, runs);
    samples.push((await timed(work))[0]);
  }
  return samples;
}

async function readEmbedding(readback: Readback, { gpu, encoder }: Engine): Promise<void> {
  const { executor, embedding } = encoder;
  const bytes = byteLength(embedding);
  readback.begin(bytes);
  const commands = gpu.device.createCommandEncoder({ label: "readback" });
  readback.copy(commands, [{ buffer: executor.buffer(embedding), bytes }]);
  gpu.device.queue.submit([commands.finish()]);
  await readback.read();
}

function modelName(config: Config): string {
  return `${config.adapters ? "SAM-Med2D" : "SAM"} ${variantName(config)}, ${config.imageSize}×${config.imageSize}`;
}
