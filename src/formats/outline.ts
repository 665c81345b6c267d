// Outlines of connected parts along the edges of their pixels: whole coordinates, filled to exactly the same pixels.
import { connectedParts, fillHoles } from "../volume/parts.ts";
import { type Runs, rowRuns, sameRuns } from "../volume/runs.ts";

/** A polygon [x, y, x, y, …] for each part that touches by edges; undefined where one has a hole, which polygons cannot say. */
export function outlinesOf(runs: Runs, columns: number, rows: number): number[][] | undefined {
  const polygons: number[][] = [];
  for (const part of connectedParts(runs, columns)) {
    if (!sameRuns(fillHoles(part, columns, rows), part)) return undefined;
    polygons.push(outline(part, columns));
  }
  return polygons;
}

/** Right, down, left, up. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** Clockwise, the part to the right hand, from its first pixel's corner. */
function outline(part: Runs, columns: number): number[] {
  const inside = new Set<number>();
  for (const [row, begin, end] of rowRuns(part, columns)) for (let x = begin; x < end; x++) inside.add(row * columns + x);
  const has = (x: number, y: number) => x >= 0 && x < columns && y >= 0 && inside.has(y * columns + x);
  const start = [(part[0] as number) % columns, Math.floor((part[0] as number) / columns)] as const;
  const points: number[] = [];
  let [x, y, direction] = [start[0] as number, start[1] as number, 0];
  do {
    const [dx, dy] = STEPS[direction] as (typeof STEPS)[number];
    [x, y] = [x + dx, y + dy];
    // Of the two pixels ahead, the one to the right hand and the one to the left.
    const ahead = (side: 1 | -1) => has(x + (dx - side * dy - 1) / 2, y + (dy + side * dx - 1) / 2);
    const turn = !ahead(1) ? 1 : ahead(-1) ? 3 : 0;
    if (turn !== 0) points.push(x, y);
    direction = (direction + turn) % 4;
  } while (x !== start[0] || y !== start[1] || direction !== 0);
  return points;
}
