// Tiles of the matrix product in workgroup memory, for GPUs: the variants there are of it, and the one a model of the device takes for the fastest.
import type { Workgroups } from "../graph/graph.ts";
import type { DType } from "../graph/tensor.ts";
import { DEVICE_MODELS, type DeviceModel, modelledTime, type Work } from "../graph/time_model.ts";

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

const MIN_STEPS_PER_SPLIT = 2;
const SPLITS = [1, 2, 3, 4, 6, 8, 12, 16];
export const SKINNY_ROWS = 16;
/** Workgroups beyond which splitting a sum fills no device any further. */
const MOST_WORKGROUPS = 1056;
/** Bytes that the parts of a sum may take: with two such products alive at once the encoder's activations stay below 8 MiB. */
const MOST_PART_BYTES = 9 << 18;
/** The tuner's time is short: it gets those that the model believes in most. */
const MOST_CANDIDATES = 10;

/** Names a shape in a target's choices. */
export function shapeKey({ m, n, k, taps, phases, dtype }: MatmulShape): string {
  return `${dtype} ${m}×${n}×${k}${taps > 1 ? ` taps ${taps}` : ""}${phases > 1 ? ` phases ${phases}` : ""}`;
}

/** Variants worth timing, the one that the model of the device takes for the fastest first. */
export function candidates(shape: MatmulShape, device: DeviceModel = DEVICE_MODELS.h100): VariantName[] {
  const all = Object.entries(TILES).flatMap(([name, tile]) => {
    if (tile.TILE_M > 2 * Math.max(shape.m, SKINNY_ROWS) || (name === "skinny" && shape.m > 2 * SKINNY_ROWS)) return [];
    return SPLITS.filter((splits) => splits <= mostSplits(shape, tile)).map((splits) => ({
      name: `${name}/${splits}` as VariantName,
      us: modelledUs(shape, tile, splits, device),
    }));
  });
  return all
    .sort((a, b) => a.us - b.us)
    .slice(0, MOST_CANDIDATES)
    .map(({ name }) => name);
}

/** As many parts as keep each part long enough. */
export function mostSplits(shape: MatmulShape, tile: Outer & { readonly SLICES?: number }): number {
  const steps = (shape.taps * shape.k) / 4 / tile.STEP4 / (tile.SLICES ?? 1);
  const groups = workgroupsOf(shape, tile, 1).reduce((product, count) => product * count);
  const part = 4 * shape.phases * shape.m * shape.n;
  const fits = (splits: number) => splits * MIN_STEPS_PER_SPLIT <= steps && groups * splits <= MOST_WORKGROUPS && splits * part <= MOST_PART_BYTES;
  return Math.max(1, ...SPLITS.filter(fits));
}

/** What a thread of `shaders/matmul.wgsl` does: 16 products for each row, column group and four channels; loads of the next step on their way. */
export function workOf({ taps, k }: Pick<MatmulShape, "taps" | "k">, tile: Tile, splits: number): Work {
  const { ROWS, COLUMNS4, STEP4, THREADS_X, THREADS_Y, SLICES, TILE_M, TILE_N4 } = tile;
  const threads = THREADS_X * THREADS_Y;
  const staged = ((TILE_M + 4 * TILE_N4) * STEP4) / threads;
  const read = STEP4 * (4 * COLUMNS4 + ROWS);
  return {
    threads: threads * SLICES,
    steps: Math.ceil((taps * Math.ceil(k / 4 / STEP4)) / splits / SLICES),
    instructions: STEP4 * 16 * ROWS * COLUMNS4 + read + 8 * staged + 40,
    // A vector of four takes 32 threads four cycles where each reads its own, two where rows are shared.
    shared: STEP4 * (16 * COLUMNS4 + 2 * ROWS),
    registers: 4 * (ROWS * COLUMNS4 + staged + 4 * COLUMNS4) + 32,
    ahead: true,
    lookups: taps > 1 ? 50 : 0,
  };
}

/** Bytes of a product's operands, at f32. */
const bytesOf = ({ m, n, k, taps, phases }: MatmulShape) => 4 * (phases * taps * k * n + m * k + phases * m * n);

/** Microseconds of a variant, the second pass of a split sum included: a dispatch of its own, or more to read for who adds the parts up. */
function modelledUs(shape: MatmulShape, tile: Tile, splits: number, device: DeviceModel): number {
  const parts = splits > 1 ? 4 * splits * shape.phases * shape.m * shape.n : 0;
  const workgroups = workgroupsOf(shape, tile, splits);
  const { us } = modelledTime({ flop: 0, bytes: bytesOf(shape) + parts, workgroups, work: workOf(shape, tile, splits) }, device);
  const second = parts / (device.gbs * 1e3) + (shape.reducedByReader ? 0 : device.launchUs + device.gapUs);
  return us + (splits > 1 ? second : 0);
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
