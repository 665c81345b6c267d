// A golden's network, or the part of it whose names begin so, as a safetensors file, in the reference's names or, as transformers would have saved it, in others.
import { safetensorsHeader } from "../../src/checkpoint/safetensors_writer.ts";
import { fill } from "../../src/checkpoint/synthetic.ts";
import { transformersName } from "../../src/checkpoint/transformers.ts";
import { elements } from "../../src/graph/tensor.ts";
import { expectedTensors } from "../../src/model/network.ts";
import type { Golden } from "../support/goldens.ts";

export function networkFile({ config, seed }: Pick<Golden, "config" | "seed">, nameOf: (name: string) => string = (name) => name, part = ""): Uint8Array {
  const kept = expectedTensors(config).filter(({ name }) => name.startsWith(part));
  const tensors = kept.map(({ name, shape }) => ({ own: name, name: nameOf(name), shape, dtype: "F32" as const }));
  const data = tensors.map(({ own, shape }) => new Uint8Array(fill(own, shape, seed, 0, elements(shape)).buffer));
  return Buffer.concat([safetensorsHeader(tensors), ...data]);
}

export function transformersFile(golden: Pick<Golden, "config" | "seed">): Uint8Array {
  return networkFile(golden, (name) => transformersName(name) as string);
}
