// How often threads of the decoder's attentions wait, for the time model.
import type { Work } from "../graph/time_model.ts";

/** Keys of a lane whose channels are on their way at once, where lanes share keys. */
export const AHEAD = 2;

/** A wait for a few keys of a lane; then the query's lanes are merged in pairs. */
export function workOf(width: number, keys: number, lanes: number, threads: number): Work {
  const ahead = lanes > 1 ? AHEAD : 1;
  const steps = 1 + Math.ceil(keys / lanes / ahead);
  return { threads, steps, instructions: ahead * (30 + width * 2) + (Math.log2(lanes) * (30 + 2 * width)) / steps, registers: 2 * width * (1 + ahead) + 32 };
}

/** In an attention block keys come in rounds of as many as threads have scores for: waits for 32 channels of the head, then for the values of eight keys. */
export function attendWaits(keys: number, heads: number, width: number): number {
  const round = 128 / heads;
  return Math.ceil(keys / round) * (Math.ceil(width / 32) + Math.ceil(Math.min(keys, round) / 8));
}
