// Slices between accepted ones, by signed distances: the outline moves evenly from one to the next.
import { SamError } from "../errors.ts";
import { type Frame, signedDistances } from "./distance.ts";
import { axis, cross, dot, indexToPatient } from "./geometry.ts";
import type { Grid, Stack } from "./morphology.ts";
import { boundsOf, type Runs, rowRuns, runsOf } from "./runs.ts";

/** See fetched.ts. */
export function interpolate(stack: Stack, accepted: readonly number[], grid: Grid): Map<number, Runs> {
  const known = [...new Set(accepted)].sort((a, b) => a - b);
  const empty = known.find((slice) => !stack.get(slice)?.length);
  if (known.length < 2 || empty !== undefined) {
    const got = empty === undefined ? `${known.length}` : `nothing on slice ${empty}`;
    const facts = { code: "file", op: "interpolate", argument: "accepted", expected: "two or more slices on which something is drawn", got } as const;
    throw new SamError({ ...facts, remedy: "Accept a mask on a second slice first." });
  }
  const out = new Map<number, Runs>();
  for (let i = 1; i < known.length; i++) {
    const [from, to] = [known[i - 1] as number, known[i] as number];
    if (to - from < 2) continue;
    const between = blend(stack.get(from) as Runs, stack.get(to) as Runs, grid);
    for (let slice = from + 1; slice < to; slice++) {
      const runs = between(share(grid, from, slice, to));
      if (runs.length > 0) out.set(slice, runs);
    }
  }
  return out;
}

/** How far `slice` lies from `from` to `to`, 0 to 1, along the normal. */
function share({ geometry }: Grid, from: number, slice: number, to: number): number {
  if (!geometry) return (slice - from) / (to - from);
  const normal = cross(axis(geometry, 0), axis(geometry, 1));
  const [a, at, b] = [from, slice, to].map((index) => dot(indexToPatient(geometry, [0, 0, index]), normal)) as [number, number, number];
  return a === b ? (slice - from) / (to - from) : (at - a) / (b - a);
}

interface Shape {
  readonly distances: Float32Array;
  readonly center: readonly [number, number];
}

function blend(from: Runs, to: Runs, { columns, rows, geometry }: Grid): (share: number) => Runs {
  const [sx, sy] = geometry ? [geometry.spacing.betweenColumns, geometry.spacing.betweenRows] : [1, 1];
  const boxes = [from, to].map((runs) => boundsOf(runs, columns) as [number, number, number, number]);
  const [x0, y0, x1, y1] = [0, 1, 2, 3].map((i) => (i < 2 ? Math.min : Math.max)(...boxes.map((box) => box[i] as number))) as [number, number, number, number];
  const centers = [centerOf(from, columns), centerOf(to, columns)] as const;
  const [padX, padY] = [0, 1].map((i) => 1 + Math.ceil(Math.abs((centers[0][i] as number) - (centers[1][i] as number)))) as [number, number];
  const frame: Frame = { left: x0 - padX, top: y0 - padY, width: x1 - x0 + 2 * padX, height: y1 - y0 + 2 * padY };
  const shape = (runs: Runs, center: readonly [number, number]): Shape => ({ distances: signedDistances(runs, columns, frame, sx, sy), center });
  const [a, b] = [shape(from, centers[0]), shape(to, centers[1])];
  return (t) => {
    const middle = [0, 1].map((i) => (1 - t) * (a.center[i] as number) + t * (b.center[i] as number)) as [number, number];
    const mask = new Uint8Array(columns * rows);
    for (let row = Math.max(0, y0); row < Math.min(rows, y1); row++) {
      for (let column = Math.max(0, x0); column < Math.min(columns, x1); column++) {
        const value = (1 - t) * sample(a, column - middle[0], row - middle[1], frame) + t * sample(b, column - middle[0], row - middle[1], frame);
        if (value > 0) mask[row * columns + column] = 1;
      }
    }
    return runsOf(mask);
  };
}

function centerOf(runs: Runs, columns: number): [number, number] {
  let [count, x, y] = [0, 0, 0];
  for (const [row, begin, end] of rowRuns(runs, columns)) {
    count += end - begin;
    x += ((end - begin) * (begin + end - 1)) / 2;
    y += (end - begin) * row;
  }
  return [x / count, y / count];
}

/** Bilinear, at a place from the shape's centre. */
function sample({ distances, center }: Shape, dx: number, dy: number, { left, top, width, height }: Frame): number {
  const x = Math.max(0, Math.min(width - 1, center[0] + dx - left));
  const y = Math.max(0, Math.min(height - 1, center[1] + dy - top));
  const [i, j] = [Math.min(width - 2, Math.floor(x)), Math.min(height - 2, Math.floor(y))];
  const [u, v] = [x - i, y - j];
  const at = (column: number, row: number) => distances[row * width + column] as number;
  return (1 - v) * ((1 - u) * at(i, j) + u * at(i + 1, j)) + v * ((1 - u) * at(i, j + 1) + u * at(i + 1, j + 1));
}
