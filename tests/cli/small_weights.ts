// A small network with synthetic weights, as a file: the configuration of tests/goldens/small.safetensors.
import { writeFile } from "node:fs/promises";
import { safetensorsHeader } from "../../src/checkpoint/safetensors_writer.ts";
import { fill } from "../../src/checkpoint/synthetic.ts";
import { elements, type Shape } from "../../src/graph/tensor.ts";
import { VIT_B, type VitConfig } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/network.ts";

export const SMALL: VitConfig = { ...VIT_B, width: 64, depth: 3, heads: 2, mlpWidth: 256, globalBlocks: [1], tableLengths: [27, 31, 27] };
export const SMALL_SEED = 3;

export interface Change {
  /** Replaces the values of tensors. */
  readonly values?: (name: string, values: Float32Array) => void;
  /** Keeps only these tensors. */
  readonly keep?: (name: string) => boolean;
  /** Keeps a tensor's first bytes as whole numbers of 8 bits, without scales. */
  readonly whole?: string;
  readonly add?: readonly { readonly name: string; readonly shape: Shape }[];
}

export function smallWeights({ values, keep = () => true, whole, add = [] }: Change = {}): Uint8Array {
  const tensors = [...expectedTensors(SMALL).filter(({ name }) => keep(name)), ...add].map((tensor) => ({
    ...tensor,
    dtype: tensor.name === whole ? ("I8" as const) : ("F32" as const),
  }));
  const parts: Uint8Array[] = [safetensorsHeader(tensors)];
  for (const { name, shape } of tensors) {
    const data = fill(name, shape, SMALL_SEED, 0, elements(shape));
    values?.(name, data);
    parts.push(new Uint8Array(data.buffer, 0, name === whole ? data.length : data.byteLength));
  }
  return Buffer.concat(parts);
}

export async function writeSmallWeights(path: string, change?: Change): Promise<void> {
  await writeFile(path, smallWeights(change));
}
