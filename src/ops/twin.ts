// The plain CPU twin of an op: what its kernel computes, as a naive loop nobody optimises. Tests hold the kernels against it.
import type { Dispatch } from "../graph/graph.ts";

export type TwinData = Float32Array | Uint32Array;

/** Values of the tensors a dispatch reads → values of those it writes, both by binding name. */
export type Twin = (dispatch: Dispatch, reads: Readonly<Record<string, TwinData>>) => Record<string, TwinData>;
