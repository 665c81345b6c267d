// Variants of the matrix product, and which one a device gets for a shape.
import matmulShader from "../../shaders/matmul.wgsl";
import type { Choice, Workgroups } from "../graph/graph.ts";
import type { Constants, Shader } from "../graph/shader.ts";
import type { Target } from "../graph/target.ts";
import type { Work } from "../graph/time_model.ts";
import { type MatmulShape, shapeKey, SKINNY_ROWS, tiled, workgroupsOf } from "./matmul_tiles.ts";
import { candidates, laneWorkOf, mostSplits, workOf } from "./matmul_time.ts";

export interface MatmulVariant {
  readonly shader: Shader;
  /** How the weights are stored, and whether f16 ones are multiplied as such. */
  readonly condition: "" | "f16" | "f16_products" | "int8";
  readonly constants: Constants;
  readonly workgroups: Workgroups;
  /** Parts the summed channels are split into; more than 1 needs the second pass. */
  readonly splits: number;
  readonly work?: Work;
  readonly choice?: Choice;
}

type Recorded = Pick<MatmulVariant, "constants" | "workgroups" | "splits" | "work"> & { readonly shader?: Shader };

/** The variant that the tuner found fastest on this device; where it has found none, the one its model takes for the fastest. */
export function chooseMatmul(target: Target, shape: MatmulShape): MatmulVariant {
  const stored = shape.dtype === "f16" || shape.dtype === "int8" ? shape.dtype : "";
  if (target.software) return { shader: target.software.matmul, ...subgroups(shape, target.subgroupSize), condition: stored };
  const half = stored === "f16" && target.halfProducts === true && !shape.wide;
  const choice = {
    key: `${half ? "multiplied in " : ""}${shapeKey(shape)}`,
    candidates: [...candidates(shape, target.model), ...laneCandidates(shape, target)],
  };
  const chosen = named(shape, target.choices?.[choice.key] ?? "", target) ?? (named(shape, choice.candidates[0] as string, target) as Recorded);
  return { shader: matmulShader, ...chosen, condition: half ? "f16_products" : stored, choice };
}

function subgroups({ m, n, phases }: MatmulShape, subgroupSize: number): Recorded {
  // A row a lane for the decoder's few tokens, four for everything else.
  const [rows, threads] = m <= SKINNY_ROWS ? [1, 8] : [4, 16];
  const constants = { ROWS: rows, THREADS: threads, LANES: subgroupSize >= 8 ? 8 : 4 };
  return { constants, workgroups: [Math.ceil(n / 16), Math.ceil(m / (rows * threads)), phases], splits: 1 };
}

/** What a name stands for, `small/2` or `lanes/1`; undefined where it is none of this version's or does not fit the device. */
function named(shape: MatmulShape, name: string, target: Target): Recorded | undefined {
  const [kind = "", parts] = name.split("/");
  const splits = Number(parts);
  if (!Number.isInteger(splits) || splits < 1) return undefined;
  const lanes = kind === "lanes" ? laneTile(shape, target) : undefined;
  if (lanes && target.lanes)
    return { constants: lanes, workgroups: workgroupsOf(shape, lanes, splits), splits, work: laneWorkOf(shape, lanes, splits), shader: target.lanes };
  const tile = tiled(kind);
  return tile && { constants: tile, workgroups: workgroupsOf(shape, tile, splits), splits, work: workOf(shape, tile, splits) };
}

/** The tile of a workgroup whose lanes hand each other the rows' values, each holding those of one row and step; where there are subgroups. */
function laneTile({ m }: MatmulShape, { lanes: shader, subgroupSize }: Target) {
  if (!shader || subgroupSize < 4) return undefined;
  const lanes = Math.min(32, subgroupSize);
  const rows = Math.min(lanes, m <= SKINNY_ROWS / 2 ? SKINNY_ROWS / 2 : SKINNY_ROWS);
  return { TILE_M: rows, TILE_N4: 64, STEP4: lanes / rows };
}

/** Without and with as many splits as pay. */
function laneCandidates(shape: MatmulShape, target: Target): string[] {
  const tile = laneTile(shape, target);
  return tile ? [...new Set([1, mostSplits(shape, tile)])].map((splits) => `lanes/${splits}`) : [];
}
