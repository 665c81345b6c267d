// The check every reader makes of what it is asked for.
import { elements, type Shape } from "../graph/tensor.ts";
import { expectInside } from "../bytes/byte_source.ts";
import { bad, quoted } from "../bytes/fail.ts";

/** The tensor, if it is there and has the elements `[begin, end)`. */
export function expectElements<T extends { readonly shape: Shape }>(
  label: string,
  tensors: ReadonlyMap<string, T>,
  name: string,
  begin: number,
  end: number,
): T {
  const tensor = tensors.get(name);
  if (!tensor) throw bad(label, "a tensor of the file", quoted(name), "List the tensors to see what there is.");
  expectInside({ label: `${label}: ${name}`, size: elements(tensor.shape) }, begin, end - begin);
  return tensor;
}
