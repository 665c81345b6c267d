// How a predicted mask compares with what was drawn.
import type { Box, Mask } from "../../src/index.ts";
import type { Drawing, Structure } from "../open/samples.ts";
import type { Study } from "../state.ts";

export interface Fit {
  readonly structure: Structure;
  readonly dice: number;
}

/** Twice the common pixels as a share of both masks' pixels, each 0 or 1; two empty masks agree. */
export function dice(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new RangeError(`masks of one size are compared, not of ${a.length} and ${b.length} pixels`);
  let both = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    both += (a[i] as number) & (b[i] as number);
    sum += (a[i] as number) + (b[i] as number);
  }
  return sum === 0 ? 1 : (2 * both) / sum;
}

const fits = new WeakMap<Mask, Fit | null>();

/** The structure that overlaps the mask best, or null where none does; found once for a mask, which is of one image only. */
export function closest(mask: Mask, structures: readonly Structure[]): Fit | null {
  let best = fits.get(mask);
  if (best === undefined) {
    best = null;
    for (const structure of structures) {
      const score = dice(mask.data, structure.mask);
      if (score > (best?.dice ?? 0)) best = { structure, dice: score };
    }
    fits.set(mask, best);
  }
  return best;
}

/** The half-open box around all that is set. */
export function boundsOf(mask: Uint8Array, width: number): Box {
  let [x0, y0, x1, y1] = [width, Math.floor(mask.length / width), 0, 0];
  for (let i = mask.indexOf(1); i !== -1; i = mask.indexOf(1, i + 1)) {
    const x = i % width;
    const y = (i - x) / width;
    x0 = Math.min(x0, x);
    y0 = Math.min(y0, y);
    x1 = Math.max(x1, x + 1);
    y1 = y + 1;
  }
  return [x0, y0, x1, y1];
}

/** What to try on a sample: its first structure, by the box that fits it. */
export function suggestionOf(what: string, { picture, structures }: Drawing): Study["suggestion"] {
  return structures[0] ? { what, box: boundsOf(structures[0].mask, picture.width) } : null;
}
