// What the time model says of a recorded run, dispatch by dispatch: as rows for a table, and as the JSON of `bench --count`.
import type { Graph } from "../graph/graph.ts";
import { submitEnds } from "../graph/plan.ts";
import {
  type DeviceModel,
  DEVICE_MODELS,
  type Limit,
  modelledMs,
  modelledTime,
  SLOW_GPU_FLOP_PER_MS,
  SUBMIT_BUDGET_MS,
  threadsOf,
} from "../graph/time_model.ts";
import { shapeOf } from "./counts.ts";

export interface ModelledDispatch {
  readonly op: string;
  readonly label: string;
  readonly shape: string;
  /** The variant, where the op has several. */
  readonly variant?: string;
  readonly workgroups: readonly number[];
  readonly threads: number;
  readonly fill: number;
  /** Microseconds. */
  readonly us: number;
  readonly limit: Limit;
}

export interface ModelledGraph {
  readonly dispatches: number;
  readonly modelledMs: number;
  /** The longest submit of a run on a device of which nothing was learned yet, modelled. */
  readonly longestSubmitMs: number;
  readonly flop: number;
  readonly bytes: number;
  readonly kernels: readonly ModelledDispatch[];
}

export function modelledGraph(graph: Graph, device: DeviceModel): ModelledGraph {
  const { dispatches, target } = graph;
  const ends = submitEnds(graph, SLOW_GPU_FLOP_PER_MS, SUBMIT_BUDGET_MS);
  const longestSubmitMs = Math.max(...ends.map((end, i) => modelledMs(dispatches.slice(ends[i - 1] ?? 0, end), device)));
  const kernels = dispatches.map((dispatch): ModelledDispatch => {
    const { op, label, workgroups, choice } = dispatch;
    const variant = choice && (target.choices?.[choice.key] ?? choice.candidates[0]);
    const { us, fill, limit } = modelledTime(dispatch, device);
    return { op, label, shape: shapeOf(dispatch), ...(variant ? { variant } : {}), workgroups, threads: threadsOf(dispatch), fill, us, limit };
  });
  const sum = (of: (dispatch: (typeof dispatches)[number]) => number) => dispatches.reduce((total, dispatch) => total + of(dispatch), 0);
  return {
    dispatches: dispatches.length,
    modelledMs: modelledMs(dispatches, device),
    longestSubmitMs,
    flop: sum(({ flop }) => flop),
    bytes: sum(({ bytes }) => bytes),
    kernels,
  };
}

export const MODELLED_HEAD = ["kernel", "shape", "variant", "", "workgroups", "fill", "each", "limit"] as const;

/** Dispatches alike in everything the model sees, as one row with their number, in the order in which the first of them runs. */
export function modelledRows({ kernels }: ModelledGraph): string[][] {
  const rows = new Map<string, { first: ModelledDispatch; count: number }>();
  for (const kernel of kernels) {
    const { op, shape, variant, workgroups, threads, us } = kernel;
    const key = [op, shape, variant, workgroups, threads, us].join(" ");
    const row = rows.get(key);
    if (row) row.count++;
    else rows.set(key, { first: kernel, count: 1 });
  }
  return [...rows.values()].map(({ first: { op, shape, variant, workgroups, threads, us, fill, limit }, count }) => [
    op,
    shape,
    variant ?? "",
    `${count} ×`,
    `${workgroups.reduce((all, side) => all * side)} × ${threads}`,
    `${Math.round(100 * fill)} %`,
    `${us.toFixed(1)} µs`,
    limit,
  ]);
}

export function modelledText(name: string, graph: ModelledGraph, { name: device, gapUs }: DeviceModel): string {
  const table = [[...MODELLED_HEAD], ...modelledRows(graph)];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => (i < 3 || i === 7 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const gaps = `${graph.dispatches} gaps of ${gapUs} µs`;
  return [
    `${name} on ${device}, modelled: ${graph.modelledMs.toFixed(2)} ms with ${gaps}; longest submit ${graph.longestSubmitMs.toFixed(0)} ms`,
    ...lines,
  ].join("\n");
}

const FIELDS = ["units", "issues", "ghz", "gbs", "latency", "registers", "threads", "launchUs", "gapUs"] as const;

/** A device by its name, or described by JSON with the fields of `DeviceModel`; a sentence where it is neither. */
export function parseDeviceModel(name: string, json?: string): DeviceModel | string {
  if (json === undefined) {
    return Object.hasOwn(DEVICE_MODELS, name)
      ? DEVICE_MODELS[name as keyof typeof DEVICE_MODELS]
      : `must be one of ${Object.keys(DEVICE_MODELS).join(", ")} or a JSON file; got ${name}`;
  }
  let value: unknown;
  try {
    value = JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch {
    return `${name} is no JSON; expected an object with the numbers ${FIELDS.join(", ")}`;
  }
  const fields = (value ?? {}) as Record<string, unknown>;
  const wrong = FIELDS.filter((field) => typeof fields[field] !== "number" || !Number.isFinite(fields[field]) || (fields[field] as number) < 0);
  const zero = FIELDS.slice(0, 7).filter((field) => !wrong.includes(field) && fields[field] === 0);
  if (wrong.length > 0 || zero.length > 0) return `${name} must give numbers above 0 for ${FIELDS.join(", ")}; wrong: ${[...wrong, ...zero].join(", ")}`;
  return { ...(fields as unknown as DeviceModel), name: typeof fields["name"] === "string" ? fields["name"] : name };
}
