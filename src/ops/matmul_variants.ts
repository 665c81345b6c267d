// Variants of the matrix product, and which one a device gets for a shape.
import matmulShader from "../../shaders/matmul.wgsl";
import subgroupsShader from "../../shaders/matmul_subgroups.wgsl";
import { SamError } from "../errors.ts";
import type { Workgroups } from "../graph/graph.ts";
import type { Constants, Shader } from "../graph/shader.ts";
import type { Target } from "../graph/target.ts";

export interface MatmulShape {
  /** Rows of a phase. */
  readonly m: number;
  readonly n: number;
  /** Channels of a tap. */
  readonly k: number;
  readonly taps: number;
  readonly phases: number;
}

export interface MatmulVariant {
  readonly shader: Shader;
  readonly constants: Constants;
  readonly workgroups: Workgroups;
  /** Parts the summed channels are split into; more than 1 needs the second pass. */
  readonly splits: number;
}

/** Workgroup-memory tiles: 256 or 64 threads of 4×4 outputs. */
const TILES = {
  large: { TILE_M: 64, TILE_N4: 16, ROWS: 4, COLUMNS4: 1, STEP4: 4, THREADS_X: 16, THREADS_Y: 16 },
  small: { TILE_M: 32, TILE_N4: 8, ROWS: 4, COLUMNS4: 1, STEP4: 4, THREADS_X: 8, THREADS_Y: 8 },
};
/** Enough workgroups to occupy a large GPU. */
const BUSY_WORKGROUPS = 128;
const MIN_STEPS_PER_SPLIT = 12;

export function chooseMatmul({ kind, subgroupSize }: Target, shape: MatmulShape, maySplit: boolean): MatmulVariant {
  return kind === "cpu" && subgroupSize >= 4 ? subgroups(shape, subgroupSize) : tiled(shape, maySplit);
}

function tiled({ m, n, k, taps, phases }: MatmulShape, maySplit: boolean): MatmulVariant {
  const large = Math.ceil(m / 64) * Math.ceil(n / 64) * phases >= BUSY_WORKGROUPS / 2;
  const tile = large ? TILES.large : TILES.small;
  const [across, down] = [Math.ceil(n / 4 / tile.TILE_N4), Math.ceil(m / tile.TILE_M)];
  const steps = taps * Math.ceil(k / 4 / tile.STEP4);
  const splits = maySplit ? Math.max(1, Math.min(Math.floor(BUSY_WORKGROUPS / (across * down * phases)), Math.floor(steps / MIN_STEPS_PER_SPLIT))) : 1;
  return { shader: matmulShader, constants: tile, workgroups: [across, down, phases * splits], splits };
}

function subgroups({ m, n, phases }: MatmulShape, subgroupSize: number): MatmulVariant {
  // A row a lane for the decoder's few tokens, four for everything else.
  const [rows, threads] = m <= 16 ? [1, 8] : [4, 16];
  const constants = { ROWS: rows, THREADS: threads, LANES: subgroupSize >= 8 ? 8 : 4 };
  return { shader: subgroupsShader, constants, workgroups: [Math.ceil(n / 16), Math.ceil(m / (rows * threads)), phases], splits: 1 };
}

/** A workgroup of any variant adds the addend to all of its columns, 64 at most, or to none. */
export function expectWholeTiles(op: string, columns: number, n: number): void {
  if (columns === n || columns % 64 === 0) return;
  const facts = { argument: "addendColumns", expected: "a multiple of 64, or all", got: `${columns} of ${n}`, remedy: "Make it two products." };
  throw new SamError({ code: "graph", op, ...facts });
}
