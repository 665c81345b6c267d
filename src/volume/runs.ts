// Sets of pixels of one slice as runs: [begin, end, begin, end, …] of pixel numbers (row · columns + column), rising, never touching.
// A run may go on into the next row. Every operation takes time by the number of runs, not of pixels.

import { describe } from "../options.ts";
import { expectRuns, refused } from "./fail.ts";

export type Runs = Uint32Array;

export const NO_RUNS: Runs = new Uint32Array(0);

/** Pixels that are not 0. */
export function runsOf(mask: ArrayLike<number>): Runs {
  if (typeof mask?.length !== "number") throw refused("runsOf", "mask", "a value for each pixel", describe(mask), "Pass a mask's data.");
  const out: number[] = [];
  let inside = false;
  for (let i = 0; i < mask.length; i++) {
    const set = mask[i] !== 0;
    if (set !== inside) out.push(i);
    inside = set;
  }
  if (inside) out.push(mask.length);
  return Uint32Array.from(out);
}

/** The pixels of each value but 0. */
export function runsByValue(values: ArrayLike<number>): Map<number, Runs> {
  const found = new Map<number, number[]>();
  for (let begin = 0; begin < values.length; ) {
    const value = values[begin] as number;
    let end = begin + 1;
    while (end < values.length && values[end] === value) end++;
    if (value !== 0) {
      const edges = found.get(value) ?? [];
      found.set(value, edges);
      edges.push(begin, end);
    }
    begin = end;
  }
  return new Map([...found].map(([value, edges]) => [value, Uint32Array.from(edges)]));
}

/** Sets `value` at the pixels of the runs; the rest of `into` stays. */
export function paintRuns<T extends { fill(value: number, begin: number, end: number): unknown }>(runs: Runs, into: T, value = 1): T {
  expectRuns("paintRuns", runs);
  for (let i = 0; i < runs.length; i += 2) into.fill(value, runs[i] as number, runs[i + 1] as number);
  return into;
}

export function pixelCount(runs: Runs): number {
  expectRuns("pixelCount", runs);
  let count = 0;
  for (let i = 0; i < runs.length; i += 2) count += (runs[i + 1] as number) - (runs[i] as number);
  return count;
}

export function sameRuns(a: Runs, b: Runs): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

export function union(a: Runs, b: Runs): Runs {
  return combine("union", a, b, (inA, inB) => inA || inB);
}

export function difference(a: Runs, b: Runs): Runs {
  return combine("difference", a, b, (inA, inB) => inA && !inB);
}

export function intersection(a: Runs, b: Runs): Runs {
  return combine("intersection", a, b, (inA, inB) => inA && inB);
}

/** Walks both lists of edges at once; an edge comes out where the answer changes. */
function combine(op: string, a: Runs, b: Runs, keep: (inA: boolean, inB: boolean) => boolean): Runs {
  expectRuns(op, a, b);
  const out: number[] = [];
  let i = 0;
  let j = 0;
  let inside = false;
  while (i < a.length || j < b.length) {
    const at = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    while (i < a.length && a[i] === at) i++;
    while (j < b.length && b[j] === at) j++;
    const now = keep((i & 1) === 1, (j & 1) === 1);
    if (now !== inside) out.push(at);
    inside = now;
  }
  return Uint32Array.from(out);
}

/** `[x0, y0, x1, y1)` around all pixels, or null for none. */
export function boundsOf(runs: Runs, columns: number): [number, number, number, number] | null {
  expectRuns("boundsOf", runs);
  if (runs.length === 0) return null;
  let [x0, x1] = [columns, 0];
  for (let i = 0; i < runs.length; i += 2) {
    const [begin, end] = [runs[i] as number, (runs[i + 1] as number) - 1];
    if (Math.floor(begin / columns) !== Math.floor(end / columns)) [x0, x1] = [0, columns];
    else {
      x0 = Math.min(x0, begin % columns);
      x1 = Math.max(x1, (end % columns) + 1);
    }
  }
  return [x0, Math.floor((runs[0] as number) / columns), x1, Math.floor(((runs.at(-1) as number) - 1) / columns) + 1];
}

/** The runs cut at row ends: [row, first column, column after the last]. */
export function* rowRuns(runs: Runs, columns: number): Generator<readonly [row: number, begin: number, end: number]> {
  for (let i = 0; i < runs.length; i += 2) {
    for (let at = runs[i] as number, end = runs[i + 1] as number; at < end; ) {
      const row = Math.floor(at / columns);
      const stop = Math.min(end, (row + 1) * columns);
      yield [row, at - row * columns, stop - row * columns];
      at = stop;
    }
  }
}
