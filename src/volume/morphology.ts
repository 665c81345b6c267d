// Margins, smoothing and boundaries of what is drawn, by true distances: within slices, or through them. On runs; only smoothing counts pixels.
import { expectRuns } from "./fail.ts";
import { add, axis, cross, dot, type Geometry, indexToPatient, length } from "./geometry.ts";
import { difference, intersection, NO_RUNS, type Runs, rowRuns } from "./runs.ts";

/** What a label has on each slice; slices without anything are left out. */
export type Stack = ReadonlyMap<number, Runs>;

/** The grid something is drawn on. Without a geometry a voxel is 1 wide in every direction, and lengths are in pixels. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly geometry?: Geometry | undefined;
}

/** In a row `dy` below: columns from `low` to `high`, both within reach. */
type Span = readonly [dy: number, low: number, high: number];
type Piece = readonly [row: number, begin: number, end: number];

/** Rounding must not decide what lies at exactly the distance asked for. */
const EPSILON = 1e-6;

/** The pixels of slice `to` within `reach` of the first pixel of slice `from`: anisotropy, gaps, tilt and shear as they are. Undefined: its plane is out of reach. */
function spansOf({ geometry }: Grid, from: number, to: number, reach: number): Span[] | undefined {
  const [sx, sy] = geometry ? [geometry.spacing.betweenColumns, geometry.spacing.betweenRows] : [1, 1];
  let [skew, straight, a, b, z] = [0, 1, 0, 0, to - from];
  if (geometry) {
    const [u, v] = [axis(geometry, 0), axis(geometry, 1)];
    skew = dot(u, v);
    straight = length(add(v, u, -skew));
    const step = add(indexToPatient(geometry, [0, 0, to]), indexToPatient(geometry, [0, 0, from]), -1);
    a = dot(step, u);
    b = dot(step, add(v, u, -skew)) / straight;
    z = dot(step, cross(u, v)) / straight;
  }
  const spans: Span[] = [];
  const flat = reach ** 2 - z ** 2;
  if (flat < -EPSILON) return undefined;
  const tall = Math.sqrt(Math.max(0, flat));
  const last = Math.floor((tall - b) / (sy * straight) + EPSILON);
  for (let dy = Math.ceil((-tall - b) / (sy * straight) - EPSILON); dy <= last; dy++) {
    const half = Math.sqrt(Math.max(0, flat - (dy * sy * straight + b) ** 2));
    const middle = -dy * sy * skew - a;
    const [low, high] = [Math.ceil((middle - half) / sx - EPSILON), Math.floor((middle + half) / sx + EPSILON)];
    if (low <= high) spans.push([dy, low, high]);
  }
  return spans;
}

/** Slices with a pixel within `reach` of slice `from`, itself among them. */
function neighbours(grid: Grid, from: number, reach: number, through: boolean): { readonly slice: number; readonly spans: readonly Span[] }[] {
  const found = [{ slice: from, spans: spansOf(grid, from, from, reach) ?? [] }];
  if (!through) return found;
  for (const step of [-1, 1]) {
    for (let slice = from + step; slice >= 0 && slice < grid.slices; slice += step) {
      const spans = spansOf(grid, from, slice, reach);
      if (!spans) break;
      found.push({ slice, spans });
    }
  }
  return found;
}

/** Pieces in any order, overlapping or not, as runs; what lies outside the grid is cut off. */
function joined(pieces: readonly Piece[], { columns, rows }: Grid): Runs {
  const edges: [begin: number, end: number][] = [];
  for (const [row, begin, end] of pieces) {
    const [from, to] = [Math.max(0, begin), Math.min(columns, end)];
    if (row >= 0 && row < rows && from < to) edges.push([row * columns + from, row * columns + to]);
  }
  edges.sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [begin, end] of edges) {
    const last = out.length - 1;
    if (last > 0 && begin <= (out[last] as number)) out[last] = Math.max(out[last] as number, end);
    else out.push(begin, end);
  }
  return Uint32Array.from(out);
}

/** Slice `to` of what lies within `reach` of the pixels that `of` gives. */
function dilated(of: (slice: number) => Runs, to: number, grid: Grid, reach: number, through: boolean, wanted: (row: number) => boolean): Runs {
  const pieces: Piece[] = [];
  for (const { slice, spans } of neighbours(grid, to, reach, through)) {
    for (const [row, begin, end] of rowRuns(of(slice), grid.columns)) {
      for (const [dy, low, high] of spans) if (wanted(row - dy)) pieces.push([row - dy, begin - high, end - low]);
    }
  }
  return joined(pieces, grid);
}

/** Slice `slice` of everything within `mm` of the label's voxel centres; `through`: of those on other slices too. */
export function grow(stack: Stack, slice: number, grid: Grid, mm: number, through = false): Runs {
  return dilated(
    (k) => stack.get(k) ?? NO_RUNS,
    slice,
    grid,
    mm,
    through,
    () => true,
  );
}

/** Slice `slice` without what lies within `mm` of a voxel centre outside the label. The volume's own edge takes nothing away: what is drawn may go on there. */
export function shrink(stack: Stack, slice: number, grid: Grid, mm: number, through = false): Runs {
  const own = stack.get(slice) ?? NO_RUNS;
  if (own.length === 0) return own;
  const all = Uint32Array.of(0, grid.columns * grid.rows);
  const [first, last] = [Math.floor((own[0] as number) / grid.columns), Math.floor(((own.at(-1) as number) - 1) / grid.columns)];
  const outside = (k: number) => difference(all, stack.get(k) ?? NO_RUNS);
  return difference(
    own,
    dilated(outside, slice, grid, mm, through, (row) => row >= first && row <= last),
  );
}

/** Slice `slice` by the majority of the voxels within `mm` of each; of equal halves a voxel stays as it is. Straightens outlines and keeps size. */
export function smooth(stack: Stack, slice: number, grid: Grid, mm: number, through = false): Runs {
  const { columns, rows } = grid;
  const near = neighbours(grid, slice, mm, through);
  const byRow = new Map(near.map(({ slice: k }) => [k, rowsOf(stack.get(k) ?? NO_RUNS, columns)]));
  const own = byRow.get(slice) as Map<number, Piece[]>;
  const pieces: Piece[] = [];
  // Second differences: a run seen through a span counts as a trapezoid along the row.
  const [inside, all] = [new Int32Array(columns + 1), new Int32Array(columns + 1)];
  const count = (into: Int32Array, begin: number, end: number, low: number, high: number) => {
    for (const [at, change] of [
      [begin - high - 1, 1],
      [end - high - 1, -1],
      [begin - low, -1],
      [end - low, 1],
    ] as const) {
      const index = Math.max(0, Math.min(columns, at));
      into[index] = (into[index] as number) + change;
    }
  };
  for (let row = 0; row < rows; row++) {
    if (!near.some(({ slice: k, spans }) => spans.some(([dy]) => byRow.get(k)?.has(row + dy)))) continue;
    inside.fill(0);
    all.fill(0);
    let [insideNow, allNow] = [0, 0];
    for (const { slice: k, spans } of near) {
      for (const [dy, low, high] of spans) {
        if (row + dy < 0 || row + dy >= rows) continue;
        allNow += seen(0, columns, low, high);
        count(all, 0, columns, low, high);
        for (const [, begin, end] of byRow.get(k)?.get(row + dy) ?? []) {
          insideNow += seen(begin, end, low, high);
          count(inside, begin, end, low, high);
        }
      }
    }
    pieces.push(...majority(row, columns, own.get(row) ?? [], { inside, all, insideNow, allNow }));
  }
  return joined(pieces, grid);
}

/** Pixels of a run that the first pixel of the row sees through a span. */
function seen(begin: number, end: number, low: number, high: number): number {
  return Math.max(0, Math.min(end - 1, high) - Math.max(begin, low) + 1);
}

interface Counts {
  readonly inside: Int32Array;
  readonly all: Int32Array;
  readonly insideNow: number;
  readonly allNow: number;
}

function majority(row: number, columns: number, own: readonly Piece[], { inside, all, insideNow, allNow }: Counts): Piece[] {
  const pieces: Piece[] = [];
  let [a, n, slopeA, slopeN, from, next] = [insideNow, allNow, 0, 0, -1, 0];
  for (let x = 0; x < columns; x++) {
    if (x > 0) {
      slopeA += inside[x - 1] as number;
      slopeN += all[x - 1] as number;
      a += slopeA;
      n += slopeN;
    }
    while (next < own.length && (own[next] as Piece)[2] <= x) next++;
    const was = next < own.length && (own[next] as Piece)[1] <= x;
    const set = was ? 2 * a >= n : 2 * a > n;
    if (set && from < 0) from = x;
    if (!set && from >= 0) {
      pieces.push([row, from, x]);
      from = -1;
    }
  }
  if (from >= 0) pieces.push([row, from, columns]);
  return pieces;
}

function rowsOf(runs: Runs, columns: number): Map<number, Piece[]> {
  const out = new Map<number, Piece[]>();
  for (const piece of rowRuns(runs, columns)) {
    const list = out.get(piece[0]);
    if (list) list.push(piece);
    else out.set(piece[0], [piece]);
  }
  return out;
}

/** Pixels of the runs with a neighbour by an edge that is none; those at the picture's edge too. */
export function boundary(runs: Runs, columns: number, rows: number): Runs {
  expectRuns("boundary", runs);
  const narrowed = [...rowRuns(runs, columns)].flatMap(([row, begin, end]) => (end - begin > 2 ? [row * columns + begin + 1, row * columns + end - 1] : []));
  const inner = intersection(intersection(shifted(runs, columns, columns * rows), shifted(runs, -columns, columns * rows)), Uint32Array.from(narrowed));
  return difference(runs, inner);
}

function shifted(runs: Runs, by: number, area: number): Runs {
  const out: number[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const [begin, end] = [Math.max(0, (runs[i] as number) + by), Math.min(area, (runs[i + 1] as number) + by)];
    if (begin < end) out.push(begin, end);
  }
  return Uint32Array.from(out);
}
