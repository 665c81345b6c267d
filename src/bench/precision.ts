// What the bench measures side by side. The engine is asked for a precision here and nowhere else.
import type { Engine, EngineOptions } from "../engine.ts";
import type { Choices, Target } from "../graph/target.ts";
import type { TuningReport } from "./report.ts";

export const PRECISIONS = ["f32", "f16", "int8"] as const;
export type Precision = (typeof PRECISIONS)[number];

export function isPrecision(name: string): name is Precision {
  return PRECISIONS.some((known) => known === name);
}

/** What makes `Engine.open` compute in this precision, kernels that are not pinned chosen anew: the bench shows what was tried. */
export function engineOptions(precision: Precision, pinned?: Choices, onTuned: () => void = () => undefined): EngineOptions {
  return { precision, tuning: { read: async () => pinned, write: async () => onTuned() } };
}

/** What makes `encodeGraph` and `decodeGraph` record in this precision. */
export function targetIn(target: Target, precision: Precision): Target {
  return { ...target, weights: precision };
}

/** What the tuner tried on this engine's device; empty where none ran. */
export function tuningOf({ tuned }: Engine): readonly TuningReport[] {
  return tuned.map(({ key, chosen, candidates }) => ({ shape: key, chosen, candidates }));
}

export interface Tolerance {
  /** Largest difference of the embedding, logits and scores from PyTorch, where embedding and logits are of the order of 1. */
  readonly golden: { readonly embedding: number; readonly logits: number; readonly scores: number };
  /** Least overlap with the masks of f32. */
  readonly maskIou: number;
  /** Largest error of a kernel over its CPU twin's largest value. */
  readonly kernel: number;
}

/**
 * f32: rounding in another order stays below 1e-5 in a kernel, a wrong index does not.
 * f16: 11 bits, so 5e-4 for each value stored; what reaches the logits is bounded by the masks' overlap as well.
 * int8: weights are off by up to 1/254 of their channel's largest; the kernel computes with them as exactly as in f32.
 */
export const TOLERANCES: Readonly<Record<Precision, Tolerance>> = {
  f32: { golden: { embedding: 2e-4, logits: 2e-4, scores: 2e-4 }, maskIou: 0.999, kernel: 1e-4 },
  f16: { golden: { embedding: 2e-2, logits: 1e-1, scores: 2e-2 }, maskIou: 0.995, kernel: 2e-3 },
  int8: { golden: { embedding: 5e-1, logits: 1, scores: 2e-1 }, maskIou: 0.98, kernel: 1e-4 },
};
