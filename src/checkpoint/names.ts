// Tensor names as the reference network has them, whatever wrapper the training script left around them.
import { formatShape } from "../errors.ts";
import type { Shape } from "../graph/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Names that need no finding: the reference's own, without what wrappers leave in them. */
const PLAIN = /^(image_encoder\.(patch_embed|pos_embed|blocks|layers|neck)|prompt_encoder|mask_decoder)\b/;
const WRAPPED = /module|_orig_mod|base_layer|(^|\.)_/;

/** The same checkpoint under the reference's names, all number types among its tensors. @throws SamError two tensors become one. */
export async function canonical(stored: Checkpoint, onNotice?: (words: string) => void): Promise<Checkpoint> {
  const checkpoint = stored.others?.size ? (await import("./widen.ts")).widened(stored) : stored;
  const names = [...checkpoint.tensors.keys()];
  if (!checkpoint.elsewhere?.length && names.every((name) => PLAIN.test(name) && !WRAPPED.test(name))) return checkpoint;
  const { networkOf, unwrapped } = await import("./found.ts");
  return (await networkOf(checkpoint, onNotice)) ?? unwrapped(checkpoint);
}

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: Shape;
}

export interface TensorReport {
  readonly missing: readonly ExpectedTensor[];
  readonly misshaped: readonly { readonly name: string; readonly expected: Shape; readonly got: Shape }[];
  readonly unknown: readonly string[];
}

export function compareTensors(checkpoint: Checkpoint, expected: Iterable<ExpectedTensor>): TensorReport {
  const missing: ExpectedTensor[] = [];
  const misshaped: { name: string; expected: Shape; got: Shape }[] = [];
  const known = new Set<string>();
  for (const wanted of expected) {
    known.add(wanted.name);
    const got = checkpoint.tensors.get(wanted.name)?.shape;
    if (!got) missing.push(wanted);
    else if (formatShape(got) !== formatShape(wanted.shape)) misshaped.push({ name: wanted.name, expected: wanted.shape, got });
  }
  return { missing, misshaped, unknown: [...checkpoint.tensors.keys()].filter((name) => !known.has(name)) };
}
