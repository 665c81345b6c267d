// How the encoder's attention is cut into workgroups on a GPU, and how long that should take there, by the time model.
import type { Work } from "../graph/time_model.ts";

/** Threads that share a query. */
const LANES = 8;
/** Queries of a workgroup, and keys that it stages at a time: the first that fit. */
const TILES = [
  [16, 16],
  [16, 8],
  [8, 8],
  [4, 8],
  [2, 8],
] as const;
/** Bytes of workgroup memory that every device has. */
const WORKGROUP_BYTES = 16384;

interface AttentionTile {
  readonly LANES: number;
  readonly QUERIES: number;
  readonly TILE: number;
}

/** `width` channels of a head, `window` the side of a window. */
export function tileOf(width: number, window: number): AttentionTile {
  const [QUERIES, TILE] = TILES.find(([queries, tile]) => workgroupBytes(queries, tile, width, window) <= WORKGROUP_BYTES) ?? [1, LANES];
  return { LANES, QUERIES, TILE };
}

/** Keys and values with a vector to spare, the terms of rows and columns, scores and weights, and what lanes tell each other. */
function workgroupBytes(queries: number, tile: number, width: number, window: number): number {
  return 2 * tile * 4 * (width + 4) + 4 * queries * (2 * window + 2 * tile + 3 * LANES);
}

/** Of a thread: for each tile the scores of some keys, then some channels of the sum over all; before the first the terms of rows and columns. */
export function workOf(
  { grid, window, width, heads }: Readonly<Record<"grid" | "window" | "width" | "heads", number>>,
  { QUERIES, TILE }: AttentionTile,
): Work {
  const side = Math.min(window, grid);
  return {
    threads: LANES * QUERIES,
    groups: heads * liveGroups(grid, window, QUERIES),
    steps: Math.ceil(side ** 2 / TILE) + Math.ceil(side / LANES),
    instructions: (2 * TILE * width) / LANES + 8 * TILE + 80,
    shared: (TILE * width) / LANES,
    registers: width + 72,
    ahead: true,
  };
}

/** Workgroups of a head that have queries: windows at the edges of the grid are smaller. */
function liveGroups(grid: number, window: number, queries: number): number {
  const sides = Array.from({ length: Math.ceil(grid / window) }, (_, i) => Math.min(window, grid - i * window));
  return sides.reduce((sum, height) => sides.reduce((row, width) => row + Math.ceil((height * width) / queries), sum), 0);
}
