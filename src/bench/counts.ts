// What a graph costs before anything is timed: dispatches, FLOP, bytes, and the time no device of given speed can beat.
import type { Dispatch, Graph } from "../graph/graph.ts";
import { plan } from "../graph/plan.ts";
import { byteLength } from "../graph/tensor.ts";

export interface Speed {
  /** GFLOP/s */
  readonly gflops: number;
  /** GB/s */
  readonly gbs: number;
}

export interface Counts {
  readonly dispatches: number;
  readonly flop: number;
  /** Every operand of every dispatch read or written once. */
  readonly bytes: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
}

export function countGraph(graph: Graph): Counts {
  return {
    dispatches: graph.dispatches.length,
    flop: graph.dispatches.reduce((sum, { flop }) => sum + flop, 0),
    bytes: graph.dispatches.reduce((sum, { bytes }) => sum + bytes, 0),
    weightBytes: graph.weights.reduce((sum, tensor) => sum + byteLength(tensor), 0),
    activationBytes: plan(graph).activationBytes,
  };
}

/** What is counted of a dispatch, recorded or reported. */
export type Cost = Pick<Dispatch, "op" | "flop" | "bytes">;

export interface OpCounts extends Cost {
  readonly dispatches: number;
}

/** Summed by op, the most work first. */
export function countOps(costs: readonly Cost[]): OpCounts[] {
  const byOp = new Map<string, OpCounts>();
  for (const { op, flop, bytes } of costs) {
    const sum = byOp.get(op) ?? { op, dispatches: 0, flop: 0, bytes: 0 };
    byOp.set(op, { op, dispatches: sum.dispatches + 1, flop: sum.flop + flop, bytes: sum.bytes + bytes });
  }
  return [...byOp.values()].sort((a, b) => b.flop - a.flop);
}

/** Milliseconds: the longer of its arithmetic and its traffic. */
export function floorMs({ flop, bytes }: Pick<Cost, "flop" | "bytes">, { gflops, gbs }: Speed): number {
  return Math.max(flop / gflops, bytes / gbs) / 1e6;
}

/** Milliseconds of all dispatches behind each other, none waiting for another, none with a cost of its own. */
export function totalFloorMs(costs: readonly Cost[], speed: Speed): number {
  return costs.reduce((sum, cost) => sum + floorMs(cost, speed), 0);
}

/** Shape of a dispatch for people: the product a kernel computes, or what it writes. */
export function shapeOf({ params, reads, writes }: Dispatch): string {
  const out = Object.values(writes)[0]?.shape.join("×") ?? "";
  const { m, n4, k4, taps = 1 } = params;
  if (m === undefined || n4 === undefined || k4 === undefined) {
    const given = Object.values(reads)[0]?.shape.join("×") ?? "";
    return given === out ? out : `${given} → ${out}`;
  }
  return `${m}×${k4 * 4}${taps > 1 ? `·${taps}` : ""}×${n4 * 4}`;
}
