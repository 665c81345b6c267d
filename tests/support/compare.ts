// Two arrays of numbers that should be alike: the largest error, where it is, and a failure that says so.
import type { Shape } from "../../src/graph/tensor.ts";

export interface Difference {
  /** Largest |got - want|; infinite where either is not a finite number. */
  readonly error: number;
  readonly index: number;
  /** Elements further apart than the bound. */
  readonly beyond: number;
}

export function difference(got: ArrayLike<number>, want: ArrayLike<number>, bound = Number.POSITIVE_INFINITY): Difference {
  let [error, index, beyond] = [0, 0, 0];
  for (let i = 0; i < want.length; i++) {
    const apart = Math.abs((got[i] as number) - (want[i] as number));
    const distance = Number.isFinite(apart) ? apart : Number.POSITIVE_INFINITY;
    if (distance > bound) beyond++;
    if (distance > error) [error, index] = [distance, i];
  }
  return { error, index, beyond };
}

/** A number that was held against its bound. */
export interface Comparison {
  readonly label: string;
  readonly error: number;
  readonly bound: number;
}

let observer: ((comparison: Comparison) => void) | undefined;

/** `observe` is told of every comparison from now on, whatever comes of it. */
export function observeComparisons(observe: (comparison: Comparison) => void): void {
  observer = observe;
}

export function noteComparison(label: string, error: number, bound: number): void {
  observer?.({ label, error, bound });
}

/** Throws unless both are as long and no two elements are further apart than `bound`; gives the largest error. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, { label, bound, shape }: { label: string; bound: number; shape?: Shape }): number {
  if (got.length !== want.length) throw new Error(`${label}: ${got.length} values for ${want.length}`);
  const { error, index, beyond } = difference(got, want, bound);
  noteComparison(label, error, bound);
  if (error <= bound) return error;
  const at = `[${position(index, shape ?? [want.length]).join(", ")}]`;
  throw new Error(
    `${label}: largest error ${error.toExponential(2)} > ${bound.toExponential(2)} at ${at}: got ${got[index]}, want ${want[index]}; ${beyond} of ${want.length} beyond`,
  );
}

/** Row-major index → one for each axis. */
function position(index: number, shape: Shape): number[] {
  const at: number[] = [];
  let rest = index;
  for (const side of [...shape].reverse()) {
    at.unshift(rest % side);
    rest = Math.floor(rest / side);
  }
  return at;
}
