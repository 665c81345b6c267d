// How a mask compares with what was drawn.
import type { Box } from "../../src/index.ts";
import { boundsOf, intersection, pixelCount, type Runs } from "../../src/volume/index.ts";
import type { Case, Truth } from "./case.ts";

export interface Fit {
  readonly truth: Truth;
  readonly dice: number;
}

/** Twice the common pixels as a share of both masks' pixels; two empty masks agree. */
export function dice(a: Runs, b: Runs): number {
  const sum = pixelCount(a) + pixelCount(b);
  return sum === 0 ? 1 : (2 * pixelCount(intersection(a, b))) / sum;
}

const fits = new WeakMap<Runs, { readonly of: readonly Truth[]; readonly best: Fit | null }>();

/** The true mask that overlaps the mask best, or null where none does; found once for a mask and the truths there are. */
export function closest(mask: Runs, truths: readonly Truth[]): Fit | null {
  const known = fits.get(mask);
  if (known && known.of.length === truths.length && known.of.every((truth, i) => truth === truths[i])) return known.best;
  let best: Fit | null = null;
  for (const truth of truths) {
    const score = dice(mask, truth.runs);
    if (score > (best?.dice ?? 0)) best = { truth, dice: score };
  }
  fits.set(mask, { of: truths, best });
  return best;
}

/** What to try on a sample: its first structure, by the box that fits it. */
export function suggestionOf(what: string, width: number, [first]: readonly Truth[]): Case["suggestion"] {
  const box = first && boundsOf(first.runs, width);
  return box ? { what, box: box as Box } : null;
}
