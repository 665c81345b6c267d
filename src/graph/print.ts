// A graph as text: stage, op, shapes, FLOP, bytes, buffer.
import { formatShape } from "../errors.ts";
import type { Dispatch, Graph } from "./graph.ts";
import { plan } from "./plan.ts";
import type { Tensor } from "./tensor.ts";

export interface Row {
  readonly label: string;
  readonly op: string;
  readonly kernel: string;
  readonly shapes: string;
  readonly workgroups: string;
  readonly flop: number;
  readonly bytes: number;
  /** Slot of each output: `#3`. */
  readonly buffer: string;
}

export function rows(graph: Graph): Row[] {
  const { slotOf } = plan(graph);
  const shapes = (tensors: Readonly<Record<string, Tensor>>) =>
    Object.entries(tensors)
      .filter(([, tensor]) => tensor.label !== "none" && tensor.label !== "sink")
      .map(([name, tensor]) => `${name}${formatShape(tensor.shape)}`)
      .join(" ");
  return graph.dispatches.map((dispatch: Dispatch) => ({
    label: dispatch.label,
    op: dispatch.op,
    kernel: dispatch.shader.name,
    shapes: `${shapes(dispatch.reads)} -> ${shapes(dispatch.writes)}`,
    workgroups: dispatch.workgroups.join("x"),
    flop: dispatch.flop,
    bytes: dispatch.bytes,
    buffer: Object.values(dispatch.writes)
      .filter(({ label }) => label !== "sink")
      .map((tensor) => `#${slotOf.get(tensor)}`)
      .join(" "),
  }));
}

export function print(graph: Graph): string {
  const { slots, activationBytes } = plan(graph);
  const lines = rows(graph).map((row) => [
    row.label,
    row.op,
    row.workgroups,
    (row.flop / 1e6).toFixed(1),
    (row.bytes / 1e6).toFixed(2),
    row.buffer,
    row.shapes,
  ]);
  const head = ["stage", "op", "workgroups", "MFLOP", "MB", "buffer", "shapes"];
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => (line[column] as string).length)));
  const format = (line: string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join("  ")
      .trimEnd();
  const total = graph.dispatches.reduce((sum, dispatch) => sum + dispatch.flop, 0);
  return [
    format(head),
    ...lines.map(format),
    `${graph.label}: ${graph.dispatches.length} dispatches, ${(total / 1e9).toFixed(2)} GFLOP, ${slots.length} buffers, ${(activationBytes / 1e6).toFixed(2)} MB of activations`,
  ].join("\n");
}
