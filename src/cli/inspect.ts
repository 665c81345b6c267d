// inspect: what a checkpoint is, without loading it.
import { stat } from "node:fs/promises";
import { type Checkpoint, type StoredTensor, storedBytes } from "../checkpoint/checkpoint.ts";
import { unreadError, unreadTensors, unreadWords, wholeWords } from "../checkpoint/unread.ts";
import { compareTensors, type TensorReport } from "../checkpoint/names.ts";
import { synthetic } from "../checkpoint/synthetic.ts";
import { formatShape, SamError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { print, type Row, rows as graphRows } from "../graph/print.ts";
import { GPU_TARGET } from "../graph/target.ts";
import { elements } from "../graph/tensor.ts";
import { type Config, detectConfig, VIT_B } from "../model/config.ts";
import { fetchFamily, fetchVit } from "../model/families.ts";
import type { TinyVitStage } from "../model/families/tiny_vit_config.ts";
import { inputOf, inputText } from "../model/input.ts";
import { modelName } from "../model/name.ts";
import { decodeGraph, encodeGraph, expectedTensors } from "../model/network.ts";
import type { Environment } from "./environment.ts";
import { CommandError } from "./usage.ts";
import { isFile, openWeights } from "./weights.ts";

export interface InspectOptions {
  readonly tensors?: boolean;
  readonly graph?: boolean;
  readonly json?: boolean;
  /** Tensors that change the answer and are not read make the file unusable. */
  readonly strict?: boolean;
}

/** What `--json` prints. */
interface Report {
  readonly file: string;
  readonly format: string;
  /** Of the one file on the disk. */
  readonly fileBytes?: number;
  /** Whether segment would take it. */
  readonly usable: boolean;
  readonly model?: string;
  readonly config?: Config;
  readonly input?: string;
  readonly problem?: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly dtypes: Readonly<Record<string, number>>;
  readonly missing: TensorReport["missing"];
  readonly misshaped: TensorReport["misshaped"];
  readonly unknown: readonly string[];
  /** Of the unknown and the refused, those that change the answer. */
  readonly unread: readonly string[];
  /** Where in the file the network was found; empty at the top. */
  readonly place: string;
  /** Whose names the tensors have in the file. */
  readonly naming: "reference" | "transformers";
  /** What was chosen among several, and the like. */
  readonly notices: readonly string[];
  /** Tensors that cannot be read, and why. */
  readonly refused: Readonly<Record<string, string>>;
  readonly list?: readonly StoredTensor[];
  /** One entry a dispatch. */
  readonly graphs?: Readonly<Record<string, readonly Row[]>>;
}

/** Prints to stdout; throws when the checkpoint is not usable, so that the exit code says so. */
export async function inspect(weights: string, options: InspectOptions, environment: Environment): Promise<void> {
  const notices: string[] = [];
  const opened = await openWeights(weights, environment.signal, undefined, (notice) => notices.push(notice));
  await fetchVit();
  const checkpoint = typeof opened === "string" ? synthetic(Number(opened.slice("synthetic:".length)), expectedTensors(VIT_B)) : opened;
  try {
    const size = isFile(weights) && !weights.endsWith(".json") ? (await stat(weights)).size : undefined;
    const looked = await look(checkpoint, options.tensors === true, notices);
    const graphs = options.graph && looked.config ? recorded(looked.config) : [];
    const report: Report = {
      ...looked,
      ...(size === undefined ? {} : { fileBytes: size }),
      ...(graphs.length > 0 ? { graphs: Object.fromEntries(graphs.map((graph) => [graph.label, graphRows(graph)])) } : {}),
    };
    environment.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : [text(report), ...graphs.map((graph) => `${print(graph)}\n`)].join("\n"));
    if (options.strict && report.unread.length > 0) throw unreadError(report.file, report.unread);
    if (!report.usable) throw new CommandError(report.problem ?? `${report.file} is not usable: tensors are missing or of another shape`);
  } finally {
    await checkpoint.close();
  }
}

/** As the file has it. */
function dtypeOf({ dtype, stored }: StoredTensor): string {
  return stored === undefined ? dtype : stored === "int8" ? "I8" : stored;
}

async function look(checkpoint: Checkpoint, list: boolean, notices: readonly string[]): Promise<Report> {
  const tensors = [...checkpoint.tensors.values()];
  const dtypes: Record<string, number> = {};
  for (const tensor of tensors) dtypes[dtypeOf(tensor)] = (dtypes[dtypeOf(tensor)] ?? 0) + 1;
  const sum = (of: (tensor: StoredTensor) => number) => tensors.reduce((total, tensor) => total + of(tensor), 0);
  const measured = {
    file: checkpoint.label,
    format: checkpoint.format ?? "unknown",
    tensors: tensors.length,
    parameters: sum(({ shape }) => elements(shape)),
    bytes: sum(storedBytes),
    dtypes,
    refused: Object.fromEntries(checkpoint.refused ?? []),
    place: checkpoint.place ?? "",
    naming: checkpoint.naming ?? ("reference" as const),
    notices,
    ...(list ? { list: tensors } : {}),
  };
  try {
    await fetchFamily(checkpoint.tensors);
    const config = detectConfig(checkpoint.label, checkpoint.tensors, { metadata: checkpoint.metadata, refused: checkpoint.refused });
    const input = await inputOf(config, checkpoint);
    const compared = compareTensors(checkpoint, expectedTensors(config));
    const whole = wholeWords(checkpoint);
    const usable = compared.missing.length === 0 && compared.misshaped.length === 0;
    return {
      ...measured,
      ...compared,
      notices: [...notices, ...(whole ? [whole] : [])],
      // What the network has and the file holds unreadably is among the missing.
      unread: unreadTensors(checkpoint, compared.unknown, (name) => compared.missing.some((tensor) => tensor.name === name)),
      config,
      input: inputText(input),
      model: modelName(config, checkpoint.tensors, input.name),
      usable,
    };
  } catch (error) {
    if (!(error instanceof SamError)) throw error;
    return { ...measured, usable: false, problem: error.message, missing: [], misshaped: [], unknown: [], unread: [] };
  }
}

/** Encode, and decode of one point to a mask at the model's own size: what a GPU gets. */
function recorded(config: Config): Graph[] {
  const { imageSize } = config;
  const upsample = { width: imageSize, height: imageSize, left: 0, top: 0, resize: true, spanX: imageSize, spanY: imageSize };
  // A point without a box has a padding point behind it.
  const decode = { batch: 1, tokens: 2, multimask: true, upsample };
  return [encodeGraph(config, GPU_TARGET).graph, decodeGraph(config, decode, GPU_TARGET).graph];
}

function text(report: Report): string {
  const { config, missing, misshaped, unknown, list } = report;
  const dtypes = Object.entries(report.dtypes).map(([dtype, count]) => `${count} ${dtype}`);
  const { what, remedy } = unreadWords(report.unread);
  const rows: [string, string][] = [
    ...(report.unread.length > 0 ? [["warning", `${what}. ${remedy}`] as [string, string]] : []),
    ...report.notices.map((notice): [string, string] => ["note", notice]),
    ["file", `${report.file} (${report.format}${report.fileBytes === undefined ? "" : `, ${(report.fileBytes / 1e6).toFixed(1)} MB`})`],
    ["model", report.model ?? "not a network of this family"],
  ];
  if (report.naming === "transformers") rows.push(["names", "those of transformers"]);
  if (config) {
    rows.push(
      ["encoder", encoderText(config)],
      ["image", `${config.imageSize}×${config.imageSize}, ${config.grid}×${config.grid} tokens`],
      ["adapters", config.adapters ? "yes" : "no"],
      ["input", report.input ?? ""],
    );
  }
  rows.push([
    "tensors",
    `${report.tensors} (${dtypes.join(", ") || "none"}), ${(report.parameters / 1e6).toFixed(2)} M values, ${(report.bytes / 1e6).toFixed(1)} MB`,
  ]);
  if (config) {
    rows.push(
      ["missing", missing.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(", ") || "none"],
      ["wrong shape", misshaped.map(({ name, expected, got }) => `${name} ${formatShape(got)}, expected ${formatShape(expected)}`).join(", ") || "none"],
      ["unknown", unknown.join(", ") || "none"],
    );
  }
  const refused = Object.entries(report.refused).map(([name, what]) => `${name} ${what}`);
  if (refused.length > 0) rows.push(["not loaded", refused.join(", ")]);
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
  if (list) lines.push("", ...table(list));
  return `${lines.join("\n")}\n`;
}

function encoderText(config: Config): string {
  if (config.family === "tiny_vit") {
    const row = (of: (stage: TinyVitStage) => number) => config.stages.map(of).join(" ");
    const windows = config.stages.map(({ window }) => window || "–").join(" ");
    return `TinyViT, widths ${row(({ width }) => width)}, depths ${row(({ depth }) => depth)}, windows ${windows}, ${config.patchKernel}×${config.patchKernel} patch convolutions`;
  }
  return `width ${config.width}, depth ${config.depth}, ${config.heads} heads, patch ${config.patch}, window ${config.window}, global blocks ${config.globalBlocks.join(" ") || "none"}`;
}

function table(list: readonly StoredTensor[]): string[] {
  const width = Math.max(...list.map(({ name }) => name.length));
  return list.map((tensor) => `${tensor.name.padEnd(width)}  ${dtypeOf(tensor).padEnd(4)}  ${formatShape(tensor.shape)}  ${storedBytes(tensor)} bytes`);
}
