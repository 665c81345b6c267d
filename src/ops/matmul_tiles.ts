// Tiles of the matrix product in workgroup memory, for GPUs: the variants there are of it.
import type { Workgroups } from "../graph/graph.ts";
import type { DType } from "../graph/tensor.ts";

export interface MatmulShape {
  /** Rows of a phase. */
  readonly m: number;
  readonly n: number;
  /** Channels of a tap. */
  readonly k: number;
  readonly taps: number;
  readonly phases: number;
  /** Type of the weights. */
  readonly dtype: DType;
  /** Whether the reader adds up the parts, so that splitting costs no second pass. */
  readonly reducedByReader?: boolean;
  /** Whether x may hold values beyond f16. */
  readonly wide?: boolean;
}

export type Outer = { readonly TILE_M: number; readonly TILE_N4: number; readonly STEP4: number };

export type Tile = Outer & {
  readonly ROWS: number;
  readonly COLUMNS4: number;
  readonly THREADS_X: number;
  readonly THREADS_Y: number;
  readonly SLICES: number;
};

/** Tiles in workgroup memory: rows × columns, outputs a thread. */
export const TILES = {
  /** 128 × 64, 8 × 4 */
  huge: { TILE_M: 128, TILE_N4: 16, ROWS: 8, COLUMNS4: 1, STEP4: 4, THREADS_X: 16, THREADS_Y: 16, SLICES: 1 },
  /** 64 × 64, 4 × 4 */
  large: { TILE_M: 64, TILE_N4: 16, ROWS: 4, COLUMNS4: 1, STEP4: 4, THREADS_X: 16, THREADS_Y: 16, SLICES: 1 },
  /** 64 × 64, 8 × 4: half the threads */
  tall: { TILE_M: 64, TILE_N4: 16, ROWS: 8, COLUMNS4: 1, STEP4: 4, THREADS_X: 16, THREADS_Y: 8, SLICES: 1 },
  /** 64 × 64, 8 × 8: the most products for what is read of workgroup memory */
  square: { TILE_M: 64, TILE_N4: 16, ROWS: 8, COLUMNS4: 2, STEP4: 4, THREADS_X: 8, THREADS_Y: 8, SLICES: 1 },
  /** 128 × 64, 8 × 8 */
  broad: { TILE_M: 128, TILE_N4: 16, ROWS: 8, COLUMNS4: 2, STEP4: 4, THREADS_X: 8, THREADS_Y: 16, SLICES: 1 },
  /** 32 × 32, 4 × 4 */
  small: { TILE_M: 32, TILE_N4: 8, ROWS: 4, COLUMNS4: 1, STEP4: 4, THREADS_X: 8, THREADS_Y: 8, SLICES: 1 },
  /** The same, four threads sharing a sum */
  sliced: { TILE_M: 32, TILE_N4: 8, ROWS: 4, COLUMNS4: 1, STEP4: 2, THREADS_X: 8, THREADS_Y: 8, SLICES: 4 },
  /** 32 × 48, 4 × 12, two threads sharing a sum: tiles of a number that large devices have units for, more products for what is read */
  wide: { TILE_M: 32, TILE_N4: 12, ROWS: 4, COLUMNS4: 3, STEP4: 4, THREADS_X: 4, THREADS_Y: 8, SLICES: 2 },
  /** 16 × 32, 2 × 4, four threads sharing a sum: for a handful of rows */
  skinny: { TILE_M: 16, TILE_N4: 8, ROWS: 2, COLUMNS4: 1, STEP4: 4, THREADS_X: 8, THREADS_Y: 8, SLICES: 4 },
} as const satisfies Record<string, Tile>;

/** A tile and the parts of its sum: `small/2`. */
export type VariantName = `${keyof typeof TILES}/${number}`;

export const SKINNY_ROWS = 16;

/** Names a shape in a target's choices. */
export function shapeKey({ m, n, k, taps, phases, dtype, reducedByReader }: MatmulShape): string {
  const more = [taps > 1 && ` taps ${taps}`, phases > 1 && ` phases ${phases}`, reducedByReader && " in parts"].filter(Boolean);
  return `${dtype} ${m}×${n}×${k}${more.join("")}`;
}

/** A workgroup for each tile, phase and part of the sum. */
export function workgroupsOf({ m, n, phases }: MatmulShape, tile: Outer, splits: number): Workgroups {
  return [Math.ceil(n / 4 / tile.TILE_N4), Math.ceil(m / tile.TILE_M), phases * splits];
}

/** The constants of a tile of that name; undefined where this version has none. */
export function tiled(name: string): (Tile & { readonly HANDED: number }) | undefined {
  if (!Object.hasOwn(TILES, name)) return undefined;
  const tile = TILES[name as keyof typeof TILES];
  return { ...tile, HANDED: tile.SLICES > 1 ? tile.ROWS * tile.COLUMNS4 * tile.THREADS_X * tile.THREADS_Y : 1 };
}
