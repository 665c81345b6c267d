// A golden's weights as transformers would have saved them.
import { safetensorsHeader } from "../../src/checkpoint/safetensors_writer.ts";
import { fill } from "../../src/checkpoint/synthetic.ts";
import { transformersName } from "../../src/checkpoint/transformers.ts";
import { elements } from "../../src/graph/tensor.ts";
import { expectedTensors } from "../../src/model/network.ts";
import type { Golden } from "../support/goldens.ts";

export function transformersFile({ config, seed }: Golden): Uint8Array {
  const tensors = expectedTensors(config).map(({ name, shape }) => ({ own: name, name: transformersName(name) as string, shape, dtype: "F32" as const }));
  const data = tensors.map(({ own, shape }) => new Uint8Array(fill(own, shape, seed, 0, elements(shape)).buffer));
  return Buffer.concat([safetensorsHeader(tensors), ...data]);
}
