// Variants of the matrix product, and which one a device gets for a shape.
import matmulShader from "../../shaders/matmul.wgsl";
import subgroupsShader from "../../shaders/matmul_subgroups.wgsl";
import { SamError } from "../errors.ts";
import type { Workgroups } from "../graph/graph.ts";
import type { Constants, Shader } from "../graph/shader.ts";
import type { Target } from "../graph/target.ts";
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
  /** Whether the sum may be split over workgroups: the second pass knows one bias for all phases. */
  readonly maySplit: boolean;
}

export interface MatmulVariant {
  readonly shader: Shader;
  /** How the weights are stored, and whether f16 ones are multiplied as such. */
  readonly condition: "" | "f16" | "f16_products" | "int8";
  readonly constants: Constants;
  readonly workgroups: Workgroups;
  /** Parts the summed channels are split into; more than 1 needs the second pass. */
  readonly splits: number;
}

interface Tile {
  readonly TILE_M: number;
  readonly TILE_N4: number;
  readonly ROWS: number;
  readonly STEP4: number;
  readonly THREADS_X: number;
  readonly THREADS_Y: number;
  readonly SLICES: number;
}

/** Tiles in workgroup memory: rows × columns, outputs a thread. */
const TILES = {
  /** 128 × 64, 8 × 4 */
  huge: { TILE_M: 128, TILE_N4: 16, ROWS: 8, STEP4: 4, THREADS_X: 16, THREADS_Y: 16, SLICES: 1 },
  /** 64 × 64, 4 × 4 */
  large: { TILE_M: 64, TILE_N4: 16, ROWS: 4, STEP4: 4, THREADS_X: 16, THREADS_Y: 16, SLICES: 1 },
  /** 64 × 64, 8 × 4: half the threads */
  tall: { TILE_M: 64, TILE_N4: 16, ROWS: 8, STEP4: 4, THREADS_X: 16, THREADS_Y: 8, SLICES: 1 },
  /** 32 × 32, 4 × 4 */
  small: { TILE_M: 32, TILE_N4: 8, ROWS: 4, STEP4: 4, THREADS_X: 8, THREADS_Y: 8, SLICES: 1 },
  /** The same, four threads sharing a sum */
  sliced: { TILE_M: 32, TILE_N4: 8, ROWS: 4, STEP4: 2, THREADS_X: 8, THREADS_Y: 8, SLICES: 4 },
  /** 16 × 32, 2 × 4, four threads sharing a sum: for a handful of rows */
  skinny: { TILE_M: 16, TILE_N4: 8, ROWS: 2, STEP4: 4, THREADS_X: 8, THREADS_Y: 8, SLICES: 4 },
} as const satisfies Record<string, Tile>;

/** A tile and the parts of its sum: `small/2`. */
export type VariantName = `${keyof typeof TILES}/${number}`;

/** Enough workgroups to occupy a large GPU. */
const BUSY_WORKGROUPS = 128;
const MIN_STEPS_PER_SPLIT = 12;
const SKINNY_ROWS = 16;

/** Names a shape in a target's choices. */
export function shapeKey({ m, n, k, taps, phases, dtype }: MatmulShape): string {
  return `${dtype} ${m}×${n}×${k}${taps > 1 ? ` taps ${taps}` : ""}${phases > 1 ? ` phases ${phases}` : ""}`;
}

/** The variant that the tuner found fastest on this device, the written default where it has found none. */
export function chooseMatmul(target: Target, shape: MatmulShape): MatmulVariant {
  const stored = shape.dtype === "f16" || shape.dtype === "int8" ? shape.dtype : "";
  if (target.kind === "cpu" && target.subgroupSize >= 4) return { ...subgroups(shape, target.subgroupSize), condition: stored };
  const chosen = tiled(shape, (target.choices?.[shapeKey(shape)] as VariantName | undefined) ?? defaultVariant(shape));
  return { ...chosen, condition: stored === "f16" && target.halfProducts ? "f16_products" : stored };
}

function defaultVariant(shape: MatmulShape): VariantName {
  if (shape.m <= SKINNY_ROWS) return "skinny/1";
  if (groups(shape, TILES.large) >= BUSY_WORKGROUPS / 2) return "large/1";
  return groups(shape, TILES.small) >= BUSY_WORKGROUPS || shape.taps * shape.k < 256 ? "small/1" : "sliced/1";
}

/** Variants worth timing, the default first. */
export function candidates(shape: MatmulShape): VariantName[] {
  const first = defaultVariant(shape);
  const all = Object.entries(TILES).flatMap(([name, tile]) => {
    if (tile.TILE_M > 2 * Math.max(shape.m, SKINNY_ROWS) || (name === "skinny" && shape.m > 2 * SKINNY_ROWS)) return [];
    const most = Math.floor((shape.taps * shape.k) / 4 / tile.STEP4 / tile.SLICES / MIN_STEPS_PER_SPLIT);
    const splits = [1, 2, 4, 8].filter((s) => s === 1 || (shape.maySplit && s <= most && groups(shape, tile) * s <= 4 * BUSY_WORKGROUPS));
    return splits.map((s) => `${name}/${s}` as VariantName);
  });
  return [first, ...all.filter((name) => name !== first)];
}

function groups({ m, n, phases }: MatmulShape, tile: Tile): number {
  return Math.ceil(m / tile.TILE_M) * Math.ceil(n / 4 / tile.TILE_N4) * phases;
}

function tiled({ m, n, phases }: MatmulShape, name: VariantName): Omit<MatmulVariant, "condition"> {
  const [tileName, splits] = name.split("/") as [keyof typeof TILES, string];
  const tile = TILES[tileName];
  const handed = tile.SLICES > 1 ? tile.ROWS * tile.THREADS_X * tile.THREADS_Y : 1;
  const workgroups = [Math.ceil(n / 4 / tile.TILE_N4), Math.ceil(m / tile.TILE_M), phases * Number(splits)] as const;
  return { shader: matmulShader, constants: { ...tile, HANDED: handed }, workgroups, splits: Number(splits) };
}

function subgroups({ m, n, phases }: MatmulShape, subgroupSize: number): Omit<MatmulVariant, "condition"> {
  // A row a lane for the decoder's few tokens, four for everything else.
  const [rows, threads] = m <= SKINNY_ROWS ? [1, 8] : [4, 16];
  const constants = { ROWS: rows, THREADS: threads, LANES: subgroupSize >= 8 ? 8 : 4 };
  return { shader: subgroupsShader, constants, workgroups: [Math.ceil(n / 16), Math.ceil(m / (rows * threads)), phases], splits: 1 };
}

/** A workgroup of any variant adds the addend to all of its columns, 64 at most, or to none. */
export function expectWholeTiles(op: string, columns: number, n: number): void {
  if (columns === n || columns % 64 === 0) return;
  const facts = { argument: "addendColumns", expected: "a multiple of 64, or all", got: `${columns} of ${n}`, remedy: "Make it two products." };
  throw new SamError({ code: "graph", op, ...facts });
}
