// The bench: load, check, then time. The page and the command line run this and show what it gives.
import { version } from "../../package.json";
import { readF32 } from "../checkpoint/checkpoint.ts";
import type { RawDecoded } from "../decoded.ts";
import type { Engine } from "../engine.ts";
import type { Executor } from "../gpu/executor.ts";
import { Profiler } from "../gpu/profiler.ts";
import { Readback } from "../gpu/readback.ts";
import type { Dispatch, Graph } from "../graph/graph.ts";
import type { Choices } from "../graph/target.ts";
import { type DeviceModel, modelledMs, modelledTime } from "../graph/time_model.ts";
import { byteLength } from "../graph/tensor.ts";
import { frame, toModel } from "../image/image.ts";
import { statisticalColours } from "../image/input.ts";
import { preprocess } from "../image/preprocess.ts";
import { type Config, variantName } from "../model/config.ts";
import { encodePrompt } from "../model/prompts.ts";
import { type BenchDevice, openBenchDevice } from "./adapter.ts";
import { benchUpsample, boxOf, goldenErrors, maskIou, type Subject } from "./configurations.ts";
import { countGraph, floorMs, totalFloorMs, shapeOf, type Speed } from "./counts.ts";
import { benchImage } from "./image.ts";
import { openClocked, type OpenTimes } from "./opening.ts";
import { checkKernels, type KernelParity, signature } from "./parity.ts";
import { type GraphName, type Peer, type PeerReport, type Samples, timeInTurns } from "./peer.ts";
import { type Precision, TOLERANCES, tuningOf } from "./precision.ts";
import { measurePeaks } from "./probes.ts";
import type { BenchReport, Environment, GraphReport, KernelReport, ParityReport, StageReport } from "./report.ts";
import { SCHEMA, SCHEMA_VERSION, together } from "./report.ts";
import { summarise } from "./statistics.ts";

export interface MeasureOptions {
  readonly subject: Subject;
  readonly environment: Environment;
  readonly runs: number;
  /** One run each, in this order; f32 unless said. */
  readonly precisions?: readonly Precision[] | undefined;
  /** Off: the wall clock, on any device. */
  readonly timestamps?: boolean | undefined;
  /** Choices of kernels that are not to be timed; the others are chosen anew. */
  readonly pinned?: Choices | undefined;
  /** Timed in turns with each precision. */
  readonly peer?: Peer | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is going on, and how much of it is done. */
  readonly onProgress?: ((step: string, done: number, total: number) => void) | undefined;
}

/** A result that is wrong is not worth timing. */
export class ParityError extends Error {
  override readonly name = "ParityError";
}

/**
 * Gives the run of the first precision, with the others beside it.
 * @throws ParityError when a kernel or the whole network gives something else than it should in the first precision; others that do are
 * not timed and named in the report.
 */
export async function measure(options: MeasureOptions): Promise<BenchReport> {
  const [first = "f32", ...others] = options.precisions ?? [];
  let exact: Float32Array | undefined;
  const one = async (precision: Precision): Promise<BenchReport> => {
    // A device of its own: what one precision leaves behind must not weigh on the next.
    const opened = await openBenchDevice({ timestamps: options.timestamps ?? true });
    try {
      const { report, logits } = await measureOn(opened, { ...options, precision, exact });
      if (precision === "f32") exact = logits;
      return report;
    } finally {
      opened.gpu.device.destroy();
    }
  };
  const report = await one(first);
  const beside: BenchReport[] = [];
  const wrong: { precision: Precision; reason: string }[] = [];
  for (const precision of others) {
    try {
      beside.push(await one(precision));
    } catch (error) {
      // What was measured before stays.
      if (!(error instanceof ParityError)) throw error;
      wrong.push({ precision, reason: error.message });
    }
  }
  return { ...together([report, ...beside]), ...(wrong.length > 0 ? { wrong } : {}) };
}

interface RunOptions extends MeasureOptions {
  readonly precision: Precision;
  /** f32's masks, where they are known: [masks, 4g, 4g]. */
  readonly exact: Float32Array | undefined;
}

async function measureOn({ gpu, adapter }: BenchDevice, options: RunOptions): Promise<{ report: BenchReport; logits: Float32Array }> {
  const { subject, environment, runs, signal, precision, pinned } = options;
  const many = (options.precisions?.length ?? 1) > 1;
  const progress: Say = (step, done, total) => options.onProgress?.(many ? `${precision}: ${step}` : step, done, total);
  const { config, checkpoint, golden } = subject;
  const stages: StageReport[] = [];
  const stage = (name: string, coldMs: number | null, samples: readonly number[] = []) =>
    stages.push({ name, coldMs, warm: samples.length > 0 ? summarise(samples) : null });

  const opened = await openClocked(gpu.device, { config, checkpoint, precision, pinned, signal, onProgress: progress });
  const { engine, compiling } = opened;
  let closed = false;
  const close = () => {
    if (!closed) engine.dispose();
    closed = true;
  };
  try {
    const image = benchImage(golden.image.width, golden.image.height, golden.image.seed);
    const framing = frame(image.width, image.height, config.imageSize, "resize");
    const prepare = () => preprocess(image, framing, "bgr") as Uint32Array<ArrayBuffer>;
    const [preprocessMs, pixels] = await timed(async () => prepare());
    const colours = statisticalColours();
    const space = { width: framing.width, height: framing.height, toModel: (x: number, y: number) => toModel(framing, x, y) };
    const prompt = encodePrompt({ box: boxOf(golden) }, space);
    const upsample = benchUpsample(subject);

    progress("Checking", 0, 1);
    const [encodeColdMs, tokens] = await timed(() => engine.encode(pixels, colours, { signal }));
    compiling.take();
    const [decodeColdMs, [answer]] = await timed(() => engine.decode(tokens, [prompt], upsample, { signal }));
    const decodeCompileMs = compiling.take();
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
      const encodes = await repeat(count, "Encoding", progress, () => engine.encode(pixels, colours, { signal }));
      const encodeSubmits = encoder.submits;
      const decodes = await repeat(count, "Decoding", progress, () => engine.decode(tokens, [prompt], upsample, { signal }));
      const decodeSubmits = decoder.submits;
      const readback = new Readback(gpu);
      const readbacks = await repeat(count, "Reading back", progress, () => readEmbedding(readback, engine));
      readback.dispose();

      // Inputs are still in their buffers: they belong to the graph, not to the run.
      const model = gpu.summary.kind === "gpu" ? gpu.target.model : undefined;
      const timeGraph = async (executor: Executor, facts: { coldMs: number; wall: number[]; submits: number }): Promise<GraphReport> => {
        const { label } = executor.graph;
        const wholes = await profiler.graph(executor, { ...count, onProgress: (done, total) => progress(`Timing ${label}`, done, total) });
        const timings = await profiler.dispatches(executor, { ...count, onProgress: (done, total) => progress(`Timing the kernels of ${label}`, done, total) });
        return {
          ...summaryOf(executor.graph, peaks, model),
          submits: facts.submits,
          coldMs: facts.coldMs,
          medianMs: summarise(facts.wall).median,
          wall: summarise(facts.wall),
          gpu: profiler.resolution.method === "timestamp" ? summarise(wholes) : null,
          kernels: kernelReports(executor.graph.dispatches, timings, { peaks, parity: kernels, model }),
        };
      };
      const encode = await timeGraph(encoder, { coldMs: encodeColdMs, wall: encodes, submits: encodeSubmits });
      const decode = await timeGraph(decoder, { coldMs: decodeColdMs, wall: decodes, submits: decodeSubmits });
      const turns = await inTurns(options, progress, async (graph, count) => {
        const work: () => Promise<unknown> =
          graph === "encode" ? () => engine.encode(pixels, colours, { signal }) : () => engine.decode(tokens, [prompt], upsample, { signal });
        for (let run = 0; run < 2; run++) await work();
        const wall: number[] = [];
        for (let run = 0; run < count; run++) wall.push((await timed(work))[0]);
        const gpuTimes = await profiler.graph(graph === "encode" ? encoder : decoder, { runs: count, signal });
        return { wall, gpu: profiler.resolution.method === "timestamp" ? gpuTimes : null };
      });
      const { method, quantumNs, quantised, submitMs } = profiler.resolution;
      const memory = { weightBytes: engine.weightBytes, activationBytes: engine.pool.bytes };
      const tuning = tuningOf(engine);
      // Once more with all caches warm, and never two models on the device at once.
      close();
      const again = await openClocked(gpu.device, { config, checkpoint, precision, pinned: engine.target.choices, signal, onProgress: progress });
      await again.engine.decode(tokens, [prompt], upsample, { signal }).finally(() => again.engine.dispose());
      for (const [name, of] of OPENING) stage(name, of(opened.times), [of(again.times)]);
      stage("compile decode", decodeCompileMs, [compiling.take()]);
      stage("preprocess", preprocessMs, preprocessed);
      stage("encode", encodeColdMs, encodes);
      stage("decode (first: compile too)", decodeColdMs, decodes);
      stage("read the embedding back", null, readbacks);
      const report: BenchReport = {
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
        memory,
        parity,
        stages,
        encode,
        decode,
        ...(model ? { deviceModel: model.name } : {}),
        ...(turns ? { peer: turns } : {}),
        ...(tuning.length > 0 ? { tuning } : {}),
      };
      return { report, logits: answer.logits };
    } finally {
      profiler.dispose();
    }
  } finally {
    close();
  }
}

/** Nothing that the peer does, or fails to do, costs the run. */
async function inTurns({ peer, runs }: RunOptions, progress: Say, own: (graph: GraphName, runs: number) => Promise<Samples>): Promise<PeerReport | undefined> {
  if (!peer) return undefined;
  progress("Timing in turns with the peer", 0, 1);
  const facts = await peer.facts().catch((error: unknown) => ({
    name: "peer",
    variants: [],
    failed: [{ name: "all", reason: error instanceof Error ? error.message : String(error) }],
  }));
  return timeInTurns({ facts: async () => facts, time: (...asked) => peer.time(...asked) }, runs, own);
}

/** Stages of opening a model. They overlap: the device compiles while weights are read. */
const OPENING: readonly [name: string, of: (times: OpenTimes) => number][] = [
  ["open", ({ totalMs }) => totalMs],
  ["– reading weights", ({ readMs }) => readMs],
  ["– uploading weights", ({ uploadMs }) => uploadMs],
  ["– compiling encode", ({ compileMs }) => compileMs],
  ["– choosing kernels", ({ tuneMs }) => tuneMs],
];

interface Checked {
  readonly encoder: Executor;
  readonly decoder: Executor;
  readonly tokens: Float32Array;
  readonly answer: RawDecoded;
}

type Say = NonNullable<MeasureOptions["onProgress"]>;

/** Of its largest value: what a kernel that reads a wrong element is off by at least. */
const GROSS = 1e-2;

async function checkAll({ encoder, decoder, tokens, answer }: Checked, { subject, signal, precision, exact }: RunOptions, progress: Say) {
  const { checkpoint, config, golden, synthetic } = subject;
  const tolerance = TOLERANCES[precision];
  const errors = synthetic ? goldenErrors(golden, config, tokens, answer) : undefined;
  const checks = errors
    ? (["embedding", "logits", "scores"] as const).map((name) => ({ name, maxAbsError: errors[name], tolerance: tolerance.golden[name] }))
    : [];
  const overlap = exact && maskIou(answer.logits, exact);
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
  if (overlap !== undefined && !(overlap >= tolerance.maskIou)) wrong.push(`masks overlap with those of f32 by ${overlap.toFixed(4)} only`);
  // Where the whole network meets PyTorch, a kernel that is a little further off is this device's rounding, and is told with the results: a GPU may
  // divide and take roots less exactly than a CPU, and LayerNorm lays that bare where a row hardly varies.
  const most = checks.length > 0 && wrong.length === 0 ? GROSS : tolerance.kernel;
  if (worst && !(worst.error <= most)) wrong.push(`${worst.label} differs from its CPU twin by ${worst.error.toExponential(1)} of its largest value`);
  if (wrong.length > 0) throw new ParityError(`The results are wrong on this device, so nothing was timed: ${wrong.join("; ")}.`);
  const values = [...kernels.values()];
  const parity: ParityReport = {
    golden: checks,
    checked: values.filter((error) => error !== undefined).length,
    kernels: values.length,
    worst,
    tolerance: tolerance.kernel,
    ...(overlap === undefined ? {} : { maskIou: overlap }),
  };
  return { parity, kernels: kernels as KernelParity };
}

function summaryOf(graph: Graph, peaks: Speed, model: DeviceModel | undefined) {
  const { dispatches } = graph;
  return { ...countGraph(graph), floorMs: totalFloorMs(dispatches, peaks), ...(model ? { modelledMs: modelledMs(dispatches, model) } : {}) };
}

function kernelReports(
  dispatches: readonly Dispatch[],
  timings: readonly { samplesMs: readonly number[]; repeats: number }[],
  { peaks, parity, model }: { readonly peaks: Speed; readonly parity: KernelParity; readonly model: DeviceModel | undefined },
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
      ...(model ? { modelled: modelledTime(dispatch, model) } : {}),
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
