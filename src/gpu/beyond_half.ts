// What an embedding tells of products in f16: fetched where they are.
import { SamError } from "../errors.ts";

/** Throws where factors or sums went beyond f16: they are infinite then, and norms and softmax make NaN of that, down to the embedding. */
export function expectWithinHalf(tokens: Float32Array): void {
  let zero = 0;
  for (let i = 0; i < tokens.length; i++) zero += 0 * (tokens[i] as number);
  if (zero === 0) return;
  throw new SamError({
    code: "checkpoint",
    op: "encode",
    argument: "precision",
    expected: "one whose products hold what these weights make of the image; those of f16 end at 65504",
    got: "an embedding with NaN or infinity, multiplied in f16",
    remedy: 'Load with precision "f32", or "int8", which multiplies in f32.',
  });
}
