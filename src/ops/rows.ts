// What the decoder's fused kernels (shaders/shared/rows.wgsl) and their twins have in common: rows against weights that lie one behind
// the other in one tensor.
import type { Work } from "../graph/time_model.ts";
import type { TwinData } from "./twin.ts";

/** Most channels of a row: a workgroup has a thread for each. */
export const MOST_CHANNELS = 256;

/** Waits for weights in a product of `channels` with `columns` columns: eight channels at a time for each of the threads that share four columns. */
export function productWaits(channels: number, columns: number): number {
  return columns === 0 ? 0 : Math.ceil(channels / (8 * (columns > 128 ? 4 : 8)));
}

/** What a thread does that waits so often in products, and so often for something else. */
export function rowsWork(inProducts: number, others: number): Work {
  const steps = inProducts + others;
  return { threads: 256, steps, instructions: (340 * inProducts + 150 * others) / steps, registers: 160 };
}

/** row [K] by the matrix [K, columns] at `first` of the weights, plus the bias behind it. */
export function linearRow(row: ArrayLike<number>, weights: TwinData | undefined, first: number, columns: number): number[] {
  return Array.from({ length: columns }, (_, c) => {
    let sum = weights?.[first + row.length * columns + c] as number;
    for (let k = 0; k < row.length; k++) sum += (row[k] as number) * (weights?.[first + k * columns + c] as number);
    return sum;
  });
}

/** LayerNorm of a row, its weight at `first`, then its bias. */
export function normalise(row: readonly number[], weights: TwinData | undefined, first: number, eps: number): number[] {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value, c) => ((value - mean) / Math.sqrt(variance + eps)) * (weights?.[first + c] as number) + (weights?.[first + row.length + c] as number));
}
