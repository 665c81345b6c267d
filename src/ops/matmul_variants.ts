// Variants of the matrix product, and which one a device gets for a shape.
import matmulShader from "../../shaders/matmul.wgsl";
import { SamError } from "../errors.ts";
import type { Choice, Workgroups } from "../graph/graph.ts";
import type { Constants, Shader } from "../graph/shader.ts";
import type { Target } from "../graph/target.ts";
import { candidates, type MatmulShape, shapeKey, SKINNY_ROWS, tiled } from "./matmul_tiles.ts";

export interface MatmulVariant {
  readonly shader: Shader;
  /** How the weights are stored, and whether f16 ones are multiplied as such. */
  readonly condition: "" | "f16" | "f16_products" | "int8";
  readonly constants: Constants;
  readonly workgroups: Workgroups;
  /** Parts the summed channels are split into; more than 1 needs the second pass. */
  readonly splits: number;
  readonly choice?: Choice;
}

type Recorded = Pick<MatmulVariant, "shader" | "constants" | "workgroups" | "splits">;

/** The variant that the tuner found fastest on this device, the written default where it has found none. */
export function chooseMatmul(target: Target, shape: MatmulShape): MatmulVariant {
  const stored = shape.dtype === "f16" || shape.dtype === "int8" ? shape.dtype : "";
  if (target.software) return { shader: target.software.matmul, ...subgroups(shape, target.subgroupSize), condition: stored };
  const choice = { key: shapeKey(shape), candidates: candidates(shape) };
  const chosen = tiled(shape, target.choices?.[choice.key] ?? "") ?? (tiled(shape, choice.candidates[0] as string) as Omit<Recorded, "shader">);
  return { shader: matmulShader, ...chosen, condition: stored === "f16" && target.halfProducts ? "f16_products" : stored, choice };
}

function subgroups({ m, n, phases }: MatmulShape, subgroupSize: number): Omit<Recorded, "shader"> {
  // A row a lane for the decoder's few tokens, four for everything else.
  const [rows, threads] = m <= SKINNY_ROWS ? [1, 8] : [4, 16];
  const constants = { ROWS: rows, THREADS: threads, LANES: subgroupSize >= 8 ? 8 : 4 };
  return { constants, workgroups: [Math.ceil(n / 16), Math.ceil(m / (rows * threads)), phases], splits: 1 };
}

/** A workgroup of any variant adds the addend to all of its columns, 64 at most, or to none. */
export function expectWholeTiles(op: string, columns: number, n: number): void {
  if (columns === n || columns % 64 === 0) return;
  const facts = { argument: "addendColumns", expected: "a multiple of 64, or all", got: `${columns} of ${n}`, remedy: "Make it two products." };
  throw new SamError({ code: "graph", op, ...facts });
}
