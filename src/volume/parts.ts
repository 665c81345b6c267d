// What belongs together in one slice: connected parts, holes, islands. On runs, by rows, without a picture in between.
import { expectRuns } from "./fail.ts";
import { difference, intersection, NO_RUNS, pixelCount, type Runs, rowRuns, union } from "./runs.ts";

/** Parts that touch by an edge (4 neighbours) or, `corners`, by a corner too (8), from the largest to the smallest. */
export function connectedParts(runs: Runs, columns: number, corners = false): Runs[] {
  expectRuns("connectedParts", runs);
  const pieces = [...rowRuns(runs, columns)];
  const parent = pieces.map((_, i) => i);
  const root = (i: number) => rootOf(parent, i);
  const reach = corners ? 1 : 0;
  let above = 0;
  for (let i = 0; i < pieces.length; i++) {
    const [row, begin, end] = pieces[i] as (typeof pieces)[number];
    while (above < i && ((pieces[above] as (typeof pieces)[number])[0] < row - 1 || isBefore(pieces[above] as (typeof pieces)[number], row, begin - reach)))
      above++;
    for (let j = above; j < i; j++) {
      const [otherRow, otherBegin, otherEnd] = pieces[j] as (typeof pieces)[number];
      if (otherRow !== row - 1 || otherBegin >= end + reach) break;
      if (otherEnd > begin - reach) parent[root(i)] = root(j);
    }
  }
  const parts = new Map<number, number[]>();
  pieces.forEach(([row, begin, end], i) => {
    const key = root(i);
    const part = parts.get(key) ?? [];
    parts.set(key, part);
    const [from, to] = [row * columns + begin, row * columns + end];
    // Pieces of one run that went on into the next row are one again.
    if (part.at(-1) === from) part[part.length - 1] = to;
    else part.push(from, to);
  });
  return [...parts.values()].map((part) => Uint32Array.from(part)).sort((a, b) => pixelCount(b) - pixelCount(a) || (a[0] as number) - (b[0] as number));
}

/** Whom a member of a set of sets stands for: the way there is halved as it is walked. */
function rootOf(parent: number[], i: number): number {
  let at = i;
  while (parent[at] !== at) {
    parent[at] = parent[parent[at] as number] as number;
    at = parent[at] as number;
  }
  return at;
}

/** In the row above `row`, and ends before what begins at `begin`: it touches nothing that comes later either. */
function isBefore([row, , end]: readonly [number, number, number], below: number, begin: number): boolean {
  return row === below - 1 && end <= begin;
}

/** Everything that the picture's edge does not reach without crossing the runs. */
export function fillHoles(runs: Runs, columns: number, rows: number): Runs {
  expectRuns("fillHoles", runs);
  const outside = difference(Uint32Array.of(0, columns * rows), runs);
  let filled = runs;
  for (const part of connectedParts(outside, columns)) {
    const touches = [...rowRuns(part, columns)].some(([row, begin, end]) => row === 0 || row === rows - 1 || begin === 0 || end === columns);
    if (!touches) filled = union(filled, part);
  }
  return filled;
}

export function keepLargest(runs: Runs, columns: number): Runs {
  expectRuns("keepLargest", runs);
  return connectedParts(runs, columns, true)[0] ?? NO_RUNS;
}

/** Without parts of fewer than `pixels` pixels: mm² over the area of one. */
export function dropIslands(runs: Runs, columns: number, pixels: number): Runs {
  expectRuns("dropIslands", runs);
  return connectedParts(runs, columns, true)
    .filter((part) => pixelCount(part) >= pixels)
    .reduce(union, NO_RUNS);
}

/** Parts of several slices that touch: within a slice by edges (`corners`: by corners too), to the next slice by a pixel they share (or by corners). The largest first. */
export function connectedVolumes(stack: ReadonlyMap<number, Runs>, columns: number, corners = false): Map<number, Runs>[] {
  const pieces = [...stack.keys()]
    .sort((a, b) => a - b)
    .flatMap((slice) => connectedParts(stack.get(slice) as Runs, columns, corners).map((runs) => ({ slice, runs })));
  const group = pieces.map((_, i) => i);
  const root = (i: number) => rootOf(group, i);
  for (const [i, { slice, runs }] of pieces.entries()) {
    const reached = corners ? widened(runs, columns) : runs;
    for (let j = i - 1; j >= 0 && (pieces[j] as (typeof pieces)[number]).slice >= slice - 1; j--) {
      const other = pieces[j] as (typeof pieces)[number];
      if (other.slice === slice - 1 && intersection(reached, other.runs).length > 0) group[root(i)] = root(j);
    }
  }
  const parts = new Map<number, Map<number, Runs>>();
  for (const [i, { slice, runs }] of pieces.entries()) {
    const part = parts.get(root(i)) ?? new Map<number, Runs>();
    parts.set(root(i), part);
    part.set(slice, union(part.get(slice) ?? NO_RUNS, runs));
  }
  const size = (part: Map<number, Runs>) => [...part.values()].reduce((sum, runs) => sum + pixelCount(runs), 0);
  return [...parts.values()]
    .map((part) => ({ part, voxels: size(part) }))
    .sort((a, b) => b.voxels - a.voxels)
    .map(({ part }) => part);
}

/** With all eight neighbours. */
function widened(runs: Runs, columns: number): Runs {
  const wide: number[] = [];
  for (const [row, begin, end] of rowRuns(runs, columns)) {
    const [from, to] = [row * columns + Math.max(0, begin - 1), row * columns + Math.min(columns, end + 1)];
    if (wide.length > 0 && from <= (wide.at(-1) as number)) wide[wide.length - 1] = to;
    else wide.push(from, to);
  }
  const row = Uint32Array.from(wide);
  const below = row.map((edge) => edge + columns);
  const above = row.map((edge) => Math.max(0, edge - columns));
  return union(union(row, below), nonEmpty(above));
}

function nonEmpty(runs: Runs): Runs {
  return runs.filter((edge, i) => (i % 2 === 0 ? edge < (runs[i + 1] as number) : edge > (runs[i - 1] as number)));
}
