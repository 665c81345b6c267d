// How well a mask fits the truth, and what many such numbers say together.
import { Random } from "./random.ts";

/** Of the published evaluation: an empty mask against an empty truth counts as a perfect fit. */
const EPS = 1e-7;

export interface Overlap {
  readonly dice: number;
  readonly iou: number;
}

/** Both 0 or 1, of one size. */
export function overlap(mask: Uint8Array, truth: Uint8Array): Overlap {
  let both = 0;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) {
    const a = mask[i] as number;
    const b = truth[i] as number;
    both += a & b;
    sum += a + b;
  }
  return { dice: (2 * both + EPS) / (sum + EPS), iou: (both + EPS) / (sum - both + EPS) };
}

export interface Summary {
  readonly mean: number;
  readonly median: number;
  /** 95 % interval of the mean. */
  readonly ci95: readonly [low: number, high: number];
}

const RESAMPLES = 1000;

/** Of at least one value. The interval is the 2.5 % and 97.5 % quantiles of the means of resampled values, drawn with replacement. */
export function summarise(values: readonly number[], seed: number): Summary {
  if (values.length === 0) throw new RangeError("summarise: expected at least one value, got none");
  const random = new Random(seed, `bootstrap ${values.length}`);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[random.below(values.length)] as number;
    return sum / values.length;
  });
  return { mean: mean(values), median: quantile(values, 0.5), ci95: [quantile(means, 0.025), quantile(means, 0.975)] };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Linear between the two nearest values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = share * (sorted.length - 1);
  const low = sorted[Math.floor(position)] as number;
  const high = sorted[Math.ceil(position)] as number;
  return low + (high - low) * (position - Math.floor(position));
}
