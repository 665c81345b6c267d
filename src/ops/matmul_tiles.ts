// Tiles of the matrix product in workgroup memory, for GPUs: the variants there are of it, and the written default.
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
}

type Outer = { readonly TILE_M: number; readonly TILE_N4: number; readonly STEP4: number };

type Tile = Outer & {
  readonly ROWS: number;
  readonly COLUMNS4: number;
  readonly THREADS_X: number;
  readonly THREADS_Y: number;
  readonly SLICES: number;
};

/** Tiles in workgroup memory: rows × columns, outputs a thread. */
const TILES = {
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
  /** 16 × 32, 2 × 4, four threads sharing a sum: for a handful of rows */
  skinny: { TILE_M: 16, TILE_N4: 8, ROWS: 2, COLUMNS4: 1, STEP4: 4, THREADS_X: 8, THREADS_Y: 8, SLICES: 4 },
} as const satisfies Record<string, Tile>;

/** A tile and the parts of its sum: `small/2`. */
export type VariantName = `${keyof typeof TILES}/${number}`;

/** Enough workgroups to occupy a large GPU. */
const BUSY_WORKGROUPS = 128;
const MIN_STEPS_PER_SPLIT = 8;
const SPLITS = [1, 2, 4, 8];
export const SKINNY_ROWS = 16;

/** Names a shape in a target's choices. */
export function shapeKey({ m, n, k, taps, phases, dtype }: MatmulShape): string {
  return `${dtype} ${m}×${n}×${k}${taps > 1 ? ` taps ${taps}` : ""}${phases > 1 ? ` phases ${phases}` : ""}`;
}

function defaultVariant(shape: MatmulShape): VariantName {
  if (shape.m <= SKINNY_ROWS) return `skinny/${shape.reducedByReader ? mostSplits(shape, TILES.skinny) : 1}`;
  if (groups(shape, TILES.large) >= BUSY_WORKGROUPS / 2) return "large/1";
  return groups(shape, TILES.small) >= BUSY_WORKGROUPS || shape.taps * shape.k < 256 ? "small/1" : "sliced/1";
}

/** Variants worth timing, the default first. */
export function candidates(shape: MatmulShape): VariantName[] {
  const first = defaultVariant(shape);
  const all = Object.entries(TILES).flatMap(([name, tile]) => {
    if (tile.TILE_M > 2 * Math.max(shape.m, SKINNY_ROWS) || (name === "skinny" && shape.m > 2 * SKINNY_ROWS)) return [];
    return SPLITS.filter((splits) => splits <= mostSplits(shape, tile)).map((splits) => `${name}/${splits}` as VariantName);
  });
  return [first, ...all.filter((name) => name !== first)];
}

/** As many parts as keep the device busy and each part long enough. */
export function mostSplits(shape: MatmulShape, tile: Outer & { readonly SLICES?: number }): number {
  const steps = (shape.taps * shape.k) / 4 / tile.STEP4 / (tile.SLICES ?? 1);
  const fits = (splits: number) => splits * MIN_STEPS_PER_SPLIT <= steps && groups(shape, tile) * splits <= 4 * BUSY_WORKGROUPS;
  return Math.max(1, ...SPLITS.filter(fits));
}

/** A workgroup for each tile, phase and part of the sum. */
export function workgroupsOf({ m, n, phases }: MatmulShape, tile: Outer, splits: number): Workgroups {
  return [Math.ceil(n / 4 / tile.TILE_N4), Math.ceil(m / tile.TILE_M), phases * splits];
}

function groups(shape: MatmulShape, tile: Outer): number {
  return workgroupsOf(shape, tile, 1).reduce((product, count) => product * count);
}

/** The constants of a tile of that name; undefined where this version has none. */
export function tiled(name: string): (Tile & { readonly HANDED: number }) | undefined {
  if (!Object.hasOwn(TILES, name)) return undefined;
  const tile = TILES[name as keyof typeof TILES];
  return { ...tile, HANDED: tile.SLICES > 1 ? tile.ROWS * tile.COLUMNS4 * tile.THREADS_X * tile.THREADS_Y : 1 };
}
