// The counts as text: what a run costs on paper, before any device is asked.
import type { Graph } from "../graph/graph.ts";
import { type Cost, countGraph, countOps, type Speed, totalFloorMs } from "./counts.ts";
import { amount, time } from "./numbers.ts";

/** A graph that was recorded, or one that was reported. */
export interface Counted {
  readonly costs: readonly Cost[];
  readonly weightBytes: number;
  readonly activationBytes: number;
}

export function counted(graph: Graph): Counted {
  return { costs: graph.dispatches, ...countGraph(graph) };
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number)))
      .join("  ")
      .trimEnd(),
  );
}

/** Dispatches, FLOP and bytes by op, and where a speed is given the floor on a device of that speed. */
export function countsText(graphs: Readonly<Record<string, Counted>>, speed: Speed | undefined): string {
  const lines = Object.entries(graphs).flatMap(([name, { costs, weightBytes, activationBytes }]) => {
    const row = (title: string, dispatches: number, flop: number, bytes: number) => [title, String(dispatches), amount(flop, "FLOP"), amount(bytes, "B")];
    const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
    const rows = countOps(costs).map(({ op, dispatches, flop, bytes }) => row(op, dispatches, flop, bytes));
    const all = row(
      "all",
      costs.length,
      sum(({ flop }) => flop),
      sum(({ bytes }) => bytes),
    );
    const memory = `weights ${amount(weightBytes, "B")}, activations ${amount(activationBytes, "B")}`;
    const floor = speed
      ? [
          `floor at ${speed.gflops} GFLOP/s and ${speed.gbs} GB/s: ${time(totalFloorMs(costs, speed))}; each dispatch takes the longer of its work and its traffic`,
        ]
      : [];
    return [...table([[name, "dispatches", "work", "traffic"], ...rows, all]), memory, ...floor, ""];
  });
  return lines.join("\n");
}
