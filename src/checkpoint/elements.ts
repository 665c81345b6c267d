// The check every reader makes of what it is asked for.
import { elements } from "../graph/tensor.ts";
import { expectInside } from "../bytes/byte_source.ts";
import type { StoredTensor } from "./checkpoint.ts";
import { bad, quoted } from "../bytes/fail.ts";

/** The tensor, if it is there and has the elements `[begin, end)`. */
export function expectElements(label: string, tensors: ReadonlyMap<string, StoredTensor>, name: string, begin: number, end: number): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw bad(label, "a tensor of the file", quoted(name), "List the tensors to see what there is.");
  expectInside({ label: `${label}: ${name}`, size: elements(tensor.shape) }, begin, end - begin);
  return tensor;
}
