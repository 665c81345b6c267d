// The bench's result: what the page shows, what both the page and the command line export. Version 1 of the schema.
import type { Counts } from "./counts.ts";
import { isPrecision, type Precision, PRECISIONS } from "./precision.ts";
import type { PeerReport } from "./peer.ts";
import type { Summary } from "./statistics.ts";
import type { ModelledTime } from "../graph/time_model.ts";

export const SCHEMA = "sam-med2d-bench";
export const SCHEMA_VERSION = 1;

export interface BenchReport {
  readonly schema: typeof SCHEMA;
  readonly version: typeof SCHEMA_VERSION;
  /** ISO 8601 */
  readonly date: string;
  readonly package: string;
  readonly environment: Environment;
  readonly adapter: AdapterReport;
  readonly precision: Precision;
  readonly model: { readonly name: string; readonly configuration: string; readonly weights: string; readonly synthetic: boolean };
  readonly image: { readonly width: number; readonly height: number };
  readonly runs: number;
  readonly timing: TimingReport;
  /** Measured by two probes before the kernels. */
  readonly peaks: { readonly gflops: number; readonly gbs: number };
  readonly memory: { readonly weightBytes: number; readonly activationBytes: number };
  readonly parity: ParityReport;
  /** From opening the weights to reading the result. */
  readonly stages: readonly StageReport[];
  readonly encode: GraphReport;
  readonly decode: GraphReport;
  /** Name of the device that the kernels' modelled times are of; absent on software adapters, which have no model. */
  readonly deviceModel?: string;
  /** Another implementation, timed in turns with this one. */
  readonly peer?: PeerReport;
  /** What the tuner tried, where one ran. */
  readonly tuning?: readonly TuningReport[];
  /** Precisions whose answers were wrong on this device, so that they were not timed. */
  readonly wrong?: readonly { readonly precision: Precision; readonly reason: string }[];
  /** Runs of the same session in other precisions. */
  readonly beside?: readonly BenchReport[];
}

/** The tuner's candidates for one shape of product. */
export interface TuningReport {
  /** As in the kernels: `256×768×3072`. */
  readonly shape: string;
  /** Of the candidate that is used. */
  readonly chosen: string;
  readonly candidates: readonly { readonly name: string; readonly ms: number }[];
}

export interface Environment {
  readonly runtime: "browser" | "node";
  /** User agent, or Node's version. */
  readonly agent: string;
  readonly platform: string;
  readonly cores: number;
}

export interface AdapterReport {
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly kind: "gpu" | "cpu";
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

export interface TimingReport {
  /** `timestamp`: GPU time. `wall`: from submit to done. */
  readonly method: "timestamp" | "wall";
  readonly quantumUs: number;
  readonly quantised: boolean;
  /** Of a submit without work, taken off wall-clock times. */
  readonly submitMs: number;
}

export interface ParityReport {
  /** Whole graphs against PyTorch; only for the synthetic checkpoints, whose answers are known. */
  readonly golden: readonly { readonly name: string; readonly maxAbsError: number; readonly tolerance: number }[];
  /** Distinct kernels checked against their CPU twins, of all distinct ones. */
  readonly checked: number;
  readonly kernels: number;
  readonly worst: { readonly label: string; readonly error: number } | null;
  readonly tolerance: number;
  /** Overlap of the masks with those of f32 in the same session, the worst of the three; absent where f32 was not run before. */
  readonly maskIou?: number;
}

export interface StageReport {
  readonly name: string;
  /** Milliseconds, the first time. */
  readonly coldMs: number | null;
  readonly warm: Summary | null;
}

export interface GraphReport extends Counts {
  readonly submits: number;
  /** The first run, milliseconds. */
  readonly coldMs: number;
  /** Median of `wall`. */
  readonly medianMs: number;
  /** Input written, graph run, output read: what a caller waits for. */
  readonly wall: Summary;
  /** GPU time of the graph in one pass; null without timestamps. */
  readonly gpu: Summary | null;
  /** On a device of the measured peaks. */
  readonly floorMs: number;
  /** By the time model, where the device has one: every dispatch and the gap before it. */
  readonly modelledMs?: number;
  readonly kernels: readonly KernelReport[];
}

export interface KernelReport {
  readonly index: number;
  /** Module path of the reference: `image_encoder.blocks.3.mlp.lin1`. */
  readonly label: string;
  readonly op: string;
  /** File in shaders/, and its tile sizes and switches. */
  readonly kernel: string;
  readonly constants: string;
  readonly shape: string;
  readonly workgroups: string;
  readonly flop: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly time: Summary;
  /** What the time model says of it, where the device has one. */
  readonly modelled?: ModelledTime;
  /** Dispatches between two readings of the clock. */
  readonly repeats: number;
  /** Of the sum over the graph. */
  readonly share: number;
  readonly gflops: number;
  readonly gbs: number;
  /** Of the measured peaks. */
  readonly ofGflops: number;
  readonly ofGbs: number;
  /** floorMs on the measured peaks over the median. */
  readonly ofFloor: number;
  /** Largest error against the CPU twin over the largest value; null where no twin was run. */
  readonly parity: number | null;
}

type Kind = "string" | "number" | "object" | "boolean";

/** Everything a comparison or a table reads; numbers must be finite, which JSON guarantees once they are numbers. */
const REQUIRED: Readonly<Record<string, Kind>> = {
  date: "string",
  package: "string",
  precision: "string",
  runs: "number",
  "environment.agent": "string",
  "adapter.description": "string",
  "model.name": "string",
  "model.configuration": "string",
  "timing.method": "string",
  "timing.quantumUs": "number",
  "peaks.gflops": "number",
  "peaks.gbs": "number",
  "memory.weightBytes": "number",
  "memory.activationBytes": "number",
  "parity.golden": "object",
  stages: "object",
  ...Object.fromEntries(
    ["encode", "decode"].flatMap((graph) =>
      ["dispatches", "submits", "flop", "bytes", "medianMs", "coldMs", "floorMs", "wall.median", "wall.spread"].map((field) => [`${graph}.${field}`, "number"]),
    ),
  ),
  "encode.kernels": "object",
  "decode.kernels": "object",
};

const KERNEL: Readonly<Record<string, Kind>> = {
  label: "string",
  op: "string",
  shape: "string",
  "time.median": "number",
  "time.p95": "number",
  "time.spread": "number",
  gflops: "number",
  gbs: "number",
};

function wrong(value: unknown, fields: Readonly<Record<string, Kind>>, where = ""): string[] {
  return Object.entries(fields).flatMap(([path, kind]) => {
    const found = path.split(".").reduce<unknown>((inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined), value);
    const fits = typeof found === kind && found !== null;
    return fits ? [] : [`${where}${path} must be a ${kind}, got ${found === null ? "null" : typeof found}`];
  });
}

function complaintsAbout(value: unknown, where = ""): string[] {
  const complaints = wrong(value, REQUIRED, where);
  if (complaints.length > 0) return complaints;
  const { precision, encode, decode, beside = [] } = value as BenchReport;
  if (!isPrecision(precision)) complaints.push(`${where}precision must be one of ${PRECISIONS.join(", ")}, got ${precision}`);
  for (const [graph, { kernels }] of Object.entries({ encode, decode })) {
    if (!Array.isArray(kernels)) complaints.push(`${where}${graph}.kernels must be a list`);
    else complaints.push(...kernels.flatMap((kernel, i) => wrong(kernel, KERNEL, `${where}${graph}.kernels[${i}].`)));
  }
  if (!Array.isArray(beside)) complaints.push(`${where}beside must be a list`);
  else complaints.push(...beside.flatMap((run, i) => complaintsAbout(run, `${where}beside[${i}].`)));
  return complaints;
}

/** A report and those saved with it, each without the others. */
export function runsOf({ beside = [], ...report }: BenchReport): BenchReport[] {
  return [report, ...beside.flatMap(runsOf)];
}

/** One file of several runs: the first is what a reader of a single run finds. */
export function together([first, ...beside]: readonly [BenchReport, ...BenchReport[]]): BenchReport {
  return beside.length > 0 ? { ...first, beside } : first;
}

/** A saved report; throws with every field that is wrong. */
export function parseReport(text: string): BenchReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("This is not a saved run: the file is not JSON.");
  }
  const facts = wrong(value, { schema: "string", version: "number" });
  const { schema, version } = (value ?? {}) as { schema?: unknown; version?: unknown };
  if (facts.length > 0 || schema !== SCHEMA) throw new Error(`This is not a saved run: schema must be ${SCHEMA}, got ${JSON.stringify(schema) ?? "none"}.`);
  if (version !== SCHEMA_VERSION) throw new Error(`This run is of schema version ${version}; this bench reads version ${SCHEMA_VERSION}. Measure it again.`);
  const complaints = complaintsAbout(value);
  if (complaints.length > 0) throw new Error(`This saved run is damaged: ${complaints.slice(0, 5).join("; ")}${complaints.length > 5 ? "; …" : ""}.`);
  return value as BenchReport;
}
