// bench: the profiling page's headless twin, on Dawn. Counts first, then parity, then times.
import { cpus } from "node:os";
import {
  benchGraphs,
  checkpointSubject,
  CONFIGURATIONS,
  isConfiguration,
  MEMBERS,
  memberSubject,
  type Subject,
  syntheticSubject,
} from "../bench/configurations.ts";
import { counted, countsText } from "../bench/counts_text.ts";
import { clockWords, compare, csv, parityWords } from "../bench/formats.ts";
import { measure } from "../bench/measure.ts";
import { modelledGraph, modelledText, parseDeviceModel } from "../bench/modelled.ts";
import { pinnedChoices } from "../bench/pinned.ts";
import { amount, digits, percent, time } from "../bench/numbers.ts";
import { type Precision, targetIn } from "../bench/precision.ts";
import { type BenchReport, type GraphReport, type KernelReport, parseReport, runsOf } from "../bench/report.ts";
import type { PeerReport, SummaryPair } from "../bench/peer.ts";
import { type Row, sideBySide, tuningTable } from "../bench/side_by_side.ts";
import { type Choices, GPU_TARGET } from "../graph/target.ts";
import { DEVICE_MODELS, type DeviceModel } from "../graph/time_model.ts";
import { provideWebGpu } from "./dawn.ts";
import type { Environment } from "./environment.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { PeerProcess } from "./peer_process.ts";
import { duration, Terminal } from "./terminal.ts";
import { CommandError, reasonOf, UsageError } from "./usage.ts";
import { filesOf, openWeights } from "./weights.ts";

export interface BenchCommandOptions {
  readonly weights?: string;
  readonly config: string;
  readonly runs: number;
  readonly precision: readonly Precision[];
  readonly json?: string;
  readonly csv?: string;
  readonly compare?: string;
  readonly gflops?: number;
  readonly gbs?: number;
  readonly count?: boolean;
  readonly device?: string;
  readonly wall?: boolean;
  readonly tuning?: string;
  readonly peer?: string;
}

/** Dawn rounds timestamps as browsers do unless told otherwise, and hides what NVIDIA's Vulkan driver has of f16, which its Direct3D driver shows. */
const DAWN = ["disable-dawn-features=timestamp_quantization", "enable-dawn-features=vulkan_enable_f16_on_nvidia"];
const LISTED = 15;

export async function bench(options: BenchCommandOptions, environment: Environment): Promise<void> {
  const { signal, stdout } = environment;
  if ((options.gflops === undefined) !== (options.gbs === undefined)) throw new UsageError("--gflops and --gbs are given together: a floor needs both");
  const device = options.device === undefined ? undefined : await readDevice(options.device);
  const pinned = options.tuning === undefined ? undefined : await readChoices(options.tuning);
  if (device && !options.count) throw new UsageError("--device describes a device that is not here: it needs --count");
  const speed = options.gflops !== undefined && options.gbs !== undefined ? { gflops: options.gflops, gbs: options.gbs } : undefined;
  const weights = options.weights === undefined ? [] : await filesOf(options.weights);
  await checkDestinations(
    { "--json": options.json === "-" ? undefined : options.json, "--csv": options.csv },
    [...weights, options.compare, options.tuning, options.device].filter((path) => path !== undefined),
  );
  const before = options.compare === undefined ? undefined : await readReport(options.compare);
  const subject = await openSubject(options, signal);
  try {
    const quiet = options.json === "-";
    const say = (text: string) => void (quiet ? environment.stderr : stdout).write(`${text}\n`);
    if (options.count) {
      const runs = options.precision.map((precision) => ({
        precision,
        ...benchGraphs(subject, targetIn({ ...GPU_TARGET, ...(device ? { model: device } : {}), ...(pinned ? { choices: pinned } : {}) }, precision)),
      }));
      const texts = runs.flatMap(({ precision, encode, decode }) => [
        countsText({ [`encode, ${precision}`]: counted(encode), [`decode, ${precision}`]: counted(decode) }, speed).trimEnd(),
        ...(device ? [encode, decode].map((graph) => modelledText(`${graph.label}, ${precision}`, modelledGraph(graph, device), device)) : []),
      ]);
      say(texts.join("\n\n"));
      if (options.json === undefined) return;
      const model = device ?? DEVICE_MODELS.h100;
      const [first, ...rest] = runs.map(({ precision, encode, decode }) => ({
        precision,
        encode: modelledGraph(encode, model),
        decode: modelledGraph(decode, model),
      }));
      const json = `${JSON.stringify({ device: model, ...first, ...(rest.length > 0 ? { others: rest } : {}) }, null, 2)}\n`;
      if (quiet) stdout.write(json);
      else await writeAll(new Map([[options.json, json]]), signal);
      return;
    }
    await provideWebGpu(DAWN);
    const report = await run(subject, { ...options, pinned }, environment);
    const all = runsOf(report);
    for (const one of all) {
      const { encode, decode } = one;
      say(countsText({ encode: { costs: encode.kernels, ...encode }, decode: { costs: decode.kernels, ...decode } }, speed));
      say(text(one));
    }
    if (all.length > 1) say(`\n${columns(sideBySide(all))}`);
    if (before) say(comparison(before, report));
    const outputs = new Map<string, string>();
    const json = `${JSON.stringify(report, null, 2)}\n`;
    if (quiet) stdout.write(json);
    else if (options.json) outputs.set(options.json, json);
    if (options.csv) outputs.set(options.csv, csv(report));
    await writeAll(outputs, signal);
    const [wrong] = report.wrong ?? [];
    if (wrong) throw new CommandError(`${wrong.precision}: ${wrong.reason}`);
  } finally {
    await subject.checkpoint.close();
  }
}

async function openSubject({ weights, config }: BenchCommandOptions, signal: AbortSignal): Promise<Subject> {
  if (weights === undefined) {
    const subject = isConfiguration(config) ? syntheticSubject(config) : memberSubject(config);
    if (subject) return subject;
    const names = [...Object.keys(CONFIGURATIONS), ...Object.keys(MEMBERS)];
    throw new UsageError(`--config must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}; got ${config}`);
  }
  if (weights.startsWith("synthetic:")) throw new UsageError("--weights names a file here; synthetic weights are the default, chosen with --config");
  const opened = await openWeights(weights, signal);
  if (typeof opened === "string") throw new UsageError(`--weights ${weights}: a checkpoint file is needed`);
  return checkpointSubject(opened);
}

async function readReport(path: string): Promise<BenchReport> {
  const { readFile } = await import("node:fs/promises");
  const content = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UsageError(`--compare ${path}: ${reasonOf(cause)}`);
  });
  try {
    return parseReport(content);
  } catch (error) {
    throw new UsageError(`--compare ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

async function readChoices(path: string): Promise<Choices> {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UsageError(`--tuning ${path}: ${reasonOf(cause)}`);
  });
  const choices = pinnedChoices(text);
  if (!choices) throw new UsageError(`--tuning ${path} must be a JSON file of the bench, or an object of a kernel's name for each shape`);
  return choices;
}

async function readDevice(name: string): Promise<DeviceModel> {
  const known = parseDeviceModel(name);
  if (typeof known !== "string") return known;
  const { readFile } = await import("node:fs/promises");
  const json = await readFile(name, "utf8").catch((cause: unknown) => {
    throw new UsageError(`--device ${/[./\\]/.test(name) ? `${name}: ${reasonOf(cause)}` : known}`);
  });
  const device = parseDeviceModel(name, json);
  if (typeof device === "string") throw new UsageError(`--device ${device}`);
  return device;
}

interface RunOptions extends BenchCommandOptions {
  readonly pinned: Choices | undefined;
}

async function run(subject: Subject, { runs, wall, precision, pinned, peer: command }: RunOptions, { stderr, signal }: Environment): Promise<BenchReport> {
  const terminal = new Terminal(stderr);
  const started = performance.now();
  const peer = command === undefined ? undefined : new PeerProcess(command);
  try {
    return await measure({
      subject,
      runs,
      precisions: precision,
      signal,
      timestamps: !wall,
      pinned,
      peer,
      environment: { runtime: "node", agent: `Node ${process.versions.node}, Dawn`, platform: `${process.platform} ${process.arch}`, cores: cpus().length },
      onProgress: (step, done, total) => terminal.progress(`${step}  ${total > 1 ? `${percent(done / total)}, ` : ""}${duration(performance.now() - started)}`),
    });
  } finally {
    peer?.end();
    terminal.clear();
  }
}

function text(report: BenchReport): string {
  const { adapter, model, peaks, memory, encode, decode } = report;
  const graph = (name: string, { dispatches, submits, wall, gpu, coldMs, floorMs, modelledMs }: GraphReport) =>
    `${name}  ${dispatches} dispatches, ${submits} ${submits === 1 ? "submit" : "submits"}; median ${time(wall.median)}, p95 ${time(wall.p95)}, first ${time(coldMs)}` +
    `${gpu ? `; GPU ${time(gpu.median)}` : ""}; floor ${time(floorMs)}${modelledMs === undefined ? "" : `, modelled ${time(modelledMs)}`}`;
  const kernel = ({ time: t, modelled, share, gflops, gbs, ofFloor, op, shape, label }: KernelReport) =>
    `${time(t.median).padStart(9)}${modelled ? `, modelled ${time(modelled.us / 1000).padStart(8)}` : ""}  ${percent(share).padStart(6)}  ${digits(gflops).padStart(6)} GFLOP/s  ${digits(gbs).padStart(6)} GB/s  ${percent(ofFloor).padStart(6)} of peak  ${op} ${shape}  ${label}`;
  const slowest = (kernels: readonly KernelReport[]) => [...kernels].sort((a, b) => b.time.median - a.time.median).slice(0, LISTED);
  return [
    `${model.name}, ${report.precision}, ${model.weights}, on ${adapter.description}`,
    parityWords(report.parity),
    clockWords(report.timing),
    `Measured peaks  ${digits(peaks.gflops)} GFLOP/s, ${digits(peaks.gbs)} GB/s`,
    `Memory  weights ${amount(memory.weightBytes, "B")}, activations ${amount(memory.activationBytes, "B")}`,
    ...report.stages.map(
      ({ name, coldMs, warm }) => `${name}  ${[coldMs === null ? [] : `first ${time(coldMs)}`, warm ? `then ${time(warm.median)}` : []].flat().join(", ")}`,
    ),
    "",
    graph("encode", encode),
    ...slowest(encode.kernels).map(kernel),
    "",
    graph("decode", decode),
    ...slowest(decode.kernels).map(kernel),
    ...(report.tuning ? ["", tuningText(report.tuning)] : []),
    ...(report.peer ? ["", peerText(report.peer)] : []),
  ].join("\n");
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")).join("\n");
}

function columns(rows: readonly Row[]): string {
  return aligned(rows.map(({ title, cells }) => [title, ...cells.map(({ text, change }) => (change ? `${text}, ${change}` : text))]));
}

function tuningText(tuning: NonNullable<BenchReport["tuning"]>): string {
  const { head, rows } = tuningTable(tuning);
  return aligned([head, ...rows]);
}

function peerText({ name, ours, variants, failed }: PeerReport): string {
  const times = ({ gpu, wall }: SummaryPair) => `${gpu ? `GPU ${time(gpu.median)}, ` : ""}wall ${time(wall.median)}`;
  return [
    `In turns with ${name}: ours encode ${times(ours.encode)}; decode ${times(ours.decode)}`,
    ...variants.map(
      (variant) =>
        `  ${variant.name}: encode ${times(variant.encode)}, ${variant.ratio.encode.toFixed(2)} times ours; ` +
        `decode ${times(variant.decode)}, ${variant.ratio.decode.toFixed(2)} times ours`,
    ),
    ...failed.map((one) => `  ${one.name}: not timed, ${one.reason}`),
  ].join("\n");
}

function comparison(before: BenchReport, now: BenchReport): string {
  const { encode, decode, caveats } = compare(before, now);
  const line = (name: string, { relative, noise, verdict }: typeof encode) =>
    `${name}  ${verdict}: ${relative >= 0 ? "+" : "−"}${percent(Math.abs(relative))}, noise ${percent(noise)}`;
  return ["", `Against the run of ${before.date}${caveats.length > 0 ? `, ${caveats.join(", ")}` : ""}`, line("encode", encode), line("decode", decode)].join(
    "\n",
  );
}
