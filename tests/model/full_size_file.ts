// A full-size checkpoint of zeros on the disk: 1.085 GB to every reader, a few kilobytes of disk, since a file's holes take none.
import { open } from "node:fs/promises";
import { safetensorsHeader } from "../../src/checkpoint/safetensors_writer.ts";
import { elements } from "../../src/graph/tensor.ts";
import { VIT_B } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/network.ts";

/** Gives the file's bytes. */
export async function writeFullSizeFile(path: string): Promise<number> {
  const tensors = expectedTensors(VIT_B).map((tensor) => ({ ...tensor, dtype: "F32" as const }));
  const header = safetensorsHeader(tensors);
  const bytes = header.length + tensors.reduce((sum, { shape }) => sum + 4 * elements(shape), 0);
  const file = await open(path, "w");
  try {
    await file.write(header);
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
  return bytes;
}

/** The most that JS memory may grow by while such a file is loaded. */
export const HEAP_BOUND = 64e6;
