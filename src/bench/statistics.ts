// What is said of a row of measurements.

export interface Summary {
  readonly median: number;
  /** The nearest measured value that 95 % of all do not exceed. */
  readonly p95: number;
  readonly min: number;
  readonly max: number;
  /** Distance of the quartiles over the median: how far two equal runs may lie apart. */
  readonly spread: number;
  readonly count: number;
}

/** Linear between the two nearest ranks. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function summarise(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new Error("summarise: no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    median,
    p95: sorted[Math.ceil(0.95 * sorted.length) - 1] as number,
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    spread: median > 0 ? (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / median : 0,
    count: sorted.length,
  };
}

/** Below this relative difference nothing is said, however quiet the two runs were: machines drift by as much between runs. */
const DRIFT = 0.03;

export interface Difference {
  /** now / before - 1 */
  readonly relative: number;
  /** Differences smaller than this are noise. */
  readonly noise: number;
  readonly verdict: "faster" | "slower" | "same";
}

export function difference(before: Summary, now: Summary): Difference {
  const relative = before.median > 0 ? now.median / before.median - 1 : 0;
  const noise = Math.max(DRIFT, before.spread, now.spread);
  return { relative, noise, verdict: Math.abs(relative) <= noise ? "same" : relative < 0 ? "faster" : "slower" };
}
