// How long the tiles of the matrix product should take on a device, by the time model: which of them are worth trying, and the default.
import { DEVICE_MODELS, type DeviceModel, modelledTime, type Work } from "../graph/time_model.ts";
import { type MatmulShape, type Outer, SKINNY_ROWS, type Tile, TILES, type VariantName, workgroupsOf } from "./matmul_tiles.ts";

const MIN_STEPS_PER_SPLIT = 2;
const SPLITS = [1, 2, 3, 4, 6, 8, 12, 16];
/** Workgroups beyond which splitting a sum fills no device any further. */
const MOST_WORKGROUPS = 1056;
/** Bytes that the parts of a sum may take: with two such products alive at once the encoder's activations stay below 8 MiB. */
const MOST_PART_BYTES = 9 << 18;
/** The tuner's time is short: it gets those that the model believes in most. */
const MOST_CANDIDATES = 10;

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

/** As many parts as keep each part long enough. Where nobody who reads the sum adds parts up, only a convolution is worth the second pass. */
export function mostSplits(shape: MatmulShape, tile: Outer & { readonly SLICES?: number }): number {
  if (!shape.reducedByReader && shape.taps === 1) return 1;
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

/** What a thread of `shaders/matmul_lanes.wgsl` does: for each row a vector from another lane, and its products. */
export function laneWorkOf({ taps, k }: Pick<MatmulShape, "taps" | "k">, { TILE_M, STEP4 }: Outer, splits: number): Work {
  const steps = Math.ceil((taps * Math.ceil(k / 4 / STEP4)) / splits);
  return { threads: 64, steps, instructions: STEP4 * (20 * TILE_M + 12) + 20, registers: 4 * TILE_M + 48, lookups: taps > 1 ? 50 : 0 };
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
